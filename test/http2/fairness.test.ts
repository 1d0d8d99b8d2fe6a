// Whose DATA leaves next when all have more than the connection takes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ContentSource, sourceHandler } from '../support/content-source.ts';
import {
  DATA,
  END_STREAM,
  frame,
  INITIAL_WINDOW_SIZE,
  PREFACE,
  settings,
  settingsAck,
  uint32,
  windowUpdate,
} from '../support/h2-frames.ts';
import { type FieldPair, headers, requestFields } from '../support/h2-headers.ts';
import { ServerWire } from '../support/h2-wire.ts';

const LARGE = '/4000000';

/** A session whose client has opened all windows and takes nothing, so that what is asked for waits. */
function stalled(chunkBytes?: number): ServerWire {
  const wire = new ServerWire(sourceHandler(undefined, chunkBytes));
  wire.feed(
    Buffer.concat([PREFACE, settings([INITIAL_WINDOW_SIZE, 2 ** 30]), settingsAck(), windowUpdate(0, 2 ** 30)]),
  );
  wire.takes = false;
  return wire;
}

function ask(wire: ServerWire, stream: number, path: string, priority?: string): void {
  const more: FieldPair[] = priority === undefined ? [] : [['priority', priority]];
  wire.feed(headers(stream, requestFields(path, 'GET', more), END_STREAM));
}

/** Fills the socket with the content of stream 1, which goes on when it is taken. */
function fill(wire: ServerWire, priority?: string): void {
  ask(wire, 1, LARGE, priority);
}

/** Lets the client take everything. Returns the streams of the DATA frames that came, in order. */
function take(wire: ServerWire): number[] {
  const from = wire.inbox.frames.length;
  wire.takes = true;
  wire.settle();
  const came = wire.inbox.frames.slice(from).filter(({ type }) => type === DATA);
  return came.map(({ stream }) => stream);
}

/** The same with the number of frames in a row. */
function rowsOf(streams: readonly number[]): [stream: number, frames: number][] {
  const rows: [number, number][] = [];
  for (const stream of streams) {
    const last = rows.at(-1);
    if (last?.[0] === stream) last[1]++;
    else rows.push([stream, 1]);
  }
  return rows;
}

test('small answers are not held up by large ones that have begun', () => {
  for (const priority of [undefined, 'i', 'u=3']) {
    const wire = stalled();
    fill(wire, priority);
    for (const stream of [3, 5, 7]) ask(wire, stream, LARGE, priority);
    for (const stream of [101, 103, 105]) ask(wire, stream, '/100', priority);
    const order = take(wire);
    const inSocket = order.findIndex((stream) => stream !== 1);
    assert.ok(inSocket > 10, 'the large one was far ahead');
    const before = order.slice(inSocket, order.indexOf(105));
    const isAlone = priority === 'u=3'; // not incremental: a few frames in a row
    assert.ok(before.length <= 4 * (isAlone ? 4 : 1) + 2, `${before}`);
    for (const stream of [1, 3, 5, 7, 101, 103, 105]) assert.ok(wire.inbox.stream(stream).ended);
    wire.cut();
  }
});

test('streams that are incremental take turns frame by frame, others a few frames each', () => {
  for (const [priority, frames] of [
    ['u=3, i', 1],
    ['u=3', 4],
  ] as const) {
    const wire = stalled(131_000);
    fill(wire, 'u=7');
    for (const stream of [3, 5]) ask(wire, stream, '/131000', priority);
    const rows = rowsOf(take(wire)).filter(([stream]) => stream !== 1);
    assert.deepEqual(rows.slice(0, 4), [
      [3, frames],
      [5, frames],
      [3, frames],
      [5, frames],
    ]);
    wire.cut();
  }
});

test('a stream whose window is enlarged again and again has one place in the line', () => {
  const wire = stalled(60_000);
  fill(wire, 'u=7');
  for (const stream of [3, 5]) ask(wire, stream, '/60000', 'i');
  for (let times = 0; times < 10; times++) wire.feed(windowUpdate(3, 1));
  const rows = rowsOf(take(wire)).filter(([stream]) => stream !== 1);
  assert.deepEqual(rows.slice(0, 4), [
    [3, 1],
    [5, 1],
    [3, 1],
    [5, 1],
  ]);
  wire.cut();
});

test('what is more urgent leaves first, whatever was asked for first', () => {
  const wire = stalled();
  fill(wire, 'u=7');
  ask(wire, 3, '/16000', 'u=6');
  ask(wire, 5, '/16000'); // 3
  ask(wire, 7, '/16000', 'u=0');
  ask(wire, 9, '/16000', 'u=5, i');
  ask(wire, 11, '/16000', 'u=4');
  const rows = rowsOf(take(wire)).filter(([stream]) => stream !== 1);
  assert.deepEqual(
    rows.map(([stream]) => stream),
    [7, 5, 11, 9, 3],
  );
  for (const stream of [3, 5, 7, 9, 11]) assert.ok(wire.inbox.stream(stream).ended);
  assert.equal(wire.inbox.stream(1).received, 4_000_000);
  wire.cut();
});

test('PRIORITY_UPDATE changes the order of what waits', () => {
  const wire = stalled();
  fill(wire, 'u=7');
  for (const stream of [3, 5, 7]) ask(wire, stream, '/16000', 'u=3');
  const update = (stream: number, value: string): Buffer =>
    frame(0x10, 0, 0, Buffer.concat([uint32(stream), Buffer.from(value)]));
  wire.feed(Buffer.concat([update(7, 'u=1'), update(3, 'u=6 , i'), update(99, 'u=0'), update(5, '#!')]));
  const rows = rowsOf(take(wire)).filter(([stream]) => stream !== 1);
  assert.deepEqual(
    rows.map(([stream]) => stream),
    [7, 5, 3],
  );
  assert.equal(wire.inbox.goaway, null);
  wire.cut();
});

test('who is told that there is room again does not take all of it', () => {
  const sources = new Map<string, ContentSource>();
  const wire = new ServerWire(sourceHandler((source) => void sources.set(source.exchange.request.path, source)));
  wire.feed(
    Buffer.concat([PREFACE, settings([INITIAL_WINDOW_SIZE, 2 ** 30]), settingsAck(), windowUpdate(0, 2 ** 30)]),
  );
  wire.takes = false;
  const paths = ['/900000001', '/900000002', '/900000003'];
  for (const [i, path] of paths.entries()) ask(wire, 2 * i + 1, path);
  for (let drains = 0; drains < 10; drains++) {
    wire.takeOnce();
    const given = paths.map((path) => sources.get(path)!.given);
    assert.ok(drains === 0 || Math.min(...given) > drains * 16_384, `after ${drains} times: ${given}`);
  }
  const given = paths.map((path) => sources.get(path)!.given);
  assert.ok(Math.max(...given) - Math.min(...given) < 1024 * 1024, `${given}`);
  wire.cut();
});
