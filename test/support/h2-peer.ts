// One raw end of an HTTP/2 connection in a test, client or origin: sends frames, broken ones too, remembers those that came,
// and waits for more. How to connect one: h2-client.ts, h2-origin.ts.
import type { Socket } from 'node:net';
import {
  ACK,
  type Bytes,
  bytes,
  DATA,
  data,
  END_STREAM,
  type Frame,
  FrameCutter,
  frame,
  PING,
  PREFACE,
  ping,
  SETTINGS,
  type Setting,
  settings,
  settingsAck,
  windowUpdate,
} from './h2-frames.ts';
import { type Block, headers } from './h2-headers.ts';
import { type GoAway, H2Inbox } from './h2-inbox.ts';
import type { H2Message } from './h2-message.ts';
import { H2Referee } from './h2-referee.ts';

/** No wait of a test is longer; a wait that long is a failure. */
const PATIENCE_MS = 20_000;

const NOTHING: Buffer = Buffer.alloc(0);

/** What a peer does by itself when something comes. */
export interface Habits {
  /** Acknowledges SETTINGS. */
  acknowledge: boolean;
  /** Answers PING. */
  pong: boolean;
  /** Gives back the window of all content that comes, of stream and connection, at once. */
  returnWindow: boolean;
}

export class H2Peer {
  readonly socket: Socket;
  /** May be changed at any time. */
  readonly habits: Habits;
  /** How the other side ended: FIN, or anything else that closes a connection. */
  ended: 'no' | 'fin' | 'reset' = 'no';
  closed = false;
  /** Why what came can't be read; waits are over with it. */
  broken: Error | null = null;
  /** What the other side did against the RFC, in its own frames. */
  readonly referee: H2Referee;
  readonly #inbox: H2Inbox;
  /** Of what this side sends; bytes that are no frames it misunderstands. */
  readonly #cutter = new FrameCutter();
  /** What is not sent yet of a preface, if one is. */
  #preface: Buffer;
  /** Stream, 0 for the connection → window to give back. */
  readonly #owed = new Map<number, number>();
  #pings = 0;
  #changed = Promise.withResolvers<void>();

  /** `side`: which one this peer is. */
  constructor(socket: Socket, side: 'client' | 'origin', habits: Partial<Habits> = {}) {
    this.socket = socket;
    this.habits = { acknowledge: true, pong: true, returnWindow: true, ...habits };
    this.#preface = side === 'client' ? PREFACE : NOTHING;
    this.#inbox = new H2Inbox(side === 'origin');
    this.referee = new H2Referee(side);
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
    const all = Buffer.concat(pieces.map(bytes));
    this.#note(all);
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
    return this.send(settings(...list));
  }

  /** All that came, in order. */
  get frames(): readonly Frame[] {
    return this.#inbox.frames;
  }

  /** What has come on this stream so far. */
  stream(id: number): H2Message {
    return this.#inbox.stream(id);
  }

  /** The last GOAWAY so far. */
  get goaway(): GoAway | null {
    return this.#inbox.goaway;
  }

  /** The code of the RST_STREAM that came for this stream. */
  rst(id: number): Frame['code'] | null {
    return this.stream(id).reset;
  }

  /** What came, a frame a line. */
  get story(): string {
    return `${this.#inbox.story}\nended: ${this.ended} ${this.broken?.message ?? ''}`;
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
        if (this.ended !== 'no' || isLate || this.broken !== null)
          throw new Error(`waited in vain for ${what};\n${this.story}`, { cause: this.broken ?? undefined });
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
      for (; at < this.frames.length && found === undefined; at++) {
        if (isWanted(this.frames[at]!)) found = this.frames[at];
      }
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

  #note(sent: Buffer): void {
    const preface = sent.subarray(0, this.#preface.length);
    const isPreface = this.#preface.subarray(0, preface.length).equals(preface);
    this.#preface = isPreface ? this.#preface.subarray(preface.length) : NOTHING;
    for (const frame of this.#cutter.push(isPreface ? sent.subarray(preface.length) : sent)) {
      this.referee.sent(frame);
      if (frame.type === SETTINGS && !frame.has(ACK)) this.#inbox.settingsSent(frame);
    }
  }

  #read(chunk: Buffer): void {
    try {
      if (this.broken === null)
        for (const came of this.#inbox.push(chunk)) {
          this.referee.came(came);
          this.#answer(came);
        }
      for (const [stream, received] of this.#owed) this.send(windowUpdate(stream, received));
      this.#owed.clear();
    } catch (error) {
      this.broken = error as Error;
      this.referee.complaints.push(this.broken.message);
    }
    this.#wake();
  }

  #answer(came: Frame): void {
    const { type, stream, payload } = came;
    if (type === SETTINGS && !came.has(ACK) && this.habits.acknowledge) this.send(settingsAck());
    if (type === PING && !came.has(ACK) && this.habits.pong) this.send(ping(payload, ACK));
    if (type === DATA && this.habits.returnWindow && payload.length > 0) {
      this.#owe(0, payload.length);
      if (!came.has(END_STREAM)) this.#owe(stream, payload.length);
    }
  }

  #owe(stream: number, received: number): void {
    this.#owed.set(stream, (this.#owed.get(stream) ?? 0) + received);
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
