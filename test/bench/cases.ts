// What is measured: each case is a load for one proxy and the figures that matter in it.

import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { runTransfers } from './load/curl.ts';
import { runH2load } from './load/h2load.ts';
import type { Outcome } from './load/outcome.ts';
import { holdConnections, runHandshakes, runMessages } from './load/own-client.ts';
import type { LoadRig } from './load/rig.ts';
import { runWrk } from './load/wrk.ts';
import { FILES, type OriginKind } from './origin.ts';
import { usageOf } from './process-tree.ts';

export const CASE_NAMES = [
  'small',
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
export type CaseName = (typeof CASE_NAMES)[number];
export const SHORT_CASES: readonly CaseName[] = ['small', '1m', 'handshake'];

/** One counted run. */
export interface Sample {
  /** User and system time of the proxy's process tree for one unit of the case; null where that is not the figure. */
  readonly cpuUs: number | null;
  readonly perSecond: number | null;
  readonly p50Us: number | null;
  readonly p99Us: number | null;
  /** At the end of the run. */
  readonly rssBytes: number;
  /** `idle` only. */
  readonly bytesPerConnection: number | null;
  readonly errors: readonly string[];
}

/** The proxy under test and the means to load it. */
export interface Subject {
  readonly rig: LoadRig;
  readonly port: number;
  readonly pid: number;
  readonly seconds: number;
  /** Units per second in the warm-up. */
  readonly warmRate: number;
}

export interface BenchCase {
  readonly name: CaseName;
  readonly title: string;
  /** The load, in a sentence for the page. */
  readonly load: string;
  readonly unit: 'request' | 'handshake' | 'message' | 'connection';
  readonly origin: OriginKind;
  /** Each run needs a proxy that has served nothing but its warm-up. */
  readonly needsFreshProcess: boolean;
  /** Why it cannot run here, or null. */
  readonly obstacle: (rig: LoadRig) => string | null;
  readonly warmUp: (subject: Subject) => Promise<Outcome>;
  readonly run: (subject: Subject) => Promise<Sample>;
}

const SMALL_CONNECTIONS = 64;
const HANDSHAKE_CONCURRENCY = 32;
const LARGE_BYTES = FILES['100m']!;
const UPLOAD_BYTES = 64 * 1024;
const IDLE_CONNECTIONS = 3_000;
/** After this a proxy has closed what the load left behind, and has written its last. */
const SETTLE_MS = 200;
const IDLE_SETTLE_MS = 2_000;

/**
 * A warm-up of so many times the usual length where a unit is dear: an engine that compiles what runs often counts runs, and
 * a thousand handshakes are few. Given to all contestants.
 */
const LONG_WARM_UP = 6;

export const CASES: Readonly<Record<CaseName, BenchCase>> = {
  small: loaded('small', {
    title: 'Small responses',
    load: `wrk -t1 -c${SMALL_CONNECTIONS}: GET, 64 bytes`,
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
    needsFreshProcess: true,
    obstacle: () => null,
    warmUp: ({ rig, port }) => runWrk(rig, port, { path: '/small', connections: SMALL_CONNECTIONS, seconds: 2 }),
    run: measureIdle,
  },
  half: {
    ...loaded('half', {
      title: 'Latency at half load',
      load: `h2load --h1 -c${SMALL_CONNECTIONS} --rps: GET, 64 bytes, at half of the requests per second that the same proxy reached with wrk just before`,
      apply: ({ rig, port, seconds, warmRate }) =>
        runH2load(rig, rig.h2load!, port, {
          path: '/small',
          connections: SMALL_CONNECTIONS,
          seconds,
          perSecond: warmRate / 2,
        }),
    }),
    obstacle: (rig) => (rig.h2load === null ? 'h2load was not found' : null),
    warmUp: ({ rig, port }) => runWrk(rig, port, { path: '/small', connections: SMALL_CONNECTIONS, seconds: 3 }),
  },
};

interface LoadedCase {
  readonly title: string;
  readonly load: string;
  /** Default request. */
  readonly unit?: BenchCase['unit'];
  /** Default content. */
  readonly origin?: OriginKind;
  /** Default 1. */
  readonly warmUpFactor?: number;
  readonly apply: (subject: Subject) => Promise<Outcome>;
}

/** A case whose figure is processor time per unit. */
function loaded(name: CaseName, { title, load, unit, origin, warmUpFactor = 1, apply }: LoadedCase): BenchCase {
  return {
    name,
    title,
    load,
    unit: unit ?? 'request',
    origin: origin ?? 'content',
    needsFreshProcess: false,
    obstacle: () => null,
    warmUp: (subject) => apply({ ...subject, seconds: subject.seconds * warmUpFactor }),
    run: async (subject) => {
      const before = usageOf(subject.pid);
      const outcome = await apply(subject);
      await delay(SETTLE_MS);
      const after = usageOf(subject.pid);
      const errors = outcome.count > 0 ? outcome.errors : [...outcome.errors, 'nothing was completed'];
      return {
        cpuUs: outcome.count > 0 ? ((after.cpuMs - before.cpuMs) * 1_000) / outcome.count : null,
        perSecond: outcome.count / outcome.seconds,
        p50Us: outcome.p50Us,
        p99Us: outcome.p99Us,
        rssBytes: after.rssBytes,
        bytesPerConnection: null,
        errors,
      };
    },
  };
}

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
