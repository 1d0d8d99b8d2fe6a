// A listening address of a primary: a socket for each worker, among which the kernel shares connections out. The primary never
// accepts; it keeps the sockets open, so that what waits in the queue of a worker that died is taken by the next.
import type { AddressInfo } from 'node:net';
import type { ListenAddress } from '../config/config.ts';
import { Listener, listenError } from '../server/listener.ts';
import type { OpenSocket } from '../server/listeners.ts';
import { type BoundHandle, bindShared } from './bound-handle.ts';

export class SharedListener implements OpenSocket {
  readonly #address: ListenAddress;
  readonly #workers: number;
  readonly #onClose: () => void;
  /** By worker; null: it has no socket of its own now. */
  #handles: (BoundHandle | null)[] = [];
  #bound: AddressInfo | null = null;

  constructor(address: ListenAddress, workers: number, onClose: () => void) {
    this.#address = address;
    this.#workers = workers;
    this.#onClose = onClose;
  }

  get bound(): AddressInfo {
    return this.#bound!;
  }

  /** Rejects as a Listener does. */
  async open(): Promise<void> {
    // Sockets that share a port are told by nobody that another program has it, too: one that does not share finds out.
    const probe = new Listener(this.#address, (socket) => socket.destroy());
    await probe.open();
    const bound = probe.bound;
    await probe.close();
    this.#bound = bound;
    try {
      for (let i = 0; i < this.#workers; i++) this.#handles.push(this.#bind());
    } catch (error) {
      this.close();
      throw listenError(this.#address, error);
    }
  }

  /** For the worker of that number, from 0. One that has none of its own shares another's. */
  handleFor(worker: number): BoundHandle {
    this.#handles[worker] ??= this.#rebind();
    return this.#handles[worker] ?? this.#handles.find((handle) => handle !== null)!;
  }

  /** The worker does not come back soon: the others get its connections. The last socket stays. */
  giveUp(worker: number): void {
    if (this.#handles.filter((handle) => handle !== null).length < 2) return;
    this.#handles[worker]?.close();
    this.#handles[worker] = null;
  }

  close(): void {
    for (const handle of this.#handles) handle?.close();
    this.#handles = [];
    this.#onClose();
  }

  #bind(): BoundHandle {
    const { address, port } = this.#bound!;
    return bindShared(address, port);
  }

  /** null: not any more, since the process has changed its user, say. */
  #rebind(): BoundHandle | null {
    try {
      return this.#bind();
    } catch {
      return null;
    }
  }
}
