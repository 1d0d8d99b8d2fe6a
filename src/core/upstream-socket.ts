// A socket to an upstream on which a write that meets a reset does not end the reading: an upstream that answers early and
// closes resets what is still on its way to it, while its answer waits here to be read (RFC 9112 section 9.5).
import { type NetConnectOpts, type OnReadOpts, Socket } from 'node:net';
import { codeOf } from './errors.ts';

/** Opens a socket that reads into `onread`, or hands over one that is open already (`connecting` is false then). */
export type SocketOpener = (onread: OnReadOpts) => Socket;

/** Connections in the clear to `address`. */
export function plainOpener(address: NetConnectOpts): SocketOpener {
  return (onread) => {
    const socket = new UpstreamSocket({
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_DELAY_MS,
      allowHalfOpen: true,
      onread,
    });
    return socket.connect(address);
  };
}

/** Silence after which the system asks whether the upstream is still there. */
export const KEEP_ALIVE_DELAY_MS = 60_000;

export type WriteDone = (error?: Error | null) => void;

/** The end of a socket's writes, which a stream makes one after another. */
export class LastWrite {
  readonly #socket: Socket;
  #done: WriteDone | null = null;
  /** To be given to Node as the callback of each write. */
  readonly onWritten: WriteDone = (error) => {
    const done = this.#done;
    this.#done = null;
    // No more is written then, and reading on comes to an 'end' or 'error' after what is left; unless it already has.
    if (error && !this.#socket.readableEnded && (codeOf(error) === 'EPIPE' || codeOf(error) === 'ECONNRESET')) return;
    done?.(error);
  };

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  begin(done: WriteDone): WriteDone {
    this.#done = done;
    return this.onWritten;
  }
}

export class UpstreamSocket extends Socket {
  readonly #last = new LastWrite(this);

  override _write(chunk: unknown, encoding: BufferEncoding, done: WriteDone): void {
    super._write(chunk, encoding, this.#last.begin(done));
  }

  override _writev(chunks: { chunk: unknown; encoding: BufferEncoding }[], done: WriteDone): void {
    super._writev!(chunks, this.#last.begin(done));
  }
}
