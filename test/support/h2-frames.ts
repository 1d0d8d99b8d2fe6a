// Frames of RFC 9113 as bytes: writes any of them, well-formed or not, and cuts what comes into frames. Knows numbers of its
// own and nothing of src/.

export const DATA = 0x0;
export const HEADERS = 0x1;
export const PRIORITY = 0x2;
export const RST_STREAM = 0x3;
export const SETTINGS = 0x4;
export const PUSH_PROMISE = 0x5;
export const PING = 0x6;
export const GOAWAY = 0x7;
export const WINDOW_UPDATE = 0x8;
export const CONTINUATION = 0x9;
const TYPE_NAMES =
  'DATA HEADERS PRIORITY RST_STREAM SETTINGS PUSH_PROMISE PING GOAWAY WINDOW_UPDATE CONTINUATION'.split(' ');

export const END_STREAM = 0x1;
export const ACK = 0x1;
export const END_HEADERS = 0x4;
export const PADDED = 0x8;
export const WITH_PRIORITY = 0x20;

export const HEADER_TABLE_SIZE = 0x1;
export const ENABLE_PUSH = 0x2;
export const MAX_CONCURRENT_STREAMS = 0x3;
export const INITIAL_WINDOW_SIZE = 0x4;
export const MAX_FRAME_SIZE = 0x5;
export const MAX_HEADER_LIST_SIZE = 0x6;
export const ENABLE_CONNECT_PROTOCOL = 0x8;

/** In the order of their numbers (RFC 9113 section 7). */
const CODES = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
  'INADEQUATE_SECURITY',
  'HTTP_1_1_REQUIRED',
] as const;
export type Code = (typeof CODES)[number];

export const PREFACE: Buffer = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
const HEAD_BYTES = 9;

/** Strings are latin1; numbers are bytes. */
export type Bytes = Buffer | string | readonly number[];

export function bytes(of: Bytes): Buffer {
  return typeof of === 'string' ? Buffer.from(of, 'latin1') : Buffer.from(of as Buffer);
}

/** Any frame. `length`: what its head says when that is not what follows. */
export function frame(type: number, flags: number, stream: number, payload: Bytes = '', length?: number): Buffer {
  const content = bytes(payload);
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUIntBE(length ?? content.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream >>> 0, 5);
  return Buffer.concat([head, content]);
}

export const data = (stream: number, content: Bytes = '', flags = 0): Buffer => frame(DATA, flags, stream, content);

/** The payload of a frame with the flag PADDED. */
export const padded = (content: Bytes, padBytes: number): Buffer =>
  Buffer.concat([Buffer.from([padBytes]), bytes(content), Buffer.alloc(padBytes)]);

/** The first five bytes of the payload of HEADERS with WITH_PRIORITY, and all of PRIORITY. `weight`: as on the wire. */
export const priorityFields = (dependency: number, weight = 15, exclusive = false): Buffer =>
  Buffer.concat([uint32((dependency | (exclusive ? 2 ** 31 : 0)) >>> 0), Buffer.from([weight])]);

export const priority = (stream: number, dependency = 0, weight = 15, exclusive = false): Buffer =>
  frame(PRIORITY, 0, stream, priorityFields(dependency, weight, exclusive));

export const rstStream = (stream: number, code: Code | number = 'CANCEL'): Buffer =>
  frame(RST_STREAM, 0, stream, uint32(codeNumber(code)));

/** Identifier and value of each. */
export type Setting = readonly [number, number];

export const settings = (...list: readonly Setting[]): Buffer =>
  frame(SETTINGS, 0, 0, Buffer.concat(list.map(([id, value]) => Buffer.concat([uint16(id), uint32(value)]))));

export const settingsAck = (): Buffer => frame(SETTINGS, ACK, 0);

/** `payload`: eight bytes. */
export const ping = (payload: Bytes = 'perantar', flags = 0): Buffer => frame(PING, flags, 0, payload);

