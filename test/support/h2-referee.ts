// Watches an HTTP/2 connection of a test for what the other side does against RFC 9113 in frames of its own: sizes, windows,
// streams' states. What its messages say is judged by h2-message-rules.ts.
import {
  ACK,
  CONTINUATION,
  DATA,
  ENABLE_PUSH,
  END_STREAM,
  type Frame,
  GOAWAY,
  HEADERS,
  INITIAL_WINDOW_SIZE,
  MAX_CONCURRENT_STREAMS,
  MAX_FRAME_SIZE,
  PADDED,
  PING,
  PRIORITY,
  PUSH_PROMISE,
  RST_STREAM,
  SETTINGS,
  WINDOW_UPDATE,
} from './h2-frames.ts';
import { MessageRules } from './h2-message-rules.ts';

/** Lengths of payloads that are fixed (RFC 9113 section 6). */
const LENGTHS: ReadonlyMap<number, number> = new Map([
  [PRIORITY, 5],
  [RST_STREAM, 4],
  [PING, 8],
  [WINDOW_UPDATE, 4],
]);
const MAX_WINDOW = 2 ** 31 - 1;

/** One value of our SETTINGS: until they are acknowledged, the other side may go by the old or by the new. */
class Limit {
  readonly #values: number[];

  constructor(initial: number) {
    this.#values = [initial];
  }

  sent(value: number | undefined): void {
    this.#values.push(value ?? this.#values.at(-1)!);
  }

