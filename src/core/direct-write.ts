// Writes of text straight to a plain socket's handle: no queue, callback or tick for each of them, which a stream in front of
// a socket that takes everything at once does not need (6 % of a proxied request, measured). Node has no public way. This does
// what Node 26 was seen doing when it started; where Node does otherwise, nothing is written and the stream has to.
import { Socket } from 'node:net';

/** A write that goes on, as the handle returns it. */
interface WriteRequest {
  oncomplete: (status: number) => void;
  /** How it ended, if it has already; else null. */
  readonly writeStatus: number | null;
}

interface WritableHandle {
  /** Zero, libuv's (negative) error number, or the write that goes on. */
  writeLatin1String?(request: null, text: string): number | WriteRequest;
}

const IS_KNOWN = nodeLetsHandlesMakeRequests();

export class DirectWrite {
  readonly #socket: Socket;
  readonly #onFailed: (status: number) => void;
  #isGoing = false;

  /** `onFailed`: told of a write that went on and then failed, with libuv's error number. */
  constructor(socket: Socket, onFailed: (status: number) => void) {
    this.#socket = socket;
    this.#onFailed = onFailed;
  }

  /**
   * Whether the system has the text, or will get it before anything that is written later. If not, nothing has been written:
   * the stream is to write it, and meets what is wrong.
   */
  text(text: string): boolean {
    const socket = this.#socket;
    const handle = (socket as unknown as { _handle: WritableHandle | null })._handle;
    if (!IS_KNOWN || this.#isGoing || typeof handle?.writeLatin1String !== 'function') return false;
    if (socket.connecting || socket.writableLength > 0 || socket.writableCorked > 0 || !socket.writable) return false;
    const result = handle.writeLatin1String(null, text);
    if (typeof result !== 'number') this.#goesOn(result);
    return result === 0 || this.#isGoing;
  }

  #goesOn(request: WriteRequest): void {
    this.#isGoing = true;
    request.oncomplete = (status) => {
      this.#isGoing = false;
      if (status < 0) this.#onFailed(status);
    };
    if (request.writeStatus !== null) request.oncomplete(request.writeStatus);
  }
}

/** Whether Node writes without a request of its own, which older handles would not survive. */
function nodeLetsHandlesMakeRequests(): boolean {
  let request: unknown;
  const handle = {
    writeLatin1String: (given: unknown): number => {
      request = given;
      return 0;
    },
    close: () => {},
  };
  try {
    new Socket({ handle, manualStart: true } as object).write('x', 'latin1');
  } catch {
    return false;
  }
  return request === null;
}
