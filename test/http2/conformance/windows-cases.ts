// Windows of streams and of the connection, both ways (RFC 9113 sections 5.2, 6.9.1 and 6.9.2).
import assert from 'node:assert/strict';
import {
  ACK,
  DATA,
  data,
  END_STREAM,
  frame,
  HEADER_TABLE_SIZE,
  INITIAL_WINDOW_SIZE,
  MAX_FRAME_SIZE,
  PADDED,
  padded,
  rstStream,
  SETTINGS,
  WINDOW_UPDATE,
  windowUpdate,
} from '../../support/h2-frames.ts';
import { headers } from '../../support/h2-headers.ts';
import type { H2Peer } from '../../support/h2-peer.ts';
import { alive, answered, connectionError, streamError } from './outcomes.ts';
import type { Outcome, Sections } from './section.ts';
import { BODY } from './subject.ts';

const MOST = 2 ** 31 - 1;
const own = { habits: { returnWindow: false } } as const;
const opened = (size: number) => ({ ...own, settings: [[INITIAL_WINDOW_SIZE, size]] }) as const;

/** Lengths of the DATA frames on stream 1, once the server has seen all that was sent. */
function pieces(...expected: readonly number[]): Outcome {
  return async (peer) => {
    const total = expected.reduce((sum, length) => sum + length, 0);
    await peer.when(() => peer.stream(1).received >= total, 'content');
    await peer.roundTrip();
    const came = peer.frames.filter(({ type, stream }) => type === DATA && stream === 1);
    assert.deepEqual(
      came.map(({ payload }) => payload.length),
      expected,
    );
    assert.equal(peer.stream(1).body, BODY.slice(0, total));
  };
}

async function acknowledged(peer: H2Peer, count: number): Promise<void> {
  const acks = () => peer.frames.filter(({ type, flags }) => type === SETTINGS && flags === ACK).length;
  await peer.when(() => acks() >= count, `${count} acknowledgements`);
}

/** What the server lets us send: `stream` 0 is the connection. */
function allowance(peer: H2Peer, stream: number): number {
  const said = peer.frames.filter(({ type }) => type === SETTINGS).flatMap(({ settings }) => settings);
  const initial = stream === 0 ? 65_535 : (said.findLast(([id]) => id === INITIAL_WINDOW_SIZE)?.[1] ?? 65_535);
  const updates = peer.frames.filter((came) => came.type === WINDOW_UPDATE && came.stream === stream);
  return updates.reduce((sum, { payload }) => sum + payload.readUInt32BE(0), initial);
}

/** Sends DATA frames made by `next` on this stream until `total` payload bytes are sent, as windows allow. */
async function sendAll(
  peer: H2Peer,
  stream: number,
  before: number,
  total: number,
  frameBytes: number,
  next: () => Buffer,
) {
  for (let sent = 0; sent < total; sent += frameBytes) {
    const fits = () => allowance(peer, 0) >= before + sent + frameBytes && allowance(peer, stream) >= sent + frameBytes;
    await peer.when(fits, `the window after ${sent} bytes`);
    peer.send(next());
  }
}

