// What has come on an HTTP/2 connection of a test: frames in order, header blocks decoded, messages by stream.
import {
  ACK,
  CONTINUATION,
  END_HEADERS,
  type Frame,
  FrameCutter,
  GOAWAY,
  HEADER_TABLE_SIZE,
  HEADERS,
  PREFACE,
  PUSH_PROMISE,
  SETTINGS,
} from './h2-frames.ts';
import { HeaderDecoder } from './h2-header-decoder.ts';
import { H2Message } from './h2-message.ts';

export interface GoAway {
  readonly lastStream: number;
  readonly code: Frame['code'];
  readonly debug: string;
}

export class H2Inbox {
  /** In order. */
  readonly frames: Frame[] = [];
  /** The last GOAWAY so far. */
  goaway: GoAway | null = null;
  /** Values of SETTINGS_HEADER_TABLE_SIZE in the SETTINGS sent that have not been acknowledged; null: none in that one. */
  readonly #tableBytes: (number | null)[] = [];
  readonly #messages = new Map<number, H2Message>();
  readonly #cutter = new FrameCutter();
  readonly #decoder = new HeaderDecoder();
  /** What is missing of the other side's preface. */
  #preface: Buffer;
  /** HEADERS or PUSH_PROMISE whose block is not whole, and its fragments. */
  #open: Frame | null = null;
  #fragments: Buffer[] = [];

  constructor(hasPreface: boolean) {
    this.#preface = hasPreface ? PREFACE : Buffer.alloc(0);
  }

  /** Takes what came; yields each frame that is whole with it. Throws when it can't be read. */
  *push(chunk: Buffer): Generator<Frame, void> {
    const preface = chunk.subarray(0, this.#preface.length);
    if (!this.#preface.subarray(0, preface.length).equals(preface)) throw new Error('no preface');
    this.#preface = this.#preface.subarray(preface.length);
    for (const came of this.#cutter.push(chunk.subarray(preface.length))) {
      this.frames.push(came);
      this.#note(came);
      yield came;
    }
  }

  /** SETTINGS of this side. */
  settingsSent({ settings }: Frame): void {
    this.#tableBytes.push(settings.findLast(([id]) => id === HEADER_TABLE_SIZE)?.[1] ?? null);
  }

  /** What has come on this stream so far. */
  stream(id: number): H2Message {
    const known = this.#messages.get(id) ?? new H2Message(id);
    this.#messages.set(id, known);
    return known;
  }

  /** The last frames, one a line. */
  get story(): string {
    const lines = this.frames.slice(-40).map((came) => {
      const fields = came.fields === null ? '' : ` ${JSON.stringify(came.fields)}`;
      return came.toString() + fields.slice(0, 300);
    });
    return lines.join('\n');
  }

  #note(came: Frame): void {
    const { type, stream } = came;
    if (type === GOAWAY) this.goaway = goAwayOf(came);
    if (type === HEADERS || type === PUSH_PROMISE || type === CONTINUATION) this.#noteBlock(came);
    else if (this.#open !== null) throw new Error(`${came} inside of a header block`);
    else if (type === SETTINGS && came.has(ACK)) this.#noteAcknowledged();
    else if (stream !== 0) this.stream(stream).add(came);
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
    const tableBytes = this.#tableBytes.shift();
    if (tableBytes !== undefined && tableBytes !== null) this.#decoder.limit(tableBytes);
  }
}

function goAwayOf({ payload, code }: Frame): GoAway {
  return { lastStream: payload.readUInt32BE(0) & 0x7fff_ffff, code, debug: payload.toString('latin1', 8) };
}