  acknowledged(): void {
    if (this.#values.length > 1) this.#values.shift();
  }

  get most(): number {
    return Math.max(...this.#values);
  }
}

interface StreamState {
  /** Bytes of DATA that came, and that WINDOW_UPDATE has allowed. */
  consumed: number;
  granted: number;
  /** Who has sent HEADERS, END_STREAM, RST_STREAM: we or they. */
  weOpened: boolean;
  theyOpened: boolean;
  weEnded: boolean;
  theyEnded: boolean;
  weReset: boolean;
  theyReset: boolean;
}

export class H2Referee {
  readonly complaints: string[] = [];
  readonly #isClient: boolean;
  readonly #rules: MessageRules;
  readonly #streams = new Map<number, StreamState>();
  readonly #window = new Limit(65_535);
  readonly #frameBytes = new Limit(16_384);
  readonly #concurrency = new Limit(Number.POSITIVE_INFINITY);
  readonly #connection = { consumed: 0, granted: 65_535 };
  #frames = 0;
  #lastStream = 0;
  #goneAt = Number.POSITIVE_INFINITY;

  /** `side`: ours. */
  constructor(side: 'client' | 'origin') {
    this.#isClient = side === 'client';
    this.#rules = new MessageRules(side, (what) => this.#say(what));
  }

  /** A frame that we sent. */
  sent(frame: Frame): void {
    const { type, stream, payload } = frame;
    if (type === SETTINGS && !frame.has(ACK)) {
      const values = new Map(frame.settings);
      this.#window.sent(values.get(INITIAL_WINDOW_SIZE));
      this.#frameBytes.sent(values.get(MAX_FRAME_SIZE));
      this.#concurrency.sent(values.get(MAX_CONCURRENT_STREAMS));
    }
    if (type === WINDOW_UPDATE && payload.length === 4) {
      const window = stream === 0 ? this.#connection : this.#stream(stream);
      window.granted += payload.readUInt32BE(0) & 0x7fff_ffff;
    }
    if (type === HEADERS) {
      this.#stream(stream).weOpened = true;
      if (this.#isClient) this.#lastStream = Math.max(stream, this.#lastStream);
      this.#rules.asked(frame);
    }
    if ((type === HEADERS || type === DATA) && frame.has(END_STREAM)) this.#stream(stream).weEnded = true;
    if (type === RST_STREAM) this.#stream(stream).weReset = true;
  }

  /** A frame that came. */
  came(frame: Frame): void {
    const { type, stream, payload } = frame;
    const say = (what: string): void => this.#say(`${frame}: ${what}`);
    if (this.#frames++ === 0 && (type !== SETTINGS || frame.has(ACK))) say('is not the SETTINGS that come first');
    if (payload.length > this.#frameBytes.most) say('is longer than our SETTINGS_MAX_FRAME_SIZE');
    const fixed = LENGTHS.get(type) ?? payload.length;
    if (payload.length !== fixed) say(`has a payload of other than ${fixed} bytes`);
    const isOfStream = [DATA, HEADERS, PRIORITY, RST_STREAM, PUSH_PROMISE, CONTINUATION].includes(type);
    if (isOfStream && stream === 0) say('belongs on a stream');
    if ([SETTINGS, PING, GOAWAY].includes(type) && stream !== 0) say('belongs on stream 0');
    if ((type === DATA || type === HEADERS) && frame.has(PADDED) && payload[0]! >= payload.length)
      say('is all padding');
    if (type === PUSH_PROMISE) say('nobody asked for');
    if (type === SETTINGS) this.#settings(frame, say);
    if (type === GOAWAY) this.#goAway(frame, say);
    if (type === WINDOW_UPDATE && payload.readUInt32BE(0) === 0) say('has an increment of 0');
    if (stream !== 0) this.#onStream(frame, say);
    if (type === DATA) this.#data(frame, say);
    this.#rules.came(frame);
  }

  #onStream(frame: Frame, say: (what: string) => void): void {
    const { type, stream } = frame;
    const state = this.#stream(stream);
    if (!this.#isClient && type === HEADERS && !state.theyOpened) this.#opened(frame, say);
    const isIdle = this.#isClient ? stream > this.#lastStream || stream % 2 === 0 : !state.theyOpened;
    if (isIdle && type !== PRIORITY) say('is on an idle stream');
    if (state.theyReset && type !== PRIORITY && type !== RST_STREAM) say('is on a stream that they have reset');
    if (state.theyEnded && (type === DATA || type === HEADERS)) say('is on a stream that they have ended');
    if ((type === HEADERS || type === DATA) && frame.has(END_STREAM)) state.theyEnded = true;
    if (type === RST_STREAM) state.theyReset = true;
  }

  #opened({ stream }: Frame, say: (what: string) => void): void {
    if (stream % 2 === 0 || stream <= this.#lastStream) say(`may not open a stream after ${this.#lastStream}`);
    this.#lastStream = Math.max(stream, this.#lastStream);
    this.#stream(stream).theyOpened = true;
    const open = [...this.#streams.values()].filter(
      ({ weEnded, theyEnded, weReset, theyReset, theyOpened }) =>
        theyOpened && !(weEnded && theyEnded) && !weReset && !theyReset,
    ).length;
    if (open > this.#concurrency.most) say(`is the ${open}th stream that is open`);
  }

  #data({ stream, payload }: Frame, say: (what: string) => void): void {
    const state = this.#stream(stream);
    state.consumed += payload.length;
    this.#connection.consumed += payload.length;
    if (payload.length === 0) return;
    const over = state.consumed - state.granted - this.#window.most;
    if (over > 0) say(`goes ${over} bytes beyond the window of the stream`);
    const overAll = this.#connection.consumed - this.#connection.granted;
    if (overAll > 0) say(`goes ${overAll} bytes beyond the window of the connection`);
  }

  #settings(frame: Frame, say: (what: string) => void): void {
    if (frame.has(ACK)) {
      if (frame.payload.length > 0) say('acknowledges with a payload');
      for (const limit of [this.#window, this.#frameBytes, this.#concurrency]) limit.acknowledged();
      return;
    }
    if (frame.payload.length % 6 !== 0) say('is cut off');
    for (const [id, value] of frame.settings) {
      if (id === ENABLE_PUSH && value !== 0) say(`says ENABLE_PUSH ${value}`);
      if (id === INITIAL_WINDOW_SIZE && value > MAX_WINDOW) say('says a window that is too large');
      if (id === MAX_FRAME_SIZE && (value < 16_384 || value > 2 ** 24 - 1)) say(`says MAX_FRAME_SIZE ${value}`);
    }
  }

  #goAway({ payload }: Frame, say: (what: string) => void): void {
    const lastStream = payload.readUInt32BE(0);
    if (lastStream > this.#goneAt) say(`raises the last stream to ${lastStream}`);
    this.#goneAt = lastStream;
  }

  #stream(id: number): StreamState {
    const known = this.#streams.get(id) ?? {
      ...{ consumed: 0, granted: 0, weOpened: false, theyOpened: false },
      ...{ weEnded: false, theyEnded: false, weReset: false, theyReset: false },
    };
    this.#streams.set(id, known);
    return known;
  }

  #say(what: string): void {
    this.complaints.push(what);
  }
}
