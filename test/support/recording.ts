// Those at both ends of an HTTP/2 session in the property tests: a handler that does with a request what its path says, and
// senders of requests; both remember what they were told, and check that it was told in order.
import assert from 'node:assert/strict';
import type { PerantaraError } from '../../src/core/errors.ts';
import type { Exchange, ExchangeObserver, Handler } from '../../src/http/exchange.ts';
import { HeaderList } from '../../src/http/header-list.ts';
import type { ResponseHead } from '../../src/http/message.ts';
import type { OutgoingRequest } from '../../src/http/outgoing-request.ts';
import type { RequestCarrier } from '../../src/http/request-carrier.ts';
import type { ResponseObserver } from '../../src/http/response-observer.ts';
import type { StreamHost } from '../../src/http2/stream.ts';

/** What more than one chunk of it is, and more than a window. */
const LARGE_BYTES = 100_000;
const CHUNK_BYTES = 30_000;

/** The session that an exchange or a carrier belongs to, which is nobody's business but a test's. */
function hostOf(stream: Exchange | RequestCarrier): StreamHost {
  return (stream as unknown as { readonly host: StreamHost }).host;
}

const ok = (...flat: readonly string[]): ResponseHead => ({ status: 200, reason: '', headers: new HeaderList(flat) });

/** One exchange. By the first word of its path: */
export class Served implements ExchangeObserver {
  content = '';
  trailers: readonly string[] | null = null;
  /** `open`, `whole`, or the code of the error. */
  end = 'open';
  readonly exchange: Exchange;
  readonly host: StreamHost;
  readonly #manner: string;
  #paused = false;
  /** Content that the response still lacks. */
  #left = 0;

  constructor(exchange: Exchange) {
    this.exchange = exchange;
    this.host = hostOf(exchange);
    this.#manner = /^\/(\w+)/.exec(exchange.request.path)?.[1] ?? '';
  }

  start(): void {
    const { exchange } = this;
    exchange.observe(this);
    switch (this.#manner) {
      case 'now': // answers without a look at the content
        exchange.respond(ok(), 5);
        exchange.write(Buffer.from('hello'));
        exchange.end(null);
        return;
      case 'large': // more than a window at once
        exchange.respond(ok(), LARGE_BYTES);
        this.#left = LARGE_BYTES;
        this.onDrain();
        return;
      case 'abort':
        exchange.respond(ok(), 10);
        exchange.write(Buffer.from('hello'));
        exchange.abort(null as never);
        return;
      case 'throw':
        throw new Error('a fault of the handler');
      case 'both': // gives back what comes, at once
        exchange.respond(ok(), null);
        break;
      case 'hints':
        exchange.inform({ status: 103, reason: '', headers: new HeaderList(['link', '</a>']) });
        break;
    }
    exchange.receive();
  }

  onData(chunk: Buffer): void {
    assert.equal(this.end, 'open', 'no content behind the end');
    assert.ok(chunk.length > 0);
    this.content += chunk.toString('latin1');
    if (this.#manner === 'both' && !this.exchange.write(Buffer.from(chunk))) this.#pause();
    if (this.#manner === 'slow') this.#pause();
  }

  onEnd(trailers: HeaderList | null): void {
    assert.equal(this.end, 'open', 'one end');
    this.end = 'whole';
    this.trailers = trailers?.flat ?? null;
    const { exchange } = this;
    if (this.#manner === 'large') return;
    if (!exchange.responded) {
      exchange.respond(ok('x-length', String(this.content.length)), this.content.length);
      exchange.write(Buffer.from(this.content, 'latin1'));
    }
    exchange.end(trailers);
  }

  onDrain(): void {
    assert.notEqual(this.end, 'client_gone');
    if (this.#manner === 'both') this.exchange.resume();
    if (this.#manner !== 'large') return;
    while (this.#left > 0) {
      const bytes = Math.min(this.#left, CHUNK_BYTES);
      this.#left -= bytes;
      if (!this.exchange.write(Buffer.alloc(bytes, 'x')) && this.#left > 0) return;
    }
    this.exchange.end(null);
  }

  onAbort({ code }: PerantaraError): void {
    assert.ok(this.end === 'open' || this.end === 'whole', 'one abort');
    this.end = code;
  }

  /** Takes more, if it paused by itself. */
  goOn(): boolean {
    if (this.#manner !== 'slow' || !this.#paused || this.end !== 'open') return false;
    this.#paused = false;
    this.exchange.resume();
    return true;
  }

  #pause(): void {
    this.#paused = true;
    this.exchange.pause();
  }
}

export function recordingHandler(onServed: (served: Served) => void): Handler {
  return (exchange) => {
    const served = new Served(exchange);
    onServed(served);
    served.start();
  };
}

/** The sender of one request. With `slow` in its path it takes its response piece by piece. */
export class RecordingSender implements ResponseObserver {
  readonly carrier: RequestCarrier;
  readonly host: StreamHost;
  /** Each as `status name value …`. */
  readonly informed: string[] = [];
  head: string | null = null;
  length: number | null = null;
  content = '';
  trailers: readonly string[] | null = null;
  /** `open`, `whole`, or the code of the error. */
  end = 'open';
  /** What the error says. */
  reason = '';
  #isSlow = false;
  #paused = false;

  constructor(carrier: RequestCarrier) {
    this.carrier = carrier;
    this.host = hostOf(carrier);
  }

  /** Sends the request, with as much content as it declares. */
  start(request: OutgoingRequest): void {
    this.#isSlow = request.target.includes('slow');
    this.carrier.send(request, this);
    if (request.length === 0) return;
    this.carrier.write(Buffer.alloc(request.length ?? 10, 'y'));
    this.carrier.end(null);
  }

  onConnect(): void {}

  onInformation({ status, headers }: ResponseHead): void {
    assert.equal(this.head, null, 'hints come before the head');
    this.informed.push([status, ...headers.flat].join(' '));
  }

  onResponse({ status, headers }: ResponseHead, length: number | null): void {
    assert.equal(this.head, null, 'one head');
    assert.equal(this.end, 'open');
    this.head = [status, ...headers.flat].join(' ');
    this.length = length;
  }

  onUpgrade(): void {
    assert.fail('nobody asked for an upgrade');
  }

  onResponseData(chunk: Buffer): void {
    assert.ok(this.head !== null && this.end === 'open' && chunk.length > 0, 'content between head and end');
    this.content += chunk.toString('latin1');
    if (!this.#isSlow) return;
    this.#paused = true;
    this.carrier.pause();
  }

  onResponseIdle(): void {
    assert.equal(this.end, 'open');
  }

  onResponseEnd(trailers: HeaderList | null): void {
    assert.ok(this.head !== null && this.end === 'open', 'one end, behind a head');
    this.end = 'whole';
    this.trailers = trailers?.flat ?? null;
  }

  onRequestDrain(): void {}

  onResponseError({ code, message }: PerantaraError): void {
    assert.equal(this.end, 'open', 'one end');
    this.end = code;
    this.reason = message;
  }

  /** Takes more, if it paused. */
  goOn(): boolean {
    if (!this.#paused || this.end !== 'open') return false;
    this.#paused = false;
    this.carrier.resume();
    return true;
  }
}
