// A client's session and a server's, back to back: what one writes the other reads.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { PerantaraError } from '../../src/core/errors.ts';
import type { Exchange, ExchangeObserver } from '../../src/http/exchange.ts';
import { HeaderList } from '../../src/http/header-list.ts';
import { isBodyless, type ResponseHead } from '../../src/http/message.ts';
import type { OutgoingRequest } from '../../src/http/outgoing-request.ts';
import type { ResponseObserver } from '../../src/http/response-observer.ts';
import { CONTINUATION } from '../support/h2-frames.ts';
import { ClientWire, converse, ServerWire } from '../support/h2-wire.ts';
import { runs } from '../support/property-runs.ts';

interface Message {
  /** name, value … */
  readonly flat: readonly string[];
  /** Lengths. */
  readonly chunks: readonly number[];
  readonly trailers: readonly string[];
  readonly declares: boolean;
}

/** Takes content as long as it is wanted. */
interface Sink {
  write(chunk: Buffer): boolean;
  end(trailers: HeaderList | null): void;
}

class Pusher {
  readonly #message: Message;
  readonly #sink: Sink;
  #next = 0;

  constructor(message: Message, sink: Sink) {
    this.#message = message;
    this.#sink = sink;
  }

  push(): void {
    const { chunks, trailers } = this.#message;
    while (this.#next < chunks.length) {
      const index = this.#next++;
      if (!this.#sink.write(chunkOf(index, chunks[index]!)) && this.#next < chunks.length) return;
    }
    this.#sink.end(new HeaderList([...trailers]));
  }
}

const chunkOf = (index: number, length: number): Buffer => Buffer.alloc(length, `${index}: some content.`);
const contentOf = ({ chunks }: Message): Buffer => Buffer.concat(chunks.map((length, index) => chunkOf(index, length)));
const lengthOf = (message: Message): number | null => (message.declares ? contentOf(message).length : null);

class Taken {
  head: unknown = null;
  trailers: readonly string[] = [];
  error: string | null = null;
  ended = false;
  readonly #chunks: Buffer[] = [];

  take(chunk: Buffer): void {
    this.#chunks.push(Buffer.from(chunk));
  }

  end(trailers: HeaderList | null): void {
    assert.ok(!this.ended);
    this.ended = true;
    this.trailers = trailers?.flat ?? [];
  }

  get content(): Buffer {
    return Buffer.concat(this.#chunks);
  }
}

/** Reads a request, then answers. */
class Answerer extends Taken implements ExchangeObserver {
  readonly exchange: Exchange;
  readonly #pusher: Pusher;
  readonly #answer: Message;
  readonly #status: number;

  constructor(exchange: Exchange, status: number, answer: Message) {
    super();
    this.exchange = exchange;
    this.#status = status;
    this.#answer = answer;
    this.#pusher = new Pusher(answer, exchange);
    exchange.observe(this);
    exchange.receive();
  }

  onData(chunk: Buffer): void {
    this.take(chunk);
  }