export const WINDOWS: Sections = {
  'RFC 9113 section 6.9.1, the window': [
    ['of 1 byte lets 1 byte come', (peer, fields) => peer.headers(1, fields(), END_STREAM), pieces(1), opened(1)],
    ['of 0 lets nothing come', (peer, fields) => peer.headers(1, fields(), END_STREAM), pieces(), opened(0)],
    [
      'is opened by WINDOW_UPDATE, byte for byte',
      async (peer, fields) => {
        peer.headers(1, fields(), END_STREAM);
        for (let size = 1; size <= 3; size++) {
          await peer.when(() => peer.stream(1).received === size - 1);
          peer.send(windowUpdate(1, 1));
        }
      },
      pieces(1, 1, 1),
      opened(0),
    ],
    [
      'of the connection holds all streams',
      async (peer, fields) => {
        const streams = Math.ceil(65_535 / BODY.length) + 10;
        for (let i = 0; i < streams; i++) peer.headers(2 * i + 3, fields(), END_STREAM);
        const total = () => {
          let sum = 0;
          for (let i = 0; i < streams; i++) sum += peer.stream(2 * i + 3).received;
          return sum;
        };
        await peer.when(() => total() === 65_535, 'a window that is used up');
        await peer.roundTrip();
        assert.equal(total(), 65_535);
        peer.send(windowUpdate(0, MOST - 65_535));
        await peer.when(() => total() === streams * BODY.length, 'the rest');
      },
      alive,
      own,
    ],
    [
      'of the connection beyond 2^31 - 1',
      (peer) => peer.send(windowUpdate(0, MOST), windowUpdate(0, MOST)),
      connectionError('FLOW_CONTROL_ERROR'),
    ],
    [
      'of the connection beyond 2^31 - 1 by one byte',
      (peer) => peer.send(windowUpdate(0, MOST - 65_535), windowUpdate(0, 1)),
      connectionError('FLOW_CONTROL_ERROR'),
    ],
    [
      'of a stream beyond 2^31 - 1',
      (peer, fields) =>
        peer.send(headers(1, fields('POST'))).then(() => peer.send(windowUpdate(1, MOST), windowUpdate(1, MOST))),
      streamError('FLOW_CONTROL_ERROR'),
    ],
    [
      'of a half-closed stream beyond 2^31 - 1',
      (peer, fields) => peer.send(headers(1, fields(), END_STREAM), windowUpdate(1, MOST), windowUpdate(1, 1)),
      streamError('FLOW_CONTROL_ERROR'),
      opened(10),
    ],
    [
      'of a stream of exactly 2^31 - 1 is one',
      (peer, fields) => peer.send(headers(1, fields(), END_STREAM), windowUpdate(1, MOST)),
      async (peer) => assert.equal((await peer.response(1)).body, BODY),
      opened(0),
    ],
  ],

  'RFC 9113 sections 6.5.3 and 6.9.2, its first size': [
    [
      'is the last of several in one frame',
      async (peer, fields) => {
        peer.settings([INITIAL_WINDOW_SIZE, 100], [INITIAL_WINDOW_SIZE, 1]);
        await acknowledged(peer, 2);
        peer.headers(1, fields(), END_STREAM);
      },
      pieces(1),
      own,
    ],
    [
      'when changed changes that of open streams',
      async (peer, fields) => {
        peer.headers(1, fields(), END_STREAM);
        peer.settings([INITIAL_WINDOW_SIZE, 1]);
      },
      pieces(1),
      opened(0),
    ],
    [
      'when made smaller makes windows negative',
      async (peer, fields) => {
        peer.headers(1, fields(), END_STREAM);
        await peer.when(() => peer.stream(1).received === 3);
        peer.settings([INITIAL_WINDOW_SIZE, 2]);
        await acknowledged(peer, 2);
        peer.send(windowUpdate(1, 1));
        await peer.roundTrip();
        assert.equal(peer.stream(1).received, 3);
        peer.send(windowUpdate(1, 1));
      },
      pieces(3, 1),
      opened(3),
    ],
    [
      'that lets the window of a stream go beyond 2^31 - 1',
      async (peer, fields) => {
        peer.headers(1, fields(), END_STREAM);
        peer.send(windowUpdate(1, MOST - 1));
        peer.settings([INITIAL_WINDOW_SIZE, 65_535]);
      },
      async (peer) => {
        // What has been sent may have made room: only a stream that stands still shows it for certain.
        const { code } = await peer.gone();
        assert.equal(code, 'FLOW_CONTROL_ERROR');
      },
      opened(0),
    ],
    [
      'does not touch the window of the connection',
      async (peer, fields) => {
        peer.settings([INITIAL_WINDOW_SIZE, 0]);
        peer.settings([INITIAL_WINDOW_SIZE, 65_535]);
        peer.headers(1, fields(), END_STREAM);
      },
      answered(),
    ],
  ],

  'RFC 9113 section 5.2, what the server lets come': [
    [
      'goes on and on, with padding counted in',
      async (peer, fields) => {
        peer.headers(1, fields('POST'));
        await sendAll(peer, 1, 0, 300_000, 1_025, () => frame(DATA, PADDED, 1, padded('x'.repeat(769), 255)));
        peer.data(1, '', END_STREAM);
      },
      answered(),
      {},
      'proxy',
    ],
    [
      'goes on for the connection when a stream was reset with content on its way',
      async (peer, fields) => {
        for (let stream = 1; stream < 100; stream += 2) {
          peer.headers(stream, [...fields('POST'), ['Upper', 'case']]);
          assert.equal(await peer.resetOf(stream), 'PROTOCOL_ERROR');
          // It is on its way: the reset has been seen by nobody.
          const before = (stream >> 1) * 49_152;
          await sendAll(peer, stream, before, 49_152, 16_384, () => data(stream, 'x'.repeat(16_384)));
        }
      },
      alive,
    ],
    [
      'goes on for the connection when the client resets',
      async (peer, fields) => {
        for (let stream = 1; stream < 100; stream += 2) {
          peer.headers(stream, fields('POST'));
          const before = (stream >> 1) * 49_152;
          await sendAll(peer, stream, before, 49_152, 16_384, () => data(stream, 'x'.repeat(16_384)));
          peer.send(rstStream(stream));
        }
      },
      alive,
    ],
  ],

  'RFC 9113 section 6.5.2, other settings': [
    [
      'a table of fields of no size',
      async (peer, fields) => {
        for (const stream of [1, 3]) {
          peer.headers(stream, fields(), END_STREAM);
          await peer.response(stream);
        }
        peer.settings([HEADER_TABLE_SIZE, 4_096]);
        await acknowledged(peer, 2);
      },
      answered(),
      { settings: [[HEADER_TABLE_SIZE, 0]] },
    ],
    [
      'a table of fields that becomes smaller, and larger',
      async (peer, fields) => {
        peer.headers(1, fields(), END_STREAM);
        await peer.response(1);
        peer.settings([HEADER_TABLE_SIZE, 0]);
        peer.settings([HEADER_TABLE_SIZE, 2 ** 32 - 1]);
        await acknowledged(peer, 3);
        peer.headers(3, fields(), END_STREAM);
        await peer.response(3);
      },
      answered(3),
    ],
    [
      'the largest frames',
      (peer, fields) => peer.headers(1, fields(), END_STREAM),
      answered(),
      { settings: [[MAX_FRAME_SIZE, 2 ** 24 - 1]] },
    ],
  ],
};
