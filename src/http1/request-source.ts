// The requests of one connection, read from its input one head after another, and what is known of one that is refused.
import type { Client } from '../http/exchange.ts';
import type { ExchangeFeed } from '../http/exchange-feed.ts';
import type { ExchangeRecord } from '../http/exchange-record.ts';
import type { RequestHead } from '../http/message.ts';
import { type ParsedRequest, parseRequestHead } from './head-parser.ts';
import { HeadReader } from './head-reader.ts';
import type { Input } from './input.ts';
import { REQUEST_LIMITS } from './limits.ts';
import { type IncomingRequest, readRequest } from './request-reader.ts';

export class RequestSource {
  readonly #scheme: 'http' | 'https';
  readonly #reader = new HeadReader(parseRequestHead, REQUEST_LIMITS);
  #previous: RequestHead | null = null;
  /** A head that could be parsed and has not become a request. */
  #parsed: ParsedRequest | null = null;

  constructor(scheme: 'http' | 'https') {
    this.#scheme = scheme;
  }

  /** Whether part of a head has been received. */
  get started(): boolean {
    return this.#reader.started;
  }

  /** Uses up input, of which there is some; null: the head is not whole. Throws PerantaraError with the code of the answer. */
  take(input: Input): IncomingRequest | null {
    const bytes = input.bytes!;
    const parsed = this.#reader.read(bytes, input.at, bytes.length);
    input.advance(parsed === null ? bytes.length : this.#reader.endAt);
    if (parsed === null) return null;
    this.#parsed = parsed;
    const incoming = readRequest(parsed, this.#scheme, this.#previous);
    this.#parsed = null;
    this.#previous = incoming.head;
    return incoming;
  }

  /** The record of a request that is refused before it is one. */
  recordRefused(records: ExchangeFeed, client: Client): ExchangeRecord | null {
    const { method = '', target = '', version = '1.1', headers = null } = this.#parsed ?? {};
    return records.begin(client, method, target, version, null, headers);
  }
}
