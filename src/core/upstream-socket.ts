// A socket to an upstream on which a write that meets a reset does not end the reading: an upstream that answers early and
// closes resets what is still on its way to it, while its answer waits here to be read (RFC 9112 section 9.5).
import { type NetConnectOpts, type OnReadOpts, Socket } from 'node:net';
import { getSystemErrorName } from 'node:util';
import { DirectWrite } from './direct-write.ts';
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
    socket.connect(address);
    socket.write = UpstreamSocket.prototype.write; // connect has put Socket's own in its place
    return socket;
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
    if (error && this.#isReadOn(codeOf(error))) return;
    done?.(error);
  };

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  begin(done: WriteDone): WriteDone {
    this.#done = done;
    return this.onWritten;
  }

  /** A write past the stream has failed, with libuv's error number. */
  fail(status: number): void {
    const code = getSystemErrorName(status);
    if (this.#isReadOn(code)) return;
    this.#socket.destroy(Object.assign(new Error(`write ${code}`), { code, errno: status, syscall: 'write' }));
  }

  /** No more is written then, and reading on comes to an 'end' or 'error' after what is left; unless it already has. */
  #isReadOn(code: string | undefined): boolean {
    return !this.#socket.readableEnded && (code === 'EPIPE' || code === 'ECONNRESET');
  }
}

export class UpstreamSocket extends Socket {
  readonly #last = new LastWrite(this);
  readonly #direct = new DirectWrite(this, (status) => this.#last.fail(status));

  /** Text without a callback goes past the stream where nothing waits in it: heads with little content, most of all writes. */
  override write(chunk: unknown, encoding?: unknown, done?: unknown): boolean {
    if (encoding === 'latin1' && typeof chunk === 'string' && done === undefined && this.#direct.text(chunk))
      return true;
    return super.write(chunk as string, encoding as BufferEncoding, done as WriteDone);
  }

  override _write(chunk: unknown, encoding: BufferEncoding, done: WriteDone): void {
    super._write(chunk, encoding, this.#last.begin(done));
  }

  override _writev(chunks: { chunk: unknown; encoding: BufferEncoding }[], done: WriteDone): void {
    super._writev!(chunks, this.#last.begin(done));
  }
}
