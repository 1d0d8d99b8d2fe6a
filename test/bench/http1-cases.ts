// The cases whose loads speak HTTP/1.1.
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type BenchCase, loaded, type Sample, type Subject } from './bench-case.ts';
import { runTransfers } from './load/curl.ts';
import { runPaced } from './load/h2load.ts';
import { holdConnections, runHandshakes, runMessages } from './load/own-client.ts';
import { runWrk } from './load/wrk.ts';
import { FILES } from './origin.ts';
import { usageOf } from './process-tree.ts';

export const HTTP1_CASE_NAMES = [
  'small',
  'small-log',
  'small-workers',
  'small-reload',
  'small-unwatched',
  '10k',
  '1m',
  '100m',
  'upload',
  'upload-100m',
  'handshake',
  'resumed',
  'websocket',
  'idle',
  'half',
] as const;
export type Http1CaseName = (typeof HTTP1_CASE_NAMES)[number];

const SMALL_CONNECTIONS = 64;
const HANDSHAKE_CONCURRENCY = 32;
const LARGE_BYTES = FILES['100m']!;
const UPLOAD_BYTES = 64 * 1024;
const IDLE_CONNECTIONS = 3_000;
const IDLE_SETTLE_MS = 2_000;

/**
 * A warm-up of so many times the usual length where a unit is dear: an engine that compiles what runs often counts runs, and
 * a thousand handshakes are few. Given to all contestants.
 */
const LONG_WARM_UP = 6;

