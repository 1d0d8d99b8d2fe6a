// A listening address of a primary that was started with the socket for it: all workers accept from the one socket. It is never
// closed here, so that it is there when the address returns, and connections wait in its queue for the next process.
import type { AddressInfo } from 'node:net';
import type { OpenSocket } from '../server/listeners.ts';
import type { BoundHandle } from './bound-handle.ts';

export class InheritedListener implements OpenSocket {
  readonly bound: AddressInfo;
  readonly #handle: BoundHandle;
  readonly #onClose: () => void;

  constructor(handle: BoundHandle, onClose: () => void) {
    const bound = {};
    handle.getsockname(bound);
    this.bound = bound as AddressInfo;
    this.#handle = handle;
    this.#onClose = onClose;
  }

  async open(): Promise<void> {}

  handleFor(): BoundHandle {
    return this.#handle;
  }

  giveUp(): void {}

  close(): void {
    this.#onClose();
  }
}
