// Transaction signatures (RFC 8945) on DNS messages as they are on the wire: signs a request, judges the answer to it.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { PerantaraError } from '../../core/errors.ts';
import { plainName } from './query.ts';

export interface TsigKey {
  /** Without the last dot, lower case. */
  readonly name: string;
  readonly algorithm: string;
  readonly secret: Buffer;
}

/** `unsigned`: nothing is proved by the answer. `error`: 0, or one of section 3; `serverTime`: seconds, with BADTIME. */
export type TsigVerdict =
  | { readonly state: 'unsigned' }
  | { readonly state: 'invalid'; readonly why: string }
  | { readonly state: 'signed' | 'refused'; readonly error: number; readonly serverTime: number | null };

export const BADSIG = 16;
export const BADKEY = 17;
export const BADTIME = 18;

/** Section 6, without MD5, which it says must not be used. */
const HASHES: Readonly<Record<string, string>> = {
  'hmac-sha1': 'sha1',
  'hmac-sha224': 'sha224',
  'hmac-sha256': 'sha256',
  'hmac-sha384': 'sha384',
  'hmac-sha512': 'sha512',
};
const TSIG_TYPE = 250;
const ANY = 255;
const FUDGE_SECONDS = 300;
const HEADER_BYTES = 12;
const RECORD_COUNT_AT = 10;

/** The key of the configuration. Throws a PerantaraError when it cannot be used. */
export function readTsigKey(config: {
  readonly name: string;
  readonly algorithm: string;
  readonly secret: string;
}): TsigKey {
  const algorithm = plainName(config.algorithm);
  const secret = Buffer.from(config.secret, 'base64');
  const why =
    HASHES[algorithm] === undefined
      ? `algorithm "${algorithm}" is not one of ${Object.keys(HASHES).join(', ')}`
      : 'its secret is not base64';
  if (HASHES[algorithm] !== undefined && secret.length > 0) return { name: plainName(config.name), algorithm, secret };
  throw new PerantaraError(`cannot use TSIG key "${config.name}": ${why}`, {
    code: 'tsig_key_invalid',
    source: 'operator',
  });
}

export interface SignedMessage {
  readonly message: Buffer;
  readonly mac: Buffer;
}

/** The message with its TSIG record. `nowSeconds` since the epoch. */
export function signMessage(message: Buffer, key: TsigKey, nowSeconds: number): SignedMessage {
  const times = timesOf(nowSeconds);
  const variables = variablesOf(key, times, 0, Buffer.alloc(0));
  const mac = macOf(key, [message, variables]);
  const algorithm = wireName(key.algorithm);
  const data = [algorithm, times, uint16(mac.length), mac, message.subarray(0, 2), uint16(0), uint16(0)];
  const length = data.reduce((sum, each) => sum + each.length, 0);
  const head = [wireName(key.name), uint16(TSIG_TYPE), uint16(ANY), Buffer.alloc(4), uint16(length)];
  const signed = Buffer.concat([message, ...head, ...data]);
  signed.writeUInt16BE(message.readUInt16BE(RECORD_COUNT_AT) + 1, RECORD_COUNT_AT);
  return { message: signed, mac };
}

/** What the answer to a request with `requestMac` is worth (section 5.3). Never throws. */
export function judgeAnswer(answer: Buffer, key: TsigKey, requestMac: Buffer, nowSeconds: number): TsigVerdict {
  try {
    const record = lastTsig(answer);
    if (record === null) return { state: 'unsigned' };
    if (record.error === BADSIG || record.error === BADKEY)
      return { state: 'refused', error: record.error, serverTime: null };
    if (plainName(record.name) !== key.name || plainName(record.algorithm) !== key.algorithm)
      return { state: 'invalid', why: 'it is signed with another key' };
    const body = Buffer.from(answer.subarray(0, record.offset));
    record.originalId.copy(body, 0);
    body.writeUInt16BE(body.readUInt16BE(RECORD_COUNT_AT) - 1, RECORD_COUNT_AT);
    const variables = variablesOf(key, record.times, record.error, record.other);
    const expected = macOf(key, [uint16(requestMac.length), requestMac, body, variables]);
    if (expected.length !== record.mac.length || !timingSafeEqual(expected, record.mac))
      return { state: 'invalid', why: 'its signature does not match' };
    if (record.error === BADTIME)
      return {
        state: 'refused',
        error: BADTIME,
        serverTime: record.other.length === 6 ? record.other.readUIntBE(0, 6) : null,
      };
    const skew = Math.abs(nowSeconds - record.times.readUIntBE(0, 6));
    if (skew > record.times.readUInt16BE(6))
      return { state: 'invalid', why: `its signature is ${skew} s off our clock` };
    return record.error === 0
      ? { state: 'signed', error: 0, serverTime: null }
      : { state: 'refused', error: record.error, serverTime: null };
  } catch {
    return { state: 'invalid', why: 'it is damaged' };
  }
}