export const HTTP1_CASES: Readonly<Record<Http1CaseName, BenchCase>> = {
  small: loaded('small', {
    title: 'Small responses',
    load: `wrk -t1 -c${SMALL_CONNECTIONS}: GET, 64 bytes`,
    apply: ({ rig, port, seconds }) => runWrk(rig, port, { path: '/small', connections: SMALL_CONNECTIONS, seconds }),
  }),
  'small-log': loaded('small-log', {
    title: 'Access log: small responses',
    load: `wrk -t1 -c${SMALL_CONNECTIONS}: GET, 64 bytes; without and with a line for each`,
    variant: 'logging',
    apply: ({ rig, port, seconds }) => runWrk(rig, port, { path: '/small', connections: SMALL_CONNECTIONS, seconds }),
  }),
  'small-workers': loaded('small-workers', {
    title: 'Workers: small responses',
    load: `wrk -t1 -c${SMALL_CONNECTIONS}: GET, 64 bytes; one worker on one core, and two on both, beside load and origin`,
    variant: 'workers',
    apply: ({ rig, port, seconds }) => runWrk(rig, port, { path: '/small', connections: SMALL_CONNECTIONS, seconds }),
  }),
  'small-reload': loaded('small-reload', {
    title: 'Reload under load: small responses',
    load: `wrk -t1 -c${SMALL_CONNECTIONS}: GET, 64 bytes; without reloads and with five in a second`,
    variant: 'reloading',
    apply: ({ rig, port, seconds }) => runWrk(rig, port, { path: '/small', connections: SMALL_CONNECTIONS, seconds }),
  }),
  'small-unwatched': loaded('small-unwatched', {
    title: 'Metrics: small responses',
    load: `wrk -t1 -c${SMALL_CONNECTIONS}: GET, 64 bytes; with what the admin endpoint counts, and without`,
    variant: 'unwatched',
    apply: ({ rig, port, seconds }) => runWrk(rig, port, { path: '/small', connections: SMALL_CONNECTIONS, seconds }),
  }),
  '10k': loaded('10k', {
    title: '10 KiB responses',
    load: `wrk -t1 -c${SMALL_CONNECTIONS}: GET, 10 KiB`,
    apply: ({ rig, port, seconds }) => runWrk(rig, port, { path: '/10k', connections: SMALL_CONNECTIONS, seconds }),
  }),
  '1m': loaded('1m', {
    title: '1 MiB responses',
    load: 'wrk -t1 -c4: GET, 1 MiB',
    apply: ({ rig, port, seconds }) => runWrk(rig, port, { path: '/1m', connections: 4, seconds }),
  }),
  '100m': loaded('100m', {
    title: '100 MiB responses',
    load: 'curl: GET, 100 MiB, one after another on one connection',
    apply: ({ rig, port, seconds }) =>
      runTransfers(rig, port, { path: '/100m', times: Math.ceil(seconds * 2), bytes: LARGE_BYTES }),
  }),
  upload: loaded('upload', {
    title: '64 KiB uploads',
    load: 'wrk -t1 -c16: POST, 64 KiB with Content-Length',
    origin: 'uploads',
    apply: ({ rig, port, seconds }) =>
      runWrk(rig, port, { path: '/upload', connections: 16, seconds, bodyBytes: UPLOAD_BYTES }),
  }),
  'upload-100m': loaded('upload-100m', {
    title: '100 MiB uploads',
    load: 'curl: PUT, 100 MiB with Content-Length, one after another on one connection',
    origin: 'uploads',
    apply: ({ rig, port, seconds }) =>
      runTransfers(rig, port, {
        path: '/upload',
        times: Math.ceil(seconds * 2),
        bytes: LARGE_BYTES,
        file: join(rig.folder, 'files/100m'),
      }),
  }),
  handshake: loaded('handshake', {
    title: 'New connections, full handshake',
    load: `own client, ${HANDSHAKE_CONCURRENCY} at once: TLS 1.3 handshake without a ticket, GET of 64 bytes, close`,
    unit: 'handshake',
    warmUpFactor: LONG_WARM_UP,
    apply: ({ rig, port, seconds }) =>
      runHandshakes(rig, port, { mode: 'full', seconds, concurrency: HANDSHAKE_CONCURRENCY }),
  }),
  resumed: loaded('resumed', {
    title: 'New connections, resumed',
    load: `own client, ${HANDSHAKE_CONCURRENCY} at once: TLS 1.3 handshake with the newest ticket of the connections before, GET of 64 bytes, close; every one is checked to be resumed`,
    unit: 'handshake',
    warmUpFactor: LONG_WARM_UP,
    apply: ({ rig, port, seconds }) =>
      runHandshakes(rig, port, { mode: 'resumed', seconds, concurrency: HANDSHAKE_CONCURRENCY }),
  }),
  websocket: loaded('websocket', {
    title: 'WebSocket messages',
    load: `own client, ${SMALL_CONNECTIONS} connections: 128-byte messages there and back, one under way on each`,
    unit: 'message',
    origin: 'echo',
    apply: ({ rig, port, seconds }) => runMessages(rig, port, { seconds, connections: SMALL_CONNECTIONS, bytes: 128 }),
  }),
  idle: {
    name: 'idle',
    title: 'Idle connections',
    load: `${IDLE_CONNECTIONS} TLS connections with one request each, then silence: growth of resident memory per connection`,
    unit: 'connection',
    origin: 'content',
    upstream: 'http1',
    http2: null,
    variant: null,
    needsFreshProcess: true,
    needsH2load: false,
    warmUp: ({ rig, port }) => runWrk(rig, port, { path: '/small', connections: SMALL_CONNECTIONS, seconds: 2 }),
    run: measureIdle,
  },
  half: {
    ...loaded('half', {
      title: 'Latency at half load',
      load: `h2load --h1 -c${SMALL_CONNECTIONS} --rps: GET, 64 bytes, at half of the requests per second that the same proxy reached with wrk just before`,
      apply: ({ rig, port, seconds, warmRate }) =>
        runPaced(rig, port, {
          path: '/small',
          connections: SMALL_CONNECTIONS,
          seconds,
          perSecond: warmRate / 2,
        }),
    }),
    needsH2load: true,
    warmUp: ({ rig, port }) => runWrk(rig, port, { path: '/small', connections: SMALL_CONNECTIONS, seconds: 3 }),
  },
};

async function measureIdle({ rig, port, pid }: Subject): Promise<Sample> {
  await delay(IDLE_SETTLE_MS);
  const before = usageOf(pid);
  const held = await holdConnections(rig, port, IDLE_CONNECTIONS);
  try {
    await delay(IDLE_SETTLE_MS);
    const after = usageOf(pid);
    const errors = [...held.errors];
    if (held.open !== IDLE_CONNECTIONS) errors.push(`${held.open} of ${IDLE_CONNECTIONS} connections are open`);
    return {
      cpuUs: null,
      perSecond: null,
      p50Us: null,
      p99Us: null,
      rssBytes: after.rssBytes,
      bytesPerConnection: (after.rssBytes - before.rssBytes) / IDLE_CONNECTIONS,
      errors,
    };
  } finally {
    await held.close();
  }
}
