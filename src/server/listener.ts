// One listening socket: opens, hands on accepted connections, closes. Its errors say what, where, why and what to do.
import { type AddressInfo, createServer, type Server as NetServer, type Socket } from 'node:net';
import type { ListenAddress } from '../config/config.ts';
import { showAddress } from '../config/listen.ts';
import { codeOf, messageOf, PerantaraError } from '../core/errors.ts';

const BACKLOG = 4096;

/** What `listen` takes in place of an address: an open descriptor, or the handle of a socket that another process has bound. */
export type BoundSocket = { readonly fd: number } | { readonly handle: object };

export class Listener {
  readonly #address: ListenAddress;
  readonly #boundSocket: (() => Promise<BoundSocket>) | null;
  readonly #server: NetServer;

  /** `boundSocket`: where it comes from when somebody else has bound it. Default: it is bound here. */
  constructor(
    address: ListenAddress,
    onSocket: (socket: Socket) => void,
    boundSocket: (() => Promise<BoundSocket>) | null = null,
  ) {
    this.#address = address;
    this.#boundSocket = boundSocket;
    // Half-open: whether a client that closes its side still waits for the answer, the connection decides.
    this.#server = createServer({ allowHalfOpen: true, noDelay: true, keepAlive: true }, onSocket);
  }

  /** The bound address; only while listening. */
  get bound(): AddressInfo {
    return this.#server.address() as AddressInfo;
  }

  /** Rejects with PerantaraError `listen_in_use`, `listen_denied` or `listen_failed`. */
  async open(): Promise<void> {
    const { host, port } = this.#address;
    const bound = await this.#boundSocket?.();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const server = this.#server;
    server.once('error', reject);
    if (bound === undefined) server.listen({ port, backlog: BACKLOG, ...(host === null ? {} : { host }) }, resolve);
    else if ('fd' in bound) server.listen({ ...bound, backlog: BACKLOG }, resolve);
    else server.listen(bound.handle, BACKLOG, resolve);
    try {
      await promise;
    } catch (error) {
      throw listenError(this.#address, error);
    } finally {
      server.off('error', reject);
    }
    server.on('error', () => {}); // out of file descriptors, libuv closes what it cannot take
  }

  /** Stops accepting; accepted connections live on. Resolves when they have ended, too. */
  close(): Promise<void> {
    return new Promise((resolve) => void this.#server.close(() => resolve()));
  }
}

export function listenError(address: ListenAddress, cause: unknown): PerantaraError {
  const { position } = address;
  const where = showAddress(address);
  const make = (code: string, why: string): PerantaraError =>
    new PerantaraError(`${position}: cannot listen on "${where}": ${why}`, { code, source: 'operator', cause });
  switch (codeOf(cause)) {
    case 'EADDRINUSE':
      return make(
        'listen_in_use',
        'the port is in use by another program; stop it, or choose another port under "listen"',
      );
    case 'EACCES':
      return make(
        'listen_denied',
        `permission denied for a port below 1024; have systemd pass the port (perantara.socket), start as root with "user" in the ` +
          `configuration, allow it with "sudo setcap cap_net_bind_service=+ep ${process.execPath}", ` +
          `with "AmbientCapabilities=CAP_NET_BIND_SERVICE" in the systemd unit, with ` +
          `"sudo sysctl net.ipv4.ip_unprivileged_port_start=80", or choose a port from 1024 up`,
      );
    case 'EADDRNOTAVAIL':
      return make('listen_failed', 'this machine does not have that address; use ":PORT" for every address');
    default:
      return make('listen_failed', messageOf(cause));
  }
}
