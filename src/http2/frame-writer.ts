// Writes the frames of a session into its output: one function for each frame type that we send (RFC 9113 section 6).
import type { HeaderList } from '../http/header-list.ts';
import { ERROR_CODES } from './fault.ts';
import {
  ACK,
  CONTINUATION,
  DATA,
  DEFAULT_FRAME_BYTES,
  END_HEADERS,
  END_STREAM,
  FRAME_HEAD_BYTES,
  GOAWAY,
  HEADERS,
  PING,
  PREFACE,
  RST_STREAM,
  SETTINGS,
  WINDOW_UPDATE,
} from './frame.ts';
import { type HpackEncoder, roomFor } from './hpack-encoder.ts';
import type { SessionOutput } from './session-output.ts';

/** Pseudo-fields in order: name, value, name, value … */
export type PseudoFields = readonly string[];

const PSEUDO_OVERHEAD_BYTES = 16;

export class FrameWriter {
  /** Largest payload that the peer takes, as far as we make use of it. */
  maxFrameBytes = DEFAULT_FRAME_BYTES;
  readonly #output: SessionOutput;
  readonly #encoder: HpackEncoder;

  constructor(output: SessionOutput, encoder: HpackEncoder) {
    this.#output = output;
    this.#encoder = encoder;
  }

  /** A list of fields, in as many frames as it takes. `length`: what content-length says, null for none. Returns where HEADERS is; -1: it has left. */
  headers(
    streamId: number,
    pseudo: PseudoFields,
    headers: HeaderList | null,
    length: number | null,
    ends: boolean,
  ): number {
    let needed = 64 + (headers === null ? 0 : roomFor(headers));
    for (const text of pseudo) needed += text.length + PSEUDO_OVERHEAD_BYTES;
    const flags = ends ? END_STREAM : 0;
    const output = this.#output;
    if (needed > this.maxFrameBytes) return this.#longHeaders(needed, streamId, pseudo, headers, length, flags);
    const buf = output.reserve(FRAME_HEAD_BYTES + needed);
    const at = output.at;
    const end = this.#encode(buf, at + FRAME_HEAD_BYTES, pseudo, headers, length);
    output.head(buf, at, end - at - FRAME_HEAD_BYTES, HEADERS, END_HEADERS | flags, streamId);
    output.advance(end);
    return at;
  }

  /** The head of DATA with `length` bytes of payload, at most maxFrameBytes, and room for them. Returns where it is. */
  dataHead(streamId: number, length: number, ends: boolean): number {
    const output = this.#output;
    const buf = output.reserve(FRAME_HEAD_BYTES + length);
    const at = output.at;
    output.head(buf, at, length, DATA, ends ? END_STREAM : 0, streamId);
    return at;
  }

  /** DATA with a copy of chunk, which is no longer than maxFrameBytes. Returns where it is. */
  data(streamId: number, chunk: Buffer, ends: boolean): number {
    const { length } = chunk;
    const at = this.dataHead(streamId, length, ends);
    if (length > 0) this.#output.buffer.set(chunk, at + FRAME_HEAD_BYTES);
    this.#output.advance(at + FRAME_HEAD_BYTES + length);
    return at;
  }

  /** What a client begins with. */
  preface(): void {
    const buf = this.#output.reserve(PREFACE.length);
    PREFACE.copy(buf, this.#output.at);
    this.#output.advance(this.#output.at + PREFACE.length);
  }

  resetStream(streamId: number, errorCode: number): void {
    this.#number(RST_STREAM, streamId, errorCode);
  }

  windowUpdate(streamId: number, bytes: number): void {
    this.#number(WINDOW_UPDATE, streamId, bytes);
  }

  /** `values`: identifier, value, identifier, value … */
  settings(values: readonly number[]): void {
    const length = values.length * 3;
    const buf = this.#output.reserve(FRAME_HEAD_BYTES + length);
    let at = this.#output.head(buf, this.#output.at, length, SETTINGS, 0, 0);
    for (let i = 0; i + 1 < values.length; i += 2) {
      at = buf.writeUInt16BE(values[i]!, at);
      at = buf.writeUInt32BE(values[i + 1]!, at);
    }
    this.#output.advance(at);
  }

  acknowledgeSettings(): void {
    const buf = this.#output.reserve(FRAME_HEAD_BYTES);
    this.#output.advance(this.#output.head(buf, this.#output.at, 0, SETTINGS, ACK, 0));
  }

  /** `from[start, start + 8)`: the opaque bytes. */
  ping(from: Buffer, start: number, isAnswer: boolean): void {
    const buf = this.#output.reserve(FRAME_HEAD_BYTES + 8);
    const at = this.#output.head(buf, this.#output.at, 8, PING, isAnswer ? ACK : 0, 0);
    from.copy(buf, at, start, start + 8);
    this.#output.advance(at + 8);
  }

  goaway(lastStreamId: number, errorCode: number = ERROR_CODES.NO_ERROR, why = ''): void {
    const length = 8 + why.length;
    const buf = this.#output.reserve(FRAME_HEAD_BYTES + length);
    let at = this.#output.head(buf, this.#output.at, length, GOAWAY, 0, 0);
    at = buf.writeUInt32BE(lastStreamId, at);
    at = buf.writeUInt32BE(errorCode, at);
    buf.write(why, at, 'latin1');
    this.#output.advance(at + why.length);
  }

  #number(type: number, streamId: number, value: number): void {
    const buf = this.#output.reserve(FRAME_HEAD_BYTES + 4);
    const at = this.#output.head(buf, this.#output.at, 4, type, 0, streamId);
    buf[at] = value >>> 24;
    buf[at + 1] = value >>> 16;
    buf[at + 2] = value >>> 8;
    buf[at + 3] = value;
    this.#output.advance(at + 4);
  }

  #encode(buf: Buffer, from: number, pseudo: PseudoFields, headers: HeaderList | null, length: number | null): number {
    const encoder = this.#encoder;
    let at = encoder.begin(buf, from);
    const never = headers?.neverIndexed;
    for (let i = 0; i + 1 < pseudo.length; i += 2) {
      const name = pseudo[i]!;
      at = encoder.field(buf, at, name, pseudo[i + 1]!, never?.has(name));
    }
    if (headers !== null) at = encoder.fields(buf, at, headers);
    return length === null ? at : encoder.field(buf, at, 'content-length', String(length));
  }

  /** Larger than one frame: encoded aside and cut into HEADERS and CONTINUATION (RFC 9113 section 4.3). */
  #longHeaders(
    needed: number,
    streamId: number,
    pseudo: PseudoFields,
    headers: HeaderList | null,
    length: number | null,
    flags: number,
  ): number {
    const block = Buffer.allocUnsafe(needed);
    const end = this.#encode(block, 0, pseudo, headers, length);
    const output = this.#output;
    let first = -1;
    let generation = 0;
    let from = 0;
    do {
      const to = Math.min(from + this.maxFrameBytes, end);
      const buf = output.reserve(FRAME_HEAD_BYTES + to - from);
      const at = output.at;
      const isFirst = from === 0;
      const own = (isFirst ? flags : 0) | (to === end ? END_HEADERS : 0);
      const payload = output.head(buf, at, to - from, isFirst ? HEADERS : CONTINUATION, own, streamId);
      block.copy(buf, payload, from, to);
      output.advance(payload + to - from);
      if (isFirst) {
        first = at;
        generation = output.generation;
      }
      from = to;
    } while (from < end);
    return generation === output.generation ? first : -1;
  }
}
