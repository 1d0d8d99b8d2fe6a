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
      keepAliveInitialDelay: 60_000,
      allowHalfOpen: true,
      onread,
    });
    return socket.connect(address);
  };
}

type Done = (error?: Error | null) => void;

export class UpstreamSocket extends Socket {
  #done: Done | null = null;
  /** One for all writes: a stream makes them one after another. */
  readonly #onWritten: Done = (error) => {
    const done = this.#done;
    this.#done = null;
    // No more is written then, and reading on comes to an 'end' or 'error' after what is left; unless it already has.
    if (error && !this.readableEnded && (codeOf(error) === 'EPIPE' || codeOf(error) === 'ECONNRESET')) return;
    done?.(error);
  };

  override _write(chunk: unknown, encoding: BufferEncoding, done: Done): void {
    this.#done = done;
    super._write(chunk, encoding, this.#onWritten);
  }

  override _writev(chunks: { chunk: unknown; encoding: BufferEncoding }[], done: Done): void {
    this.#done = done;
    super._writev!(chunks, this.#onWritten);
  }
}
