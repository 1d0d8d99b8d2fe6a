// The server's side of TSIG (RFC 8945): checks a request, signs the answer. Written apart from src/certs/dns/tsig.ts, so that
// each finds the other's mistakes.
import { createHmac } from 'node:crypto';
import * as packet from 'dns-packet';

export interface TestKey {
  readonly name: string;
  readonly algorithm: string;
  /** base64 */
  readonly secret: string;
}

export interface TsigCheck {
  readonly ok: boolean;
  /** Section 3. */
  readonly error: number;
  readonly key: TestKey | null;
  readonly mac: Buffer;
}

interface Decoder {
  decode: ((buffer: Buffer, offset: number) => { name: string; type: string; data: Buffer }) & { bytes: number };
}
const {
  answer,
  question,
  name: nameCodec,
} = packet as unknown as {
  answer: Decoder;
  question: Decoder;
  name: { encode(name: string): Buffer; decode: ((buffer: Buffer, offset: number) => string) & { bytes: number } };
};

export function checkTsig(message: Buffer, keys: readonly TestKey[], now: number): TsigCheck {
  let offset = 12;
  const skip = (codec: Decoder, count: number): void => {
    for (let left = count; left > 0; left--) {
      codec.decode(message, offset);
      offset += codec.decode.bytes;
    }
  };
  skip(question, message.readUInt16BE(4));
  skip(answer, message.readUInt16BE(6) + message.readUInt16BE(8) + message.readUInt16BE(10) - 1);
  const tsig = answer.decode(message, offset);
  if (tsig.type !== 'TSIG') return { ok: false, error: 17, key: null, mac: Buffer.alloc(0) };
  const algorithm = nameCodec.decode(tsig.data, 0);
  const rest = tsig.data.subarray(nameCodec.decode.bytes);
  const macLength = rest.readUInt16BE(8);
  const mac = rest.subarray(10, 10 + macLength);
  const key = keys.find((each) => each.name === tsig.name && each.algorithm === algorithm) ?? null;
  if (key === null) return { ok: false, error: 17, key, mac };
  const body = Buffer.from(message.subarray(0, offset));
  body.writeUInt16BE(body.readUInt16BE(10) - 1, 10);
  body.writeUInt16BE(rest.readUInt16BE(10 + macLength), 0);
  const expected = hmac(key, [body, variables(key, rest.subarray(0, 8), 0, Buffer.alloc(0))]);
  if (!expected.equals(mac)) return { ok: false, error: 16, key, mac };
  if (Math.abs(now - rest.readUIntBE(0, 6)) > rest.readUInt16BE(6)) return { ok: false, error: 18, key, mac };
  return { ok: true, error: 0, key, mac };
}

export function tsigAnswer(
  message: Buffer,
  { error, key, mac }: TsigCheck,
  now: number,
  signing: 'right' | 'none' | 'damaged',
): Buffer {
  if (signing === 'none') return message;
  const times = Buffer.alloc(8);
  times.writeUIntBE(now, 0, 6);
  times.writeUInt16BE(300, 6);
  const other = error === 18 ? times.subarray(0, 6) : Buffer.alloc(0);
  const signer = key ?? { name: 'unknown', algorithm: 'hmac-sha256', secret: '' };
  // Section 5.3.2: an answer to a bad key or signature is not signed.
  const signature =
    error === 16 || error === 17
      ? Buffer.alloc(0)
      : hmac(signer, [number16(mac.length), mac, message, variables(signer, times, error, other)]);
  if (signing === 'damaged') signature[0]! ^= 1;
  const data = [
    nameCodec.encode(signer.algorithm),
    times,
    number16(signature.length),
    signature,
    message.subarray(0, 2),
    number16(error),
    number16(other.length),
    other,
  ];
  const bytes = Buffer.concat(data);
  const head = [nameCodec.encode(signer.name), number16(250), number16(255), Buffer.alloc(4), number16(bytes.length)];
  const signed = Buffer.concat([message, ...head, bytes]);
  signed.writeUInt16BE(signed.readUInt16BE(10) + 1, 10);
  return signed;
}

function variables({ name, algorithm }: TestKey, times: Buffer, error: number, other: Buffer): Buffer {
  const head = [nameCodec.encode(name), number16(255), Buffer.alloc(4), nameCodec.encode(algorithm)];
  return Buffer.concat([...head, times, number16(error), number16(other.length), other]);
}

function hmac({ algorithm, secret }: TestKey, parts: readonly Buffer[]): Buffer {
  const hash = createHmac(algorithm.replace('hmac-', ''), Buffer.from(secret, 'base64'));
  for (const part of parts) hash.update(part);
  return hash.digest();
}

function number16(value: number): Buffer {
  const buffer = Buffer.alloc(2);
  buffer.writeUInt16BE(value);
  return buffer;
}
