// The codec's entry points as the property tests use them: pieces of text in, what was read of them out, and back. The
// one file to change when a signature does. Texts are latin1, one character a byte.
import { HeaderList } from '../../src/http/header-list.ts';
import type { RequestHead } from '../../src/http/message.ts';
import { BodyDecoder } from '../../src/http1/body-decoder.ts';
import {
  type ParsedRequest,
  type ParsedResponse,
  parseRequestHead,
  parseResponseHead,
} from '../../src/http1/head-parser.ts';
import { HeadReader } from '../../src/http1/head-reader.ts';
import { writeLastChunk, writeRequestHead, writeResponseHead } from '../../src/http1/head-writer.ts';
import { REQUEST_LIMITS, RESPONSE_LIMITS } from '../../src/http1/limits.ts';
import { readRequest } from '../../src/http1/request-reader.ts';
import { ResponseReader } from '../../src/http1/response-reader.ts';
import { type Reading, ReadMessage } from './reading.ts';

/** What of the pieces is read as requests, one after another, as a downstream connection does it. */
export function readRequests(pieces: Iterable<string>): Reading {
  const reader = new HeadReader(parseRequestHead, REQUEST_LIMITS);
  const messages: ReadMessage[] = [];
  let previous: RequestHead | null = null;
  let current: ReadMessage | null = null;
  let decoder = new BodyDecoder(0);
  let keepAlive = true;
  let before = 0;
  const consumer = {
    onContent: (chunk: Buffer) => add(current!, chunk),
    onContentEnd: (trailers: HeaderList | null) => {
      current!.trailers = trailers?.flat ?? [];
    },
  };
  try {
    for (const piece of pieces) {
      const buf = Buffer.from(`#${piece}`, 'latin1');
      let at = 1;
      while (at < buf.length) {
        if (current === null) {
          const head: ParsedRequest | null = reader.read(buf, at, buf.length);
          if (head === null) break;
          at = reader.endAt;
          const { method, target, version } = head;
          const fields = head.headers.flat;
          const incoming = readRequest(head, 'http', previous);
          previous = incoming.head;
          keepAlive = incoming.keepAlive;
          decoder = new BodyDecoder(incoming.framing);
          current = new ReadMessage([method, target, version], fields, before + at - 1);
          messages.push(current);
        } else at = decoder.decode(buf, at, buf.length, consumer);
        if (!decoder.done) continue;
        current.end = before + at - 1;
        current = null;
        if (!keepAlive) return { messages, outcome: 'closed', reason: 'connection: close' };
      }
      before += piece.length;
      buf.fill(0xff); // nobody keeps a reference to what they were given
    }
    return { messages, outcome: 'waiting', reason: '' };
  } catch (error) {
    return { messages, outcome: 'refused', reason: reasonOf(error) };
  }
}

export interface Asked {
  readonly method: string;
  readonly upgradeTo: string | null;
  /** Whether the upstream closes its side behind the pieces. */
  readonly ended: boolean;
}

/** What of the pieces is read as the response to one request: interim heads (100, 103) and the final message. */
export function readResponse(pieces: Iterable<string>, { method, upgradeTo, ended }: Asked): Reading {
  const reader = new ResponseReader();
  const messages: ReadMessage[] = [];
  let received = '';
  const heads = responseHeads(() => received);
  let before = 0;
  let at = 0;
  const onHead = ({ status }: { readonly status: number }) => {
    let head = heads.next().value;
    while (head !== undefined && head.status !== status) head = heads.next().value; // passed over: 102 and the like
    if (head === undefined) throw new Error(`a head that is not there: ${status}`);
    const message = new ReadMessage([head.version, String(head.status), head.reason], head.headers.flat, head.end);
    if (status < 200) message.end = head.end;
    messages.push(message);
  };
  reader.begin(method, upgradeTo, {
    onInformation: onHead,
    onResponse: onHead,
    onUpgrade: onHead,
    onResponseData: (chunk) => add(messages.at(-1)!, chunk),
  });
  try {
    for (const piece of pieces) {
      const buf = Buffer.from(`#${piece}`, 'latin1');
      received += piece;
      at = 1;
      while (at < buf.length && (reader.state === 'head' || reader.state === 'content')) at = reader.step(buf, at);
      if (reader.state === 'done' || reader.state === 'upgraded') break;
      before += piece.length;
      buf.fill(0xff);
    }
    const isCut = ended && reader.state !== 'done' && reader.state !== 'upgraded' && !reader.finish();
    if (isCut) return { messages, outcome: 'refused', reason: 'closed early' };
    if (reader.state !== 'done' && reader.state !== 'upgraded') return { messages, outcome: 'waiting', reason: '' };
    const last = messages.at(-1)!;
    last.trailers = reader.trailers?.flat ?? [];
    last.end = Math.min(before + Math.max(0, at - 1), received.length);
    return { messages, outcome: 'closed', reason: '' };
  } catch (error) {
    return { messages, outcome: 'refused', reason: reasonOf(error) };
  }
}

/** The heads in a row of what has been received so far; what belongs to the connection is taken out of a reader's own. */
function* responseHeads(received: () => string): Generator<ParsedResponse, undefined> {
  let at = 0;
  for (;;) {
    const buf = Buffer.from(received().slice(at), 'latin1');
    const head = parseResponseHead(buf, 0, buf.length, RESPONSE_LIMITS);
    if (head === null) return undefined;
    at += head.end;
    yield { ...head, end: at };
  }
}

function reasonOf(error: unknown): string {
  const { code = 'no code', message } = error as Error & { code?: string };
  return `${code}: ${message}`;
}

function add(message: ReadMessage, chunk: Buffer): void {
  message.content += chunk.toString('latin1');
}

/** A message to be written; `flat`: name, value, name, value … */
export interface Outgoing {
  readonly flat: readonly string[];
  readonly chunks: readonly string[];
  /** Whether the content is sent with its length or in chunks. */
  readonly framing: 'length' | 'chunked';
  readonly trailers: readonly string[];
}

export interface OutgoingRequestLine {
  readonly method: string;
  readonly target: string;
}

export function writeRequest({ method, target }: OutgoingRequestLine, message: Outgoing): string {
  const length = message.framing === 'chunked' ? null : contentLength(message);
  const headers = new HeaderList([...message.flat]);
  return (
    writeRequestHead({ method, target, headers, length, upgradeTo: null, acceptsTrailers: false }) +
    writeContent(message)
  );
}

export function writeResponse(status: number, reason: string, message: Outgoing): string {
  const isChunked = message.framing === 'chunked';
  const field = isChunked ? 'Transfer-Encoding: chunked\r\n' : `Content-Length: ${contentLength(message)}\r\n`;
  return writeResponseHead(status, reason, new HeaderList([...message.flat]), field) + writeContent(message);
}

/** As ClientConnection and ServerExchange write it, chunk by chunk. */
function writeContent({ chunks, framing, trailers }: Outgoing): string {
  if (framing === 'length') return chunks.join('');
  const wire = chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('');
  return wire + writeLastChunk(trailers.length === 0 ? null : new HeaderList([...trailers]));
}

function contentLength({ chunks }: Outgoing): number {
  return chunks.join('').length;
}
