// A TLS socket to an upstream. What it says is believed only after its certificate has been: Node decides that at
// 'secureConnect', and nothing may be written before. No session is kept, so that none can be resumed past that check
// (CVE-2026-48934, CVE-2026-58040). An end that TLS has not been told of is an error: content could have been cut off
// (RFC 8446 section 6.1). Node does not tell it from a proper end; this reads it off Node's insides, and where they differ
// from those known here, every end is an error.
import { isIP, type NetConnectOpts, type OnReadOpts } from 'node:net';
import { type ConnectionOptions, checkServerIdentity, connect, type SecureContext, type TLSSocket } from 'node:tls';
import { getSystemErrorMap } from 'node:util';
import { KEEP_ALIVE_DELAY_MS, LastWrite, type WriteDone } from './upstream-socket.ts';

export interface SecurePlace {
  readonly address: NetConnectOpts;
  /** The name that is asked for and that the certificate must be for; an IP address is not asked for. */
  readonly servername: string;
  readonly context: SecureContext;
  /** False: whoever answers is believed. */
  readonly verify: boolean;
}

interface Readable {
  readStart?(): number;
}

interface Handle {
  /** Whether more has been asked for. */
  readonly reading?: boolean;
  /** What carries the encrypted bytes. */
  readonly _parent?: Readable;
}

/** What reading says that is reading already. */
const ALREADY = [...getSystemErrorMap()].find(([, [name]]) => name === 'EALREADY')?.[0];

/** `protocols`: what is offered by ALPN, the preferred first. */
export function connectSecure(place: SecurePlace, protocols: readonly string[], onread: OnReadOpts): TLSSocket {
  const { address, servername, context, verify } = place;
  const options: ConnectionOptions & { allowHalfOpen: true; onread: OnReadOpts } = {
    ...address,
    ...(isIP(servername) === 0 ? { servername } : {}),
    secureContext: context,
    ALPNProtocols: [...protocols],
    rejectUnauthorized: verify,
    checkServerIdentity: (_, certificate) => checkServerIdentity(servername, certificate),
    allowHalfOpen: true,
    onread,
  };
  const socket = connect(options);
  socket.setNoDelay(true);
  socket.setKeepAlive(true, KEEP_ALIVE_DELAY_MS);
  readOnAfterResets(socket);
  socket.once('secureConnect', () => refuseCuts(socket));
  return socket;
}

/** As UpstreamSocket does; Node makes these itself. */
function readOnAfterResets(socket: TLSSocket): void {
  const last = new LastWrite(socket);
  const { _write: write, _writev: writev } = socket;
  socket._write = (chunk: unknown, encoding: BufferEncoding, done: WriteDone) =>
    write.call(socket, chunk, encoding, last.begin(done));
  socket._writev = (chunks, done) => writev!.call(socket, chunks, last.begin(done));
}

function refuseCuts(socket: TLSSocket): void {
  const { push } = socket;
  socket.push = (chunk: unknown, encoding?: BufferEncoding): boolean => {
    if (chunk !== null || isClosedByPeer(socket)) return push.call(socket, chunk, encoding);
    socket.destroy(new Error('it was cut off without the end of TLS (close_notify)'));
    return false;
  };
}

/**
 * Whether the end that is being told came through TLS. The carrier is still being read then; it has just stopped if the
 * end is its own. If nothing was asked for, its end cannot have been noticed.
 */
function isClosedByPeer(socket: TLSSocket): boolean {
  const handle = (socket as unknown as { _handle: Handle | null })._handle;
  if (handle === null || ALREADY === undefined) return false;
  return handle.reading === false || handle._parent?.readStart?.() === ALREADY;
}
