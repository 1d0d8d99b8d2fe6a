// Windows of what the server sends and receives (RFC 9113 sections 5.2 and 6.9). That none is ever overrun, the referee in the
// wire watches too.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Exchange } from '../../src/http/exchange.ts';
import { sourceHandler } from '../support/content-source.ts';
import {
  data,
  END_STREAM,
  frame,
  INITIAL_WINDOW_SIZE,
  PADDED,
  PREFACE,
  padded,
  rstStream,
  type Setting,
  settings,
  settingsAck,
  WINDOW_UPDATE,
  windowUpdate,
} from '../support/h2-frames.ts';
import { headers, requestFields } from '../support/h2-headers.ts';
import { ServerWire } from '../support/h2-wire.ts';

const MAX = 2 ** 31 - 1;
const MIB = 1024 * 1024;
const get = (stream: number, path: string): Buffer => headers(stream, requestFields(path), END_STREAM);
const post = (stream: number, path = '/'): Buffer => headers(stream, requestFields(path, 'POST'));

function begun(handler: ConstructorParameters<typeof ServerWire>[0], ...list: readonly Setting[]): ServerWire {
  const wire = new ServerWire(handler);
  wire.feed(Buffer.concat([PREFACE, settings(...list), settingsAck()]));
  return wire;
}

test('a window that becomes smaller than what has been sent is negative until it is made up for', () => {
  const wire = begun(sourceHandler(), [INITIAL_WINDOW_SIZE, 1_000]);
  wire.feed(get(1, '/3000'));
  const message = wire.inbox.stream(1);
  assert.equal(message.received, 1_000);
  const steps: (readonly [sent: Buffer, received: number])[] = [
    [settings([INITIAL_WINDOW_SIZE, 300]), 1_000], // -700
    [windowUpdate(1, 700), 1_000],
    [windowUpdate(1, 1), 1_001],
    [settings([INITIAL_WINDOW_SIZE, 0]), 1_001], // -300
    [settings([INITIAL_WINDOW_SIZE, 299]), 1_001],
    [settings([INITIAL_WINDOW_SIZE, 310], [INITIAL_WINDOW_SIZE, 301]), 1_002],
    [settings([INITIAL_WINDOW_SIZE, 2_000]), 2_701],
    [windowUpdate(1, 10_000), 3_000],
  ];
  for (const [sent, received] of steps) {
    wire.feed(sent);
    assert.equal(message.received, received);
  }
  assert.ok(message.ended);
  assert.deepEqual(wire.referee.complaints, []);
  wire.cut();
});

test('an end without content needs no window; content waits for both windows', () => {
  const wire = begun(sourceHandler(), [INITIAL_WINDOW_SIZE, 0]);
  wire.feed(Buffer.concat([get(1, '/0'), get(3, '/70000'), get(5, '/10')]));
  assert.ok(wire.inbox.stream(1).ended);
  wire.feed(windowUpdate(3, 100_000));
  assert.equal(wire.inbox.stream(3).received, 65_535, 'all that the connection allows');
  wire.feed(windowUpdate(5, 100));
  assert.equal(wire.inbox.stream(5).received, 0);
  wire.feed(windowUpdate(0, 10));
  wire.feed(windowUpdate(0, 10_000));
  assert.ok(wire.inbox.stream(3).ended && wire.inbox.stream(5).ended);
  wire.cut();
});

test('windows go as far as they may, and a step further is an error on its level', () => {
  const wire = begun(sourceHandler(), [INITIAL_WINDOW_SIZE, 0]);
  wire.feed(Buffer.concat([get(1, '/10'), get(3, '/10')]));
  wire.feed(Buffer.concat([windowUpdate(0, MAX - 65_535), windowUpdate(1, 5)]));
  wire.feed(windowUpdate(1, MAX));
  assert.equal(wire.inbox.stream(1).ended, true);
  wire.feed(windowUpdate(3, MAX));
  wire.feed(Buffer.concat([get(5, '/1000000'), windowUpdate(5, MAX)]));
  wire.feed(Buffer.concat([post(7), windowUpdate(7, MAX), windowUpdate(7, 1)]));
  assert.equal(wire.inbox.stream(7).reset, 'FLOW_CONTROL_ERROR');
  assert.ok(!wire.over);
  wire.feed(Buffer.concat([post(9), windowUpdate(9, MAX), settings([INITIAL_WINDOW_SIZE, 1])]));
  assert.equal(wire.inbox.goaway?.code, 'FLOW_CONTROL_ERROR');
  wire.cut();
});

