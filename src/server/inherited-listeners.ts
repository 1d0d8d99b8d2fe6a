// Listeners on inherited sockets, for as long as the process serves. The descriptor of one cannot be had again once it is closed,
// so an address that leaves the configuration keeps it: who connects there is turned away until the address returns.
import type { Socket } from 'node:net';
import type { ListenAddress } from '../config/config.ts';
import type { InheritedSockets } from './inherited-sockets.ts';
import { Listener } from './listener.ts';
import type { OpenSocket } from './listeners.ts';

type OnSocket = (socket: Socket) => void;

export class InheritedListeners {
  readonly #sockets: InheritedSockets;
  readonly #byFd = new Map<number, KeptListener>();

  constructor(sockets: InheritedSockets) {
    this.#sockets = sockets;
  }

  /** On the socket that was passed in for `address`, else on one of its own. */
  create(address: ListenAddress, onSocket: OnSocket): OpenSocket {
    const fd = this.#sockets.fdFor(address);
    if (fd === null) return new Listener(address, onSocket);
    const kept = this.#byFd.get(fd) ?? new KeptListener(address, fd);
    this.#byFd.set(fd, kept);
    return new Tenancy(kept, onSocket);
  }

  /** Stops accepting, for good: who connects from now on waits for the next process that holds the socket. */
  close(): void {
    for (const kept of this.#byFd.values()) kept.close();
  }
}

/** Accepts for its last tenant. */
class KeptListener {
  readonly #listener: Listener;
  readonly tenants = new Set<OnSocket>();
  #opening: Promise<void> | null = null;

  constructor(address: ListenAddress, fd: number) {
    const accept: OnSocket = (socket) => {
      const tenant = [...this.tenants].at(-1);
      if (tenant !== undefined) tenant(socket);
      else socket.on('error', () => {}).resetAndDestroy();
    };
    this.#listener = new Listener(address, accept, async () => ({ fd }));
  }

  get bound(): Listener['bound'] {
    return this.#listener.bound;
  }

  open(): Promise<void> {
    this.#opening ??= this.#listener.open();
    return this.#opening;
  }

  close(): void {
    this.#listener.close();
  }
}

/** From one configuration that has the address to the next that has it not. */
class Tenancy implements OpenSocket {
  readonly #kept: KeptListener;
  readonly #onSocket: OnSocket;

  constructor(kept: KeptListener, onSocket: OnSocket) {
    this.#kept = kept;
    this.#onSocket = onSocket;
  }

  get bound(): Listener['bound'] {
    return this.#kept.bound;
  }

  async open(): Promise<void> {
    await this.#kept.open();
    this.#kept.tenants.add(this.#onSocket);
  }

  close(): void {
    this.#kept.tenants.delete(this.#onSocket);
  }
}
