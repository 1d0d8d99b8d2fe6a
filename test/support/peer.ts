// One raw end of a connection in a test, client or origin: sends bytes, remembers what came, and waits for more of it.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { type ConnectionOptions, connect as tlsConnect } from 'node:tls';
import { messageEnd, type ReceivedMessage, splitMessage } from './raw-message.ts';

/** No wait of a test is longer; a wait that long is a failure. */
const PATIENCE_MS = 20_000;
/** Beyond so many bytes a look at all of them is taken now and then only. */
const MANY_BYTES = 1024 * 1024;
const LONG_LOOK_MS = 20;

export class Peer {
  readonly socket: Socket;
  /** Bytes received so far. */
  received = 0;
  /** How the other side ended: FIN, or anything else that closes a connection. */
  ended: 'no' | 'fin' | 'reset' = 'no';
  closed = false;
  #text = '';
  /** What came since `text` was last looked at: joining a long text for each piece takes longer than the test. */
  #pieces: string[] = [];
  #readTo = 0;
  #changed = Promise.withResolvers<void>();
  readonly #reset: () => void;
  readonly #raw: Socket;

  /** `raw`: what carries the socket where that is TLS. */
  constructor(socket: Socket, reset: () => void = () => socket.resetAndDestroy(), raw: Socket = socket) {
    this.socket = socket;
    this.#reset = reset;
    this.#raw = raw;
    socket.on('data', (chunk: Buffer) => {
      this.#pieces.push(chunk.toString('latin1'));
      this.received += chunk.length;
      this.#wake();
    });
    socket.on('end', () => this.#end('fin'));
    socket.on('error', () => this.#end('reset'));
    socket.on('close', () => {
      this.closed = true;
      this.#end('reset');
    });
  }

  /** Everything received so far, one character per byte. */
  get text(): string {
    if (this.#pieces.length > 0) this.#text += this.#pieces.join('');
    this.#pieces = [];
    return this.#text;
  }

  /** Throws away what has come. */
  forget(): void {
    this.#pieces = [];
    this.#text = '';
  }

  /** Strings are latin1. Resolves when the bytes have been handed to the system. */
  async send(...pieces: readonly (string | Buffer)[]): Promise<void> {
    for (const piece of pieces) {
      const bytes = typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece;
      await new Promise<void>((resolve) => this.socket.write(bytes, () => resolve()));
    }
  }

  /** Waits until `check` holds; rejects with what has come when it never does. */
  async when(check: () => boolean, what = String(check)): Promise<void> {
    let isLate = false;
    const patience = setTimeout(() => {
      isLate = true;
      this.#wake();
    }, PATIENCE_MS);
    try {
      while (!check()) {
        if (this.ended !== 'no' || isLate) {
          throw new Error(`waited in vain for ${what}; ${this.ended}, got ${JSON.stringify(this.text.slice(-2_000))}`);
        }
        await this.#changed.promise;
        if (this.received > MANY_BYTES && this.ended === 'no') await delay(LONG_LOOK_MS);
      }
    } finally {
      clearTimeout(patience);
    }
  }

  /** Waits for this text; resolves with everything received. */
  async until(wanted: string | RegExp): Promise<string> {
    const found = () => (typeof wanted === 'string' ? this.text.includes(wanted) : wanted.test(this.text));
    await this.when(found, String(wanted));
    return this.text;
  }

  /** Waits until the other side has ended; resolves with everything received. */
  async end(): Promise<string> {
    await this.when(() => this.ended !== 'no', 'the end');
    return this.text;
  }

  /** The next message not yet read by this method, with its content. `bodyless`: it has none whatever it declares. */
  async message(bodyless = false): Promise<ReceivedMessage> {
    const from = this.#readTo;
    let end = -1;
    const isWhole = () => {
      end = messageEnd(this.text, from, bodyless, this.ended !== 'no');
      return end !== -1;
    };
    await this.when(isWhole, 'a whole message');
    this.#readTo = end;
    return splitMessage(this.text.slice(from, end));
  }

  /** What came after the messages read. */
  get rest(): string {
    return this.text.slice(this.#readTo);
  }

  /** Closes this side. */
  finish(): void {
    this.socket.end();
  }

  /** Closes this side without a word of TLS. */
  cut(): void {
    this.#raw.end();
  }

  /** Breaks the connection with RST. */
  reset(): void {
    this.#reset();
  }

  destroy(): void {
    this.socket.destroy();
  }

  #end(how: 'fin' | 'reset'): void {
    if (this.ended === 'no') this.ended = how;
    this.#wake();
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}

/** A TLS client that is connected, or rejects with the handshake's error. */
export async function connectSecure(port: number, options: ConnectionOptions = {}): Promise<Peer> {
  const raw = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  const defaults = { servername: 'app.localhost', rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] };
  const socket = tlsConnect({ socket: raw, ...defaults, ...options });
  await once(socket, 'secureConnect');
  return new Peer(socket, () => raw.resetAndDestroy(), raw);
}

export async function connectPlain(port: number): Promise<Peer> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  await once(socket, 'connect');
  return new Peer(socket);
}
