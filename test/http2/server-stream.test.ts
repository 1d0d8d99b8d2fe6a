import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Exchange, ExchangeObserver, Handler } from '../../src/http/exchange.ts';
import { HeaderList } from '../../src/http/header-list.ts';
import { sendPlain } from '../../src/http/plain-response.ts';
import {
  ACK,
  data,
  END_STREAM,
  HEADER_TABLE_SIZE,
  HEADERS,
  INITIAL_WINDOW_SIZE,
  PREFACE,
  rstStream,
  type Setting,
  settings,
  settingsAck,
  windowUpdate,
} from '../support/h2-frames.ts';
import { headers, requestFields } from '../support/h2-headers.ts';
import { ServerWire } from '../support/h2-wire.ts';

const NOTHING: ExchangeObserver = { onData: () => {}, onEnd: () => {}, onDrain: () => {}, onAbort: () => {} };

/** A session whose client has begun. */
function begun(handler: Handler, ...list: readonly Setting[]): ServerWire {
  const wire = new ServerWire(handler);
  wire.feed(Buffer.concat([PREFACE, settings(...list), settingsAck()]));
  return wire;
}

const get = (stream: number, path = '/'): Buffer => headers(stream, requestFields(path), END_STREAM);
const post = (stream: number, path = '/'): Buffer => headers(stream, requestFields(path, 'POST'));
const respond = (exchange: Exchange, length: number | null, ...flat: readonly string[]): void =>
  exchange.respond({ status: 200, reason: '', headers: new HeaderList([...flat]) }, length);

test('a head of many frames, before which others leave in the middle of it, ends its own stream and harms none', () => {
  const long = ['x-long', '\xfe'.repeat(40_000)];
  const wire = begun((exchange) => {
    if (exchange.request.path === '/fill') {
      respond(exchange, null);
      for (let i = 0; i < 3; i++) exchange.write(Buffer.alloc(10_000, 'f'));
    } else {
      respond(exchange, 0, ...long);
      exchange.end(null);
    }
  });
  wire.feed(Buffer.concat([get(1, '/fill'), get(3, '/long'), get(5, '/long'), get(7, '/long')]));
  for (const stream of [3, 5, 7]) {
    const { ended, fields } = wire.inbox.stream(stream);
    assert.ok(ended, `stream ${stream}`);
    assert.equal(fields?.at(-2)?.[1], long[1]);
  }
  assert.ok(wire.inbox.stream(1).body === 'f'.repeat(30_000) && !wire.inbox.stream(1).ended);
  assert.deepEqual(wire.referee.complaints, []);
});

test('a handler that receives a request without content is told of its end', () => {
  const told: unknown[] = [];
  const wire = begun((exchange) => {
    exchange.observe({
      ...NOTHING,
      onEnd: (trailers) => {
        told.push(trailers);
        sendPlain(exchange, 200, 'text/plain', 'hello');
      },
    });
    exchange.receive();
  });
  wire.feed(get(1));
  assert.deepEqual(told, [null]);
  assert.equal(wire.inbox.stream(1).body, 'hello');
});

test('what a handler throws is answered on its own stream, and is nobody else’s end', () => {
  const fault = (): never => {
    throw new Error('a fault of the handler');
  };
  const observers: Record<string, (exchange: Exchange) => ExchangeObserver> = {
    '/head': fault,
    '/data': () => ({ ...NOTHING, onData: fault }),
    '/end': () => ({ ...NOTHING, onEnd: fault }),
    '/drain': (exchange) => {
      respond(exchange, null);
      while (exchange.write(Buffer.alloc(10_000)));
      return { ...NOTHING, onDrain: fault };
    },
    '/good': () => NOTHING,
  };
  const good: Exchange[] = [];
  const wire = begun(
    (exchange) => {
      exchange.observe(observers[exchange.request.path]!(exchange));
      exchange.receive();
      if (exchange.request.path === '/good') good.push(exchange);
    },
    [INITIAL_WINDOW_SIZE, 300_000],
  );
  wire.feed(Buffer.concat(Object.keys(observers).map((path, i) => post(2 * i + 1, path))));
  wire.feed(Buffer.concat([1, 3, 5, 7, 9].map((stream) => data(stream, 'x', END_STREAM))));
  wire.feed(windowUpdate(0, 300_000));
  for (const stream of [1, 3, 5]) assert.equal(wire.inbox.stream(stream).status, 500, `stream ${stream}`);
  assert.equal(wire.inbox.stream(7).reset, 'INTERNAL_ERROR');
  assert.deepEqual(
    wire.faults.map(({ code, cause }) => [code, (cause as Error).message]),
    Array.from({ length: 4 }, () => ['internal', 'a fault of the handler']),
  );
  sendPlain(good[0]!, 200, 'text/plain', 'hello');
  wire.settle();
  assert.equal(wire.inbox.stream(9).body, 'hello');
  assert.equal(wire.inbox.goaway, null);
});