export const goAway = (lastStream = 0, code: Code | number = 'NO_ERROR', debug: Bytes = ''): Buffer =>
  frame(GOAWAY, 0, 0, Buffer.concat([uint32(lastStream), uint32(codeNumber(code)), bytes(debug)]));

export const windowUpdate = (stream: number, increment: number): Buffer =>
  frame(WINDOW_UPDATE, 0, stream, uint32(increment));

export const continuation = (stream: number, fragment: Bytes, flags = END_HEADERS): Buffer =>
  frame(CONTINUATION, flags, stream, fragment);

export function uint32(value: number): Buffer {
  const buf = Buffer.alloc(4);
  buf.writeUInt32BE(value >>> 0);
  return buf;
}

function uint16(value: number): Buffer {
  const buf = Buffer.alloc(2);
  buf.writeUInt16BE(value);
  return buf;
}

export function codeNumber(code: Code | number): number {
  return typeof code === 'number' ? code : CODES.indexOf(code);
}

/** Unknown codes are written as numbers. */
export function codeName(code: number): Code | `0x${string}` {
  return CODES[code] ?? `0x${code.toString(16)}`;
}

/** A frame that came. */
export class Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
  /** Of HEADERS and PUSH_PROMISE whose block has come whole. */
  fields: readonly (readonly [string, string])[] | null = null;

  constructor(type: number, flags: number, stream: number, payload: Buffer) {
    this.type = type;
    this.flags = flags;
    this.stream = stream;
    this.payload = payload;
  }

  has(flag: number): boolean {
    return (this.flags & flag) !== 0;
  }

  /** The payload without padding and priority. */
  get content(): Buffer {
    const isPadded = (this.type === DATA || this.type === HEADERS || this.type === PUSH_PROMISE) && this.has(PADDED);
    const end = this.payload.length - (isPadded ? this.payload[0]! : 0);
    const skip = this.type === HEADERS && this.has(WITH_PRIORITY) ? 5 : this.type === PUSH_PROMISE ? 4 : 0;
    return this.payload.subarray((isPadded ? 1 : 0) + skip, end);
  }

  /** Of RST_STREAM and GOAWAY. */
  get code(): Code | `0x${string}` {
    return codeName(this.payload.readUInt32BE(this.type === GOAWAY ? 4 : 0));
  }

  /** Of SETTINGS. */
  get settings(): Setting[] {
    return Array.from({ length: this.payload.length / 6 }, (_, i) => [
      this.payload.readUInt16BE(6 * i),
      this.payload.readUInt32BE(6 * i + 2),
    ]);
  }

  /** `HEADERS 1 flags=5 23`: the last is the payload's length. */
  toString(): string {
    const more = this.type === RST_STREAM || this.type === GOAWAY ? ` ${this.code}` : '';
    const name = TYPE_NAMES[this.type] ?? `type ${this.type}`;
    return `${name} ${this.stream} flags=${this.flags.toString(16)} ${this.payload.length}${more}`;
  }
}

/** Cuts what comes into frames, in any pieces. */
export class FrameCutter {
  #rest: Buffer[] = [];
  #restBytes = 0;
  /** Bytes needed before a look at them is worth it. */
  #needed = HEAD_BYTES;

  *push(chunk: Buffer): Generator<Frame, void> {
    this.#rest.push(chunk);
    this.#restBytes += chunk.length;
    if (this.#restBytes < this.#needed) return;
    const buf = Buffer.concat(this.#rest);
    let at = 0;
    this.#needed = HEAD_BYTES;
    while (buf.length - at >= HEAD_BYTES) {
      const end = at + HEAD_BYTES + buf.readUIntBE(at, 3);
      if (end > buf.length) {
        this.#needed = end - at;
        break;
      }
      const payload = buf.subarray(at + HEAD_BYTES, end);
      yield new Frame(buf[at + 3]!, buf[at + 4]!, buf.readUInt32BE(at + 5) & 0x7fff_ffff, payload);
      at = end;
    }
    this.#rest = at < buf.length ? [buf.subarray(at)] : [];
    this.#restBytes = buf.length - at;
  }
}