interface TsigRecord {
  /** Where it begins. */
  readonly offset: number;
  readonly name: string;
  readonly algorithm: string;
  /** Time signed and fudge, as they are on the wire. */
  readonly times: Buffer;
  readonly mac: Buffer;
  readonly originalId: Buffer;
  readonly error: number;
  readonly other: Buffer;
}

/** The last record of the additional section, if it is a TSIG. Throws when the message is damaged. */
function lastTsig(message: Buffer): TsigRecord | null {
  let offset = HEADER_BYTES;
  for (let left = message.readUInt16BE(4); left > 0; left--) offset = readName(message, offset).end + 4;
  const count = message.readUInt16BE(6) + message.readUInt16BE(8) + message.readUInt16BE(RECORD_COUNT_AT);
  let start = offset;
  for (let left = count; left > 0; left--) {
    start = offset;
    const { end } = readName(message, offset);
    offset = end + 10 + message.readUInt16BE(end + 8);
  }
  if (count === 0 || message.readUInt16BE(readName(message, start).end) !== TSIG_TYPE) return null;
  const { name, end } = readName(message, start);
  const { name: algorithm, end: at } = readName(message, end + 10);
  const macLength = message.readUInt16BE(at + 8);
  const after = at + 10 + macLength;
  return {
    offset: start,
    name,
    algorithm,
    times: message.subarray(at, at + 8),
    mac: message.subarray(at + 10, after),
    originalId: message.subarray(after, after + 2),
    error: message.readUInt16BE(after + 2),
    other: message.subarray(after + 6, after + 6 + message.readUInt16BE(after + 4)),
  };
}

/** RFC 1035 section 4.1.4; `end` is after the name where it stands. */
function readName(message: Buffer, start: number): { readonly name: string; readonly end: number } {
  const labels: string[] = [];
  let end = -1;
  for (let offset = start, jumps = 0; ; ) {
    const length = message.readUInt8(offset);
    if (length >= 0xc0) {
      if (end === -1) end = offset + 2;
      if (++jumps > 64) throw new RangeError('pointers without end');
      offset = message.readUInt16BE(offset) & 0x3fff;
      continue;
    }
    if (length === 0) return { name: labels.join('.'), end: end === -1 ? offset + 1 : end };
    labels.push(message.toString('latin1', offset + 1, offset + 1 + length));
    offset += 1 + length;
  }
}

/** Section 4.3.3. */
function variablesOf({ name, algorithm }: TsigKey, times: Buffer, error: number, other: Buffer): Buffer {
  const head = [wireName(name), uint16(ANY), Buffer.alloc(4), wireName(algorithm)];
  return Buffer.concat([...head, times, uint16(error), uint16(other.length), other]);
}

function macOf({ algorithm, secret }: TsigKey, parts: readonly Buffer[]): Buffer {
  return createHmac(HASHES[algorithm]!, secret).update(Buffer.concat(parts)).digest();
}

function timesOf(nowSeconds: number): Buffer {
  const times = Buffer.alloc(8);
  times.writeUIntBE(nowSeconds, 0, 6);
  times.writeUInt16BE(FUDGE_SECONDS, 6);
  return times;
}

/** Uncompressed (RFC 1035 section 3.1). */
function wireName(name: string): Buffer {
  const labels = name.split('.').map((label) => Buffer.from(label, 'latin1'));
  return Buffer.concat([...labels.flatMap((label) => [Buffer.from([label.length]), label]), Buffer.alloc(1)]);
}

function uint16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff]);
}