  onEnd(trailers: HeaderList | null): void {
    this.end(trailers);
    const head = { status: this.#status, reason: '', headers: new HeaderList([...this.#answer.flat]) };
    this.exchange.respond(head, lengthOf(this.#answer));
    this.#pusher.push();
  }

  onDrain(): void {
    this.#pusher.push();
  }

  onAbort({ code }: PerantaraError): void {
    this.error = code;
  }
}

class Asker extends Taken implements ResponseObserver {
  pusher: Pusher | null = null;

  onResponse({ status, headers }: ResponseHead, length: number | null): void {
    this.head = [status, headers.flat, length];
  }

  onResponseData(chunk: Buffer): void {
    this.take(chunk);
  }

  onResponseEnd(trailers: HeaderList | null): void {
    this.end(trailers);
  }

  onRequestDrain(): void {
    this.pusher?.push();
  }

  onResponseError({ code }: PerantaraError): void {
    this.error = code;
  }

  onConnect(): void {}
  onInformation(): void {}
  onUpgrade(): void {}
  onResponseIdle(): void {}
}

const name = fc.stringMatching(/^X-[A-Za-z0-9-]{1,12}$/);
const value = fc.stringMatching(/^([!-~\x80-\xff]([\t !-~\x80-\xff]{0,20}[!-~\x80-\xff])?)?$/);
const longField = fc
  .tuple(fc.constantFrom('a', '\xfe', '%'), fc.integer({ min: 4_000, max: 7_000 }))
  .map(([char, count]) => ['X-Long', char.repeat(count)] as [string, string]);
/** `longFields`: how many at most; more than two take more than one frame. */
const message = (longFields: number): fc.Arbitrary<Message> =>
  fc.record({
    flat: fc
      .tuple(
        fc.array(fc.tuple(name, value), { maxLength: 6 }),
        fc.oneof(
          { weight: 3, arbitrary: fc.constant([]) },
          fc.array(longField, { minLength: 3, maxLength: longFields }),
        ),
      )
      .map(([short, long]) => [...short, ...long].flat()),
    chunks: fc.array(fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 80_000 })), { maxLength: 4 }),
    trailers: fc.oneof(
      { weight: 3, arbitrary: fc.constant([]) },
      fc.array(fc.tuple(name, fc.stringMatching(/^[a-z]{0,9}$/)), { maxLength: 3 }).map((list) => list.flat()),
    ),
    declares: fc.boolean(),
  });

const exchange = fc.record({
  method: fc.constantFrom('GET', 'POST', 'HEAD', 'PUT'),
  status: fc.constantFrom(200, 404, 204, 304),
  asked: message(4), // within what a server takes
  answered: message(8),
});

const lower = (list: readonly string[]): string[] => list.map((text, i) => (i % 2 === 0 ? text.toLowerCase() : text));

let longHeads = 0;

test('requests and responses that a session writes are read as they were by the other side', () => {
  fc.assert(
    fc.property(fc.array(exchange, { minLength: 1, maxLength: 4 }), (exchanges) => {
      const answerers: Answerer[] = [];
      const server = new ServerWire((incoming) => {
        const { status, answered } = exchanges[Number(incoming.request.path.slice(1))]!;
        answerers.push(new Answerer(incoming, status, answered));
      });
      const client = new ClientWire([]);
      const askers = exchanges.map(({ method, asked }, i) => {
        const carrier = client.session.openStream();
        const asker = new Asker();
        asker.pusher = new Pusher(asked, carrier);
        const request: OutgoingRequest = {
          ...{ method, target: `/${i}`, upgradeTo: null, acceptsTrailers: i % 2 === 0 },
          headers: new HeaderList(['Host', 'app.localhost', ...asked.flat]),
          length: asked.chunks.length > 0 ? lengthOf(asked) : asked.trailers.length > 0 ? null : 0,
        };
        carrier.send(request, asker);
        if (request.length !== 0) asker.pusher.push();
        return asker;
      });
      client.settle();
      converse(client, server);
      assert.deepEqual([client.referee.complaints, server.referee.complaints, server.faults], [[], [], []]);
      for (const [i, { method, status, asked, answered }] of exchanges.entries()) {
        const got = answerers[i]!;
        const { request, acceptsTrailers } = got.exchange;
        assert.deepEqual([request.method, request.path, acceptsTrailers], [method, `/${i}`, i % 2 === 0]);
        assert.deepEqual(request.headers.flat, ['Host', 'app.localhost', ...lower(asked.flat)]);
        assert.ok(got.ended && got.content.equals(contentOf(asked)));
        assert.deepEqual([got.trailers, got.error], [lower(asked.trailers), null]);
        const asker = askers[i]!;
        const isEmpty = isBodyless(method, status);
        const [code, fields, length] = asker.head as [number, string[], number | null];
        assert.deepEqual([code, fields], [status, lower(answered.flat)]);
        if (answered.declares && status !== 204) assert.equal(length, lengthOf(answered));
        assert.ok(asker.ended && asker.content.equals(isEmpty ? Buffer.alloc(0) : contentOf(answered)));
        assert.deepEqual([asker.trailers, asker.error], [isEmpty ? [] : lower(answered.trailers), null]);
      }
      longHeads += client.inbox.frames.filter(({ type }) => type === CONTINUATION).length;
      server.cut();
      client.cut();
    }),
    runs(80),
  );
  assert.ok(longHeads > 0, 'some heads take more than one frame');
});