test('trailers of which nothing is left are no trailers', () => {
  const wire = begun((exchange) => {
    respond(exchange, null);
    exchange.end(new HeaderList());
  });
  wire.feed(get(1));
  const { ended, trailers } = wire.inbox.stream(1);
  assert.deepEqual([ended, trailers], [true, null]);
});

test('a table that is emptied and allowed again in one SETTINGS is emptied', () => {
  const wire = begun((exchange) => {
    respond(exchange, 0, 'x-repeated', 'a value that is worth a place');
    exchange.end(null);
  });
  for (const stream of [1, 3, 5]) wire.feed(get(stream));
  const blockOf = (stream: number): Buffer =>
    wire.inbox.frames.find((one) => one.type === HEADERS && one.stream === stream)!.payload;
  assert.ok(blockOf(5).length < 8, 'the table is used');
  wire.feed(Buffer.concat([settings([HEADER_TABLE_SIZE, 0], [HEADER_TABLE_SIZE, 4_096]), get(7)]));
  // RFC 7541 section 4.2: the smallest size, then the last.
  assert.equal(blockOf(7).toString('hex', 0, 4), '203fe11f');
  assert.ok(blockOf(7).length > 20);
});

test('the answer to a request that is not complete stands until its client has read it', () => {
  const wire = begun((exchange) => sendPlain(exchange, 200, 'text/plain', 'no'));
  wire.feed(post(1));
  assert.ok(wire.inbox.stream(1).ended);
  wire.feed(data(1, 'x'.repeat(10_000)));
  assert.equal(wire.inbox.stream(1).reset, null);
  wire.feed(data(1, 'x'.repeat(10_000)));
  assert.equal(wire.inbox.stream(1).reset, 'NO_ERROR');
  assert.equal(wire.inbox.goaway, null);
});

test('requests without end of a client that reads nothing are read no further once enough has piled up', () => {
  let served = 0;
  const wire = begun((exchange) => {
    served++;
    respond(exchange, null, 'x-long', String(served).padStart(2_000, '\xfe'));
    exchange.end(null);
  });
  wire.takes = false;
  const requests = (from: number): Buffer =>
    Buffer.concat(Array.from({ length: 50 }, (_, i) => headers(from + 2 * i, requestFields('/', 'HEAD'), END_STREAM)));
  let from = 1;
  for (; !wire.paused && from < 10_000; from += 100) wire.feed(requests(from));
  assert.ok(wire.paused && served < 500, `${served} answers that nobody reads`);
  wire.takes = true;
  wire.settle();
  assert.ok(!wire.paused, 'it goes on when they are read');
  assert.ok(wire.inbox.stream(from - 2).ended);
  wire.feed(requests(from));
  assert.ok(wire.inbox.stream(from).ended);
  assert.equal(wire.inbox.frames.filter(({ type, flags }) => type === 4 && flags === ACK).length, 1);
});

test('a handler that has ended its response hears of nothing that becomes of it', () => {
  const told: string[] = [];
  for (const cut of ['reset', 'connection'] as const) {
    const wire = begun(
      (exchange) => {
        exchange.observe({ ...NOTHING, onAbort: ({ code }) => void told.push(code) });
        respond(exchange, 10);
        exchange.write(Buffer.alloc(10));
        exchange.end(null);
      },
      [INITIAL_WINDOW_SIZE, 0],
    );
    wire.feed(get(1));
    assert.equal(wire.inbox.stream(1).ended, false, 'its content waits');
    if (cut === 'reset') wire.feed(rstStream(1));
    wire.cut();
  }
  assert.deepEqual(told, []);
});

test('content that was held for a request that is over reaches nobody', () => {
  const came: string[] = [];
  const exchanges: Exchange[] = [];
  const wire = begun((exchange) => {
    exchanges.push(exchange);
    exchange.observe({ ...NOTHING, onData: (chunk) => void came.push(chunk.toString()) });
    exchange.pause();
    exchange.receive();
  });
  wire.feed(Buffer.concat([post(1), data(1, 'held')]));
  wire.feed(rstStream(1));
  exchanges[0]!.resume();
  assert.deepEqual(came, []);
  wire.cut();
});

test('a response that is not as long as its head says is broken off, never ended', () => {
  const wire = begun((exchange) => {
    respond(exchange, 10);
    exchange.write(Buffer.from('hello'));
    exchange.end(null);
  });
  wire.feed(get(1));
  const { ended, reset } = wire.inbox.stream(1);
  assert.deepEqual([ended, reset], [false, 'INTERNAL_ERROR']);
  wire.cut();
});

test('a tunnel that is reset while the end of its content waits to be taken leaves no deadline', () => {
  const wire = begun((exchange) => {
    exchange.observe(NOTHING);
    exchange.pause();
    exchange.upgrade({ status: 101, reason: '', headers: new HeaderList() }, 'websocket');
    exchange.receive();
  });
  wire.feed(headers(1, requestFields('/', 'CONNECT', [[':protocol', 'websocket']])));
  wire.feed(data(1, 'waits', END_STREAM));
  wire.feed(rstStream(1));
  wire.cut(); // which looks for deadlines
});