/** Takes all content as it comes, or none while `isSlow`. */
function taker(exchanges: Exchange[], isSlow = false): (exchange: Exchange) => void {
  return (exchange) => {
    exchanges.push(exchange);
    exchange.observe({ onData: () => {}, onEnd: () => {}, onDrain: () => {}, onAbort: () => {} });
    if (isSlow) exchange.pause();
    exchange.receive();
  };
}

/** Sends content in frames as large as may be until the window of the stream is used up, or so much. */
function upload(wire: ServerWire, stream: number, most: number): number {
  let sent = 0;
  const room = (): number => Math.min(wire.windows.window(stream), most - sent);
  for (let bytes = room(); bytes > 0; bytes = room()) {
    const length = Math.min(bytes, 16_384);
    wire.windows.send(stream, length);
    wire.feed(data(stream, Buffer.alloc(length)));
    sent += length;
  }
  return sent;
}

test('nobody may send more of a request than its window while nobody takes it', () => {
  const exchanges: Exchange[] = [];
  const wire = begun(taker(exchanges, true));
  wire.feed(Buffer.concat([post(1), post(3)]));
  assert.equal(upload(wire, 1, 10 * MIB), 64 * 1024);
  assert.equal(upload(wire, 3, 10 * MIB), 64 * 1024, 'others have windows of their own');
  wire.feed(data(1, 'x'));
  assert.equal(wire.inbox.stream(1).reset, 'FLOW_CONTROL_ERROR');
  exchanges[1]!.resume();
  wire.settle();
  assert.ok(wire.windows.window(3) >= 64 * 1024, 'what has been taken is given back');
  wire.cut();
});

test('windows of uploads that are taken fast grow, each and all together only so far, and shrink with their streams', () => {
  const exchanges: Exchange[] = [];
  const wire = begun(taker(exchanges));
  for (let round = 0; round < 3; round++) {
    const streams = Array.from({ length: 10 }, (_, i) => 20 * round + 2 * i + 1);
    for (const stream of streams) {
      wire.feed(post(stream));
      upload(wire, stream, 3 * MIB);
    }
    const sizes = streams.map((stream) => wire.windows.own(stream));
    assert.ok(Math.max(...sizes) <= MIB && Math.max(...sizes) > MIB / 2, `${sizes}`);
    const all = sizes.reduce((sum, size) => sum + size);
    assert.ok(all <= 10 * 64 * 1024 + 4 * MIB && all > 3 * MIB, `${all}`);
    const { host } = exchanges.at(-1)! as unknown as { host: { grownBytes: number } };
    assert.ok(host.grownBytes > 3 * MIB && host.grownBytes <= 4 * MIB);
    for (const stream of streams) wire.feed(rstStream(stream, 'NO_ERROR'));
    assert.equal(host.grownBytes, 0);
  }
  assert.deepEqual(wire.referee.complaints, []);
});

test('padding and content that comes in tiny pieces are given back as well, before the peer has to wait', () => {
  const wire = begun(taker([]));
  wire.feed(post(1));
  for (let sent = 0; sent < 2 * MIB; ) {
    const payload = padded('x', 255);
    assert.ok(wire.windows.window(1) >= 16_384, `a whole frame may be sent, after ${sent} bytes`);
    wire.windows.send(1, payload.length);
    wire.feed(frame(0, PADDED, 1, payload));
    sent += payload.length;
  }
  assert.equal(wire.inbox.goaway, null);
  const updates = wire.inbox.frames.filter(({ type }) => type === WINDOW_UPDATE).length;
  assert.ok(updates < 200, `not one for each frame: ${updates}`);
  wire.cut();
});
