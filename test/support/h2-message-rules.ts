// What RFC 9113 section 8 wants of the messages that the other side of a test sends: fields, their order, lengths.
import { CONTINUATION, DATA, END_HEADERS, END_STREAM, type Frame, HEADERS } from './h2-frames.ts';
import { HeaderDecoder } from './h2-header-decoder.ts';
import type { FieldPair } from './h2-headers.ts';

const CONNECTION_FIELDS = ['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade'];
const TOKEN = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
const PSEUDO = { client: [':status'], origin: [':method', ':scheme', ':path', ':authority', ':protocol'] };

interface MessageState {
  head: 'none' | 'interim' | 'final';
  length: number | null;
  received: number;
}

export class MessageRules {
  /** Ours: of the other side come responses or requests. */
  readonly #side: 'client' | 'origin';
  readonly #say: (what: string) => void;
  readonly #messages = new Map<number, MessageState>();
  /** Streams on which we asked with a method that has no content in its answer. */
  readonly #bodyless = new Set<number>();
  /** Reads our own requests; null once they are not to be read. */
  #decoder: HeaderDecoder | null = new HeaderDecoder();

  #opener: Frame | null = null;

  constructor(side: 'client' | 'origin', say: (what: string) => void) {
    this.#side = side;
    this.#say = say;
  }

  /** HEADERS of ours. */
  asked(frame: Frame): void {
    try {
      if (this.#side === 'origin') return;
      if (!frame.has(END_HEADERS)) throw new Error('cut');
      const fields = this.#decoder?.decode(frame.content) ?? [];
      const method = fields.find(([name]) => name === ':method')?.[1] ?? 'HEAD';
      if (method === 'HEAD' || method === 'CONNECT') this.#bodyless.add(frame.stream);
    } catch {
      this.#decoder = null;
      this.#bodyless.add(frame.stream);
    }
  }

  /** A frame that came; a block is judged when it is whole. */
  came(came: Frame): void {
    const isWhole = came.type === CONTINUATION && came.has(END_HEADERS);
    if (came.type === HEADERS) this.#opener = came;
    this.#judge(isWhole ? (this.#opener ?? came) : came);
  }

  #judge(frame: Frame): void {
    const { type, stream } = frame;
    const state = this.#messages.get(stream) ?? { head: 'none', length: null, received: 0 };
    this.#messages.set(stream, state);
    const say = (what: string): void => this.#say(`${frame}: ${what} ${JSON.stringify(frame.fields)}`);
    if (type === HEADERS && frame.fields !== null) this.#head(frame, frame.fields, state, say);
    if (type === DATA) {
      if (state.head !== 'final') say('comes before a head');
      state.received += frame.content.length;
    }
    const isEnd = (type === DATA || (type === HEADERS && frame.fields !== null)) && frame.has(END_STREAM);
    if (!isEnd || state.length === null || this.#bodyless.has(stream)) return;
    if (state.received !== state.length) say(`ends ${state.received} bytes of ${state.length}`);
  }

  #head(frame: Frame, fields: readonly FieldPair[], state: MessageState, say: (what: string) => void): void {
    if (state.head === 'final') {
      if (!frame.has(END_STREAM)) say('is a trailer that does not end');
      this.#fields(fields, [], say);
      return;
    }
    this.#fields(fields, PSEUDO[this.#side], say);
    const value = (name: string): string | undefined => fields.find(([known]) => known === name)?.[1];
    if (this.#side === 'client') {
      const status = value(':status') ?? '';
      if (!/^[1-9]\d\d$/.test(status) || status === '101') say('has a wrong status');
      state.head = status.startsWith('1') ? 'interim' : 'final';
      if (state.head === 'interim' && frame.has(END_STREAM)) say('is an interim response that ends');
      if (status === '304') this.#bodyless.add(frame.stream);
      if (/^(1..|204)$/.test(status) && value('content-length') !== undefined) say('has a content-length');
    } else {
      state.head = 'final';
      const isPlainConnect = value(':method') === 'CONNECT' && value(':protocol') === undefined;
      const wanted = isPlainConnect ? [':method', ':authority'] : [':method', ':scheme', ':path'];
      for (const name of wanted) if (!value(name)) say(`lacks ${name}`);
      if (isPlainConnect && (value(':scheme') ?? value(':path')) !== undefined) say('is a CONNECT with more');
    }
    const length = value('content-length');
    if (length !== undefined && !/^\d+$/.test(length)) say('has a wrong content-length');
    state.length = length === undefined ? null : Number(length);
  }

  #fields(fields: readonly FieldPair[], pseudo: readonly string[], say: (what: string) => void): void {
    const seen = new Set<string>();
    let isBehind = false;
    for (const [name, value] of fields) {
      if (name.startsWith(':')) {
        if (!pseudo.includes(name)) say(`may not have ${name}`);
        if (isBehind) say(`has ${name} behind a field`);
        if (seen.has(name)) say(`has ${name} twice`);
        seen.add(name);
      } else {
        isBehind = true;
        if (!TOKEN.test(name)) say(`has a field ${JSON.stringify(name)}`);
      }
      if (CONNECTION_FIELDS.includes(name) || (name === 'te' && value !== 'trailers')) say(`has ${name}: ${value}`);
      if (/[\0\r\n]|^[ \t]|[ \t]$/.test(value)) say(`has ${name} with the value ${JSON.stringify(value)}`);
    }
  }
}
