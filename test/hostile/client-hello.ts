// Builds ClientHellos, lawful and not (RFC 8446 section 4.1.2), as bytes.
import { randomBytes } from 'node:crypto';

export interface HelloOptions {
  /** Names in the server_name extension, raw; null for no such extension. Default app.localhost. */
  readonly names?: readonly string[] | null;
  /** Type of those names. Default 0, host_name. */
  readonly nameType?: number;
  /** Protocols of ALPN; null for no such extension. Default http/1.1. */
  readonly protocols?: readonly string[] | null;
  /** Of supported_versions. Default TLS 1.3 and 1.2. */
  readonly versions?: readonly number[];
  /** Bytes of the padding extension. Default none. */
  readonly paddingBytes?: number;
  /** Further extensions: type and content. */
  readonly extensions?: readonly (readonly [type: number, content: Buffer])[];
  /** Bytes of handshake message in each record. Default all in one. */
  readonly recordBytes?: number;
}

const HANDSHAKE_RECORD = 22;
const CLIENT_HELLO = 1;
const SUITES = [0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c];

export function clientHello(options: HelloOptions): Buffer {
  const { names = ['app.localhost'], protocols = ['http/1.1'], versions = [0x0304, 0x0303] } = options;
  const extensions = [
    ...(names === null ? [] : [extension(0, serverNames(names, options.nameType ?? 0))]),
    extension(10, sized16(numbers(0x001d, 0x0017))),
    extension(13, sized16(numbers(0x0403, 0x0804, 0x0401))),
    ...(protocols === null ? [] : [extension(16, sized16(Buffer.concat(protocols.map((name) => sized8(text(name))))))]),
    extension(43, sized8(numbers(...versions))),
    extension(51, sized16(Buffer.concat([numbers(0x001d), sized16(randomBytes(32))]))),
    ...(options.extensions ?? []).map(([type, content]) => extension(type, content)),
    ...(options.paddingBytes === undefined ? [] : [extension(21, Buffer.alloc(options.paddingBytes))]),
  ];
  const body = Buffer.concat([
    numbers(0x0303),
    randomBytes(32),
    sized8(randomBytes(32)),
    sized16(numbers(...SUITES)),
    sized8(Buffer.of(0)),
    sized16(Buffer.concat(extensions)),
  ]);
  return records(handshake(CLIENT_HELLO, body), options.recordBytes);
}

/** A handshake message; `length` may lie. */
export function handshake(type: number, body: Buffer, length = body.length): Buffer {
  return Buffer.concat([Buffer.of(type, length >> 16, (length >> 8) & 255, length & 255), body]);
}

/** One record; `length` may lie. */
export function record(type: number, content: Buffer, length = content.length): Buffer {
  return Buffer.concat([Buffer.of(type, 3, 1, length >> 8, length & 255), content]);
}

/** The message in records of at most `bytes` each. */
function records(message: Buffer, bytes = 16_384): Buffer {
  const all: Buffer[] = [];
  for (let at = 0; at < message.length; at += bytes)
    all.push(record(HANDSHAKE_RECORD, message.subarray(at, at + bytes)));
  return Buffer.concat(all);
}

export function serverNames(names: readonly string[], type = 0): Buffer {
  return sized16(Buffer.concat(names.map((name) => Buffer.concat([Buffer.of(type), sized16(text(name))]))));
}

function extension(type: number, content: Buffer): Buffer {
  return Buffer.concat([numbers(type), sized16(content)]);
}

function sized8(content: Buffer): Buffer {
  return Buffer.concat([Buffer.of(content.length), content]);
}

function sized16(content: Buffer): Buffer {
  return Buffer.concat([numbers(content.length), content]);
}

/** Each in two bytes. */
function numbers(...values: readonly number[]): Buffer {
  return Buffer.from(values.flatMap((value) => [value >> 8, value & 255]));
}

function text(value: string): Buffer {
  return Buffer.from(value, 'latin1');
}
