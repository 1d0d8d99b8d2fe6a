// A TCP socket that is bound and does not listen yet: what a primary can hand to a worker, and keep open when that dies. Node has no
// documented way to one; this is what its own `cluster` does it with.
import net, { isIPv6 } from 'node:net';
import { getSystemErrorName } from 'node:util';

/** Of a TCP handle, as far as it is used here. */
export interface BoundHandle {
  getsockname(into: { address?: string; port?: number; family?: string }): number;
  close(): void;
}

type CreateServerHandle = (
  address: string | null,
  port: number,
  addressType: 4 | 6 | -1,
  fd: number | undefined,
  flags: number,
) => BoundHandle | number;

/** UV_TCP_REUSEPORT: the kernel shares connections out among the sockets of an address (SO_REUSEPORT). */
const REUSE_PORT = 2;

/** Of a socket that is bound already; to be called once for each descriptor. Throws a system error. */
export function handleOn(fd: number): BoundHandle {
  const handle = createServerHandle(null, 0, -1, fd, 0);
  if (typeof handle !== 'number') return handle;
  throw systemError(getSystemErrorName(handle), `descriptor ${fd}`);
}

/** The first connection to a socket of an address goes to whichever; `address`: an IP address. Throws a system error. */
export function bindShared(address: string, port: number): BoundHandle {
  const handle = createServerHandle(address, port, isIPv6(address) ? 6 : 4, undefined, REUSE_PORT);
  const place = `${address}:${port}`;
  if (typeof handle === 'number') throw systemError(getSystemErrorName(handle), place);
  if (port === 0 || portOf(handle) === port) return handle;
  // libuv keeps this error for `listen`, which another process calls: there the socket would come by any port instead.
  handle.close();
  throw systemError('EADDRINUSE', place);
}

function createServerHandle(...args: Parameters<CreateServerHandle>): BoundHandle | number {
  const { _createServerHandle: create } = net as unknown as { readonly _createServerHandle: CreateServerHandle };
  return create(...args);
}

function portOf(handle: BoundHandle): number {
  const name = { port: 0 };
  handle.getsockname(name);
  return name.port;
}

function systemError(code: string, place: string): Error {
  return Object.assign(new Error(`bind ${code} ${place}`), { code });
}
