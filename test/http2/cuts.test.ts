import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HeaderList } from '../../src/http/header-list.ts';
import type { OutgoingRequest } from '../../src/http/outgoing-request.ts';
import { type FrameConsumer, FrameReader } from '../../src/http2/frame-reader.ts';
import { PREFACE } from '../support/h2-frames.ts';
import type { FieldPair } from '../support/h2-headers.ts';
import {
  clientConnection,
  type Meant,
  promptConnection,
  serverConnection,
  type WrittenConnection,
} from '../support/h2-messages.ts';
import { mutated } from '../support/h2-mutations.ts';
import { ClientWire, ServerWire } from '../support/h2-wire.ts';
import { runs } from '../support/property-runs.ts';

type Cuts = readonly number[] | 'frames' | 'bytes';

/** Where a connection is cut: at any bytes, mostly near its start, where heads are; at the ends of frames; everywhere. */
const cuts: fc.Arbitrary<Cuts> = fc.oneof(
  fc.array(fc.nat(2_000), { maxLength: 12 }),
  fc.array(fc.nat(200_000), { maxLength: 12 }),
  fc.constantFrom('frames' as const, 'bytes' as const),
);

function cutUp(frames: readonly Buffer[], where: Cuts): Buffer[] {
  if (where === 'frames') return [...frames];
  const whole = Buffer.concat(frames);
  if (where === 'bytes')
    return Array.from({ length: Math.min(whole.length, 1_500) }, (_, at) => whole.subarray(at, at + 1)).concat(
      whole.subarray(1_500),
    );
  const ends = [...new Set(where)].filter((at) => at > 0 && at < whole.length).sort((a, b) => a - b);
  return [...ends, whole.length].map((end, i) => whole.subarray(ends[i - 1] ?? 0, end));
}

/** What a reader finds in the pieces, the content of each DATA frame as one. */
function framesIn(pieces: readonly Buffer[]): unknown[] {
  const found: unknown[] = [];
  let data = '';
  const consumer: FrameConsumer = {
    onFrame: (type, flags, streamId, buf, start, end) =>
      found.push([type, flags, streamId, buf.toString('latin1', start, end)]),
    onDataHead: (flags, streamId, length) => found.push([0, flags, streamId, length]),
    onDataPiece: (buf, start, end) => {
      data += buf.toString('latin1', start, end);
    },
    onDataEnd: () => {
      found.push(data);
      data = '';
    },
  };
  const reader = new FrameReader(consumer);
  for (const piece of pieces) {
    const lent = Buffer.concat([Buffer.from('#'), piece]);
    reader.read(lent, 1);
    lent.fill(0xaa);
  }
  assert.ok(!reader.started);
  return found;
}

test('frames are read the same wherever they are cut', () => {
  fc.assert(
    fc.property(clientConnection, cuts, ({ frames }, where) => {
      const behindPreface = frames.filter((one) => one !== PREFACE);
      assert.deepEqual(framesIn(cutUp(behindPreface, where)), framesIn([Buffer.concat(behindPreface)]));
    }),
    runs(300),
  );
});

/** The fields of a request as an Exchange shows them. */
function asShown({ head }: Meant): string[] {
  const [, , , authority, ...fields] = head;
  const passed = fields.filter(([name]) => !['te', 'content-length', 'cookie'].includes(name));
  const crumbs = fields.filter(([name]) => name === 'cookie').map(([, crumb]) => crumb);
  const cookie: FieldPair[] = crumbs.length === 0 ? [] : [['cookie', crumbs.join('; ')]];
  return [['Host', authority![1]], ...passed, ...cookie].flat() as string[];
}

/** All that came of the requests and their answers. */
function served({ frames, messages }: WrittenConnection, where: Cuts) {
  const wire = new ServerWire();
  for (const piece of cutUp(frames, where)) wire.feed(piece);
  const streams = [...messages.keys()];
  wire.openWindows(streams);
  assert.deepEqual(wire.referee.complaints, []);
  assert.deepEqual(wire.faults, []);
  const exchanges = wire.exchanges.map(({ exchange, content, trailers, end }) => {
    const { method, path, query, headers, host } = exchange.request;
    const got = end === 'whole' ? [content, trailers] : [];
    return [method, path + query, host, headers.flat, exchange.requestLength, exchange.acceptsTrailers, end, ...got];
  });
  const answers = streams.map((id) => {
    const { fields, informational, body, trailers, ended, reset } = wire.inbox.stream(id);
    // How much of a late request may come before its client is told to stop depends on when the response leaves.
    const error = reset === 'NO_ERROR' ? null : reset;
    return [fields, informational, trailers, ended, error, ended ? body : ''];
  });
  const { goaway } = wire.inbox;
  const pongs = wire.inbox.frames.filter(({ type, flags }) => type === 6 && flags === 1).length;
  wire.cut();
  return { exchanges, answers, goaway, pongs, wire };
}

