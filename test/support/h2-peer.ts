// One raw end of an HTTP/2 connection in a test, client or origin: sends frames, broken ones too, remembers those that came,
// and waits for more. How to connect one: h2-client.ts, h2-origin.ts.
import type { Socket } from 'node:net';
import {
  ACK,
  type Bytes,
  CONTINUATION,
  DATA,
  data,
  END_HEADERS,
  type Frame,
  FrameCutter,
  frame,
  GOAWAY,
  HEADER_TABLE_SIZE,
  HEADERS,
  PING,
  PREFACE,
  PUSH_PROMISE,
  ping,
  SETTINGS,
  type Setting,
  settings,
  settingsAck,
  windowUpdate,
} from './h2-frames.ts';
import { HeaderDecoder } from './h2-header-decoder.ts';
import { type Block, headers } from './h2-headers.ts';
import { H2Message } from './h2-message.ts';

/** No wait of a test is longer; a wait that long is a failure. */
const PATIENCE_MS = 20_000;

/** What a peer does by itself when something comes. */
export interface Habits {
  /** Acknowledges SETTINGS. */
  acknowledge: boolean;
  /** Answers PING. */
  pong: boolean;
  /** Gives back the window of all content that comes, of stream and connection, at once. */
  returnWindow: boolean;
}

export interface GoAway {
  readonly lastStream: number;
  readonly code: Frame['code'];
  readonly debug: string;
}

export class H2Peer {
  readonly socket: Socket;
  /** May be changed at any time. */
  readonly habits: Habits;
  /** All that came, in order. */
  readonly frames: Frame[] = [];
  /** How the other side ended: FIN, or anything else that closes a connection. */
  ended: 'no' | 'fin' | 'reset' = 'no';
  closed = false;
  /** Why what came can't be read; waits are over with it. */
  broken: Error | null = null;
  readonly #isOrigin: boolean;
  readonly #cutter = new FrameCutter();
  readonly #decoder = new HeaderDecoder();
  readonly #messages = new Map<number, H2Message>();
  /** What a client has sent of its preface; an origin's peer only. */
  #preface: Buffer = Buffer.alloc(0);
  /** HEADERS or PUSH_PROMISE whose block is not whole, and its fragments. */
  #open: Frame | null = null;
  #fragments: Buffer[] = [];
  #tableBytes: number[] = [];
  #pings = 0;
  #changed = Promise.withResolvers<void>();

