// A TCP socket as a service manager holds it: bound here, listened on and accepted from only by those it is passed to.
import net from 'node:net';

export interface HeldSocket {
  readonly fd: number;
  readonly port: number;
  close(): void;
}

interface Handle {
  readonly fd: number;
  getsockname(name: object): number;
  close(): void;
}

/** What cluster's primary makes of an address. */
const bind = (net as unknown as { _createServerHandle(host: string, port: number, family: 4 | 6): Handle | number })
  ._createServerHandle;

/** `port`: 0 lets the system choose. */
export function holdSocket(host = '127.0.0.1', port = 0): HeldSocket {
  const handle = bind(host, port, net.isIPv6(host) ? 6 : 4);
  if (typeof handle === 'number') throw new Error(`cannot bind ${host}:${port}: ${handle}`);
  const name = { port: 0 };
  handle.getsockname(name);
  return { fd: handle.fd, port: name.port, close: () => handle.close() };
}