test('any valid requests are read as they were written, and answered the same, wherever they are cut', () => {
  fc.assert(
    fc.property(clientConnection, cuts, (written, where) => {
      const { wire: whole, ...expected } = served(written, []);
      assert.equal(expected.goaway, null);
      assert.equal(whole.exchanges.length, written.messages.size);
      for (const [i, meant] of [...written.messages.values()].entries()) {
        const { exchange, end, content, trailers } = whole.exchanges[i]!;
        assert.deepEqual(exchange.request.headers.flat, asShown(meant));
        if (/^\/(?:now|large|abort)/.test(exchange.request.path)) continue;
        assert.deepEqual([end, content, trailers], ['whole', meant.content, meant.trailers?.flat() ?? null]);
      }
      const { wire, ...got } = served(written, where);
      assert.deepEqual(got, expected);
    }),
    runs(250),
  );
});

/** The requests as they were shown, with the content of those that came whole, and whether the connection was refused. */
function taken(bytes: Buffer, where: Cuts) {
  const wire = new ServerWire();
  for (const piece of cutUp([bytes], where)) wire.feed(piece);
  const exchanges = wire.exchanges.map(({ exchange, content, trailers, end }) => {
    const { method, path, headers } = exchange.request;
    headers.remove('sec-websocket-key'); // made up for each
    const whole = end === 'whole' ? [content, trailers] : [];
    return { asked: [method, path, headers.flat, exchange.requestLength], whole };
  });
  return { exchanges, refused: wire.inbox.goaway?.code };
}

/** What is in both; a frame too many on a stream is judged by whether its answer has left, and that comes with turns. */
function inCommon(one: ReturnType<typeof taken>, other: ReturnType<typeof taken>): unknown {
  if (one.refused === other.refused) return one;
  const { length } = one.exchanges.length < other.exchanges.length ? one.exchanges : other.exchanges;
  return one.exchanges.slice(0, length).map(({ asked, whole }, i) => {
    return [asked, other.exchanges[i]!.whole.length === 0 ? [] : whole];
  });
}

test('mutated connections of clients are taken and refused the same wherever they are cut', () => {
  let [tried, differing] = [0, 0];
  fc.assert(
    fc.property(mutated(promptConnection), cuts, (bytes, where) => {
      const [got, expected] = [taken(bytes, where), taken(bytes, [])];
      tried++;
      if (got.refused !== expected.refused) differing++;
      assert.deepEqual(inCommon(got, expected), inCommon(expected, got));
    }),
    runs(500),
  );
  assert.ok(differing * 20 < tried, `${differing} of ${tried} were refused otherwise`);
});

const REQUESTS: readonly OutgoingRequest[] = ['/1', '/2/slow', '/3'].map((target, i) => ({
  method: ['GET', 'POST', 'PUT'][i]!,
  target,
  headers: new HeaderList(['Host', 'app.localhost', 'X-Number', String(i)]),
  length: [0, null, 5][i]!,
  upgradeTo: null,
  acceptsTrailers: true,
}));

function answered({ frames }: WrittenConnection, where: Cuts) {
  const wire = new ClientWire(REQUESTS);
  for (const piece of cutUp(frames, where)) wire.feed(piece);
  assert.deepEqual(wire.referee.complaints, []);
  const answers = wire.senders.map(({ informed, head, length, content, trailers, end }) => {
    return { informed, head, length, content, trailers, end };
  });
  const asked = REQUESTS.map((_, i) => wire.inbox.stream(2 * i + 1)).map(({ fields, body, ended, reset }) => {
    return [fields, body, ended, reset];
  });
  const { goaway } = wire.inbox;
  const { told } = wire;
  wire.cut();
  return { answers, asked, goaway, told };
}

test('any valid responses are read as they were written wherever they are cut', () => {
  fc.assert(
    fc.property(serverConnection(REQUESTS.length), cuts, (written, where) => {
      const expected = answered(written, []);
      assert.equal(expected.goaway, null);
      for (const [i, meant] of [...written.messages.values()].entries()) {
        const { head, content, trailers, end } = expected.answers[i]!;
        const [status, ...fields] = meant.head;
        const passed = fields.filter(([name]) => name !== 'content-length');
        assert.equal(head, [status![1], ...passed.flat()].join(' '));
        assert.deepEqual([end, content, trailers], ['whole', meant.content, meant.trailers?.flat() ?? null]);
      }
      assert.deepEqual(answered(written, where), expected);
    }),
    runs(250),
  );
});