  /** `side`: which one this peer is. */
  constructor(socket: Socket, side: 'client' | 'origin', habits: Partial<Habits> = {}) {
    this.socket = socket;
    this.#isOrigin = side === 'origin';
    this.habits = { acknowledge: true, pong: true, returnWindow: true, ...habits };
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('end', () => this.#end('fin'));
    socket.on('error', () => this.#end('reset'));
    socket.on('close', () => {
      this.closed = true;
      this.#end('reset');
    });
  }

  /** All in one write. Resolves when the bytes have been handed to the system, or never can be; need not be waited for. */
  async send(...pieces: readonly Bytes[]): Promise<void> {
    const all = Buffer.concat(
      pieces.map((piece) => (Buffer.isBuffer(piece) ? piece : Buffer.from(piece as string, 'latin1'))),
    );
    if (!this.socket.writable) return;
    await new Promise<void>((resolve) => this.socket.write(all, () => resolve()));
  }

  /** Any frame; `length`: what its head says when that is not what follows. */
  frame(type: number, flags: number, stream: number, payload: Bytes = '', length?: number): Promise<void> {
    return this.send(frame(type, flags, stream, payload, length));
  }

  /** A whole header block; `flags` beside END_HEADERS. `pieceBytes`: see `headers` of h2-headers.ts. */
  headers(stream: number, fields: Block, flags = 0, pieceBytes?: number): Promise<void> {
    return this.send(headers(stream, fields, flags, pieceBytes));
  }

  data(stream: number, content: Bytes = '', flags = 0): Promise<void> {
    return this.send(data(stream, content, flags));
  }

  settings(...list: readonly Setting[]): Promise<void> {
    const sizes = list.filter(([id]) => id === HEADER_TABLE_SIZE).map(([, value]) => value);
    this.#tableBytes.push(sizes.at(-1) ?? -1);
    return this.send(settings(...list));
  }

  /** What has come on this stream so far. */
  stream(id: number): H2Message {
    const known = this.#messages.get(id) ?? new H2Message(id);
    this.#messages.set(id, known);
    return known;
  }

  /** The last GOAWAY so far. */
  get goaway(): GoAway | null {
    const last = this.frames.findLast(({ type }) => type === GOAWAY);
    if (last === undefined) return null;
    const debug = last.payload.toString('latin1', 8);
    return { lastStream: last.payload.readUInt32BE(0) & 0x7fff_ffff, code: last.code, debug };
  }

  /** The code of the RST_STREAM that came for this stream. */
  rst(id: number): Frame['code'] | null {
    return this.#messages.get(id)?.reset ?? null;
  }

  /** What came, a frame a line. */
  get story(): string {
    const lines = this.frames.slice(-40).map((came) => {
      const fields = came.fields === null ? '' : ` ${JSON.stringify(came.fields)}`;
      return came.toString() + fields.slice(0, 300);
    });
    return [...lines, `ended: ${this.ended}`].join('\n');
  }

  /** Waits until `check` holds; rejects with the story when it never does. */
  async when(check: () => boolean, what = String(check)): Promise<void> {
    let isLate = false;
    const patience = setTimeout(() => {
      isLate = true;
      this.#wake();
    }, PATIENCE_MS);
    try {
      while (!check()) {
        const cause = this.broken ?? undefined;
        if (this.ended !== 'no' || isLate || cause !== undefined)
          throw new Error(`waited in vain for ${what}; ${cause?.message ?? ''}\n${this.story}`, { cause });
        await this.#changed.promise;
      }
    } finally {
      clearTimeout(patience);
    }
  }

  /** The first such frame, of those that came after `from` others. */
  async until(isWanted: (came: Frame) => boolean, what = String(isWanted), from = 0): Promise<Frame> {
    let at = from;
    let found: Frame | undefined;
    const look = (): boolean => {
      for (; at < this.frames.length && found === undefined; at++)
        if (isWanted(this.frames[at]!)) found = this.frames[at];
      return found !== undefined;
    };
    await this.when(look, what);
    return found!;
  }

  /** Resolves with the head on this stream, once it has come. */
  async head(id: number): Promise<H2Message> {
    const message = this.stream(id);
    const isThere = () => message.fields !== null || message.reset !== null;
    await this.when(isThere, `a head on stream ${id}`);
    if (message.fields === null) throw new Error(`stream ${id} was reset: ${message.reset}\n${this.story}`);
    return message;
  }

  /** Resolves with the whole message on this stream; rejects when it is reset before its end. */
  async message(id: number): Promise<H2Message> {
    const message = this.stream(id);
    await this.when(() => message.ended || message.reset !== null, `the end of stream ${id}`);
    if (!message.ended) throw new Error(`stream ${id} was reset: ${message.reset}\n${this.story}`);
    return message;
  }

  /** The whole response on this stream, as `message`. */
  response(id: number): Promise<H2Message> {
    return this.message(id);
  }

  /** Waits for RST_STREAM; resolves with its code. */
  async resetOf(id: number): Promise<Frame['code']> {
    await this.when(() => this.rst(id) !== null, `RST_STREAM for stream ${id}`);
    return this.rst(id)!;
  }

  /** Waits for GOAWAY. */
  async gone(): Promise<GoAway> {
    await this.when(() => this.goaway !== null, 'GOAWAY');
    return this.goaway!;
  }

  /** Waits until the other side has ended. */
  async end(): Promise<void> {
    await this.when(() => this.ended !== 'no', 'the end');
  }

  /** Resolves when the other side has seen all that was sent before: a PING there and back. */
  async roundTrip(): Promise<void> {
    const payload = `ping${String(this.#pings++).padStart(4, '0')}`;
    const from = this.frames.length;
    await this.send(ping(payload));
    const isBack = (came: Frame) => came.type === PING && came.has(ACK) && came.payload.toString('latin1') === payload;
    await this.until(isBack, `the answer to PING ${payload}`, from);
  }

  /** Closes this side. */
  finish(): void {
    this.socket.end();
  }

  destroy(): void {
    this.socket.destroy();
  }

  #read(chunk: Buffer): void {
    let rest = chunk;
    if (this.#isOrigin && this.#preface.length < PREFACE.length) {
      const all = Buffer.concat([this.#preface, chunk]);
      this.#preface = all.subarray(0, PREFACE.length);
      rest = all.subarray(this.#preface.length);
      if (!PREFACE.subarray(0, all.length).equals(this.#preface)) this.broken ??= new Error('no preface');
    }
    if (this.broken === null)
      try {
        for (const came of this.#cutter.push(rest)) {
          this.frames.push(came);
          this.#note(came);
        }
      } catch (error) {
        this.broken = error as Error;
      }
    this.#wake();
  }

  #note(came: Frame): void {
    const { type, stream } = came;
    if (type === HEADERS || type === PUSH_PROMISE || type === CONTINUATION) this.#noteBlock(came);
    else if (this.#open !== null) throw new Error(`${came} inside of a header block`);
    else if (type === SETTINGS && came.has(ACK)) this.#noteAcknowledged();
    else if (type === SETTINGS && this.habits.acknowledge) this.send(settingsAck());
    else if (type === PING && !came.has(ACK) && this.habits.pong) this.send(ping(came.payload, ACK));
    else if (stream !== 0) this.stream(stream).add(came);
    if (type === DATA && this.habits.returnWindow && came.payload.length > 0)
      this.send(windowUpdate(0, came.payload.length), windowUpdate(stream, came.payload.length));
  }

  #noteBlock(came: Frame): void {
    if ((came.type === CONTINUATION) !== (this.#open !== null)) throw new Error(`${came} out of place`);
    const opener = this.#open ?? came;
    if (opener.stream !== came.stream) throw new Error(`${came} inside of a header block`);
    this.#open = opener;
    this.#fragments.push(came.content);
    if (!came.has(END_HEADERS)) return;
    opener.fields = this.#decoder.decode(Buffer.concat(this.#fragments));
    this.#open = null;
    this.#fragments = [];
    if (opener.type === HEADERS) this.stream(opener.stream).add(opener);
  }

  #noteAcknowledged(): void {
    const tableBytes = this.#tableBytes.shift() ?? -1;
    if (tableBytes >= 0) this.#decoder.limit(tableBytes);
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
