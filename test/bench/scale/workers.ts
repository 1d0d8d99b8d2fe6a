// One worker where everything has one core, and two workers where everything has two: proxy, load and origin alike. So the second
// core is worth what it brings, and neither side waits for the other.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../support/free-port.ts';
import { makeAuthority, mint } from '../../support/minted.ts';
import { runMultiplexed } from '../load/h2load.ts';
import type { Outcome } from '../load/outcome.ts';
import type { LoadRig } from '../load/rig.ts';
import { runWrk } from '../load/wrk.ts';
import { type Origins, SMALL_BYTES, startOrigins } from '../origin.ts';
import type { PeerProgram } from '../peer-program.ts';
import { childrenOf, usageOf } from '../process-tree.ts';
import { type Started, startOn } from './started.ts';

export const WORKER_LOADS = ['h1', 'h2'] as const;
export type WorkerLoad = (typeof WORKER_LOADS)[number];

/** As wrk and h2load are called. */
export const WORKER_LOAD_TEXTS: Readonly<Record<WorkerLoad, string>> = {
  h1: 'HTTP/1.1, wrk -t1 -c64, 64 bytes',
  h2: 'HTTP/2, h2load -t1 -c64 -m4, 64 bytes',
};

export interface WorkersSample {
  readonly load: WorkerLoad;
  /** And cores. */
  readonly workers: number;
  readonly perSecond: number;
  /** Of all processes of the proxy. */
  readonly cpuUs: number;
  /** What the busiest worker had of the processor time of all workers. */
  readonly largestShare: number;
  readonly errors: readonly string[];
}

export interface WorkersOptions {
  readonly rig: LoadRig;
  readonly nginx: PeerProgram | null;
  readonly repeats: number;
  readonly seconds: number;
  readonly onSample: (sample: WorkersSample) => void;
}

interface Stage {
  readonly workers: number;
  readonly rig: LoadRig;
  readonly origins: Origins;
  readonly started: Started;
  readonly port: number;
}

const WARM_UP_SECONDS = 2;

/** All figures of all turns. */
export async function measureWorkers(folder: string, options: WorkersOptions): Promise<readonly WorkersSample[]> {
  const stages: Stage[] = [];
  const samples: WorkersSample[] = [];
  try {
    for (const workers of [1, 2]) stages.push(await setUp(folder, workers, options));
    for (const load of WORKER_LOADS) {
      for (const stage of stages) await apply(stage, load, WARM_UP_SECONDS);
      for (let turn = 0; turn < options.repeats; turn++)
        for (const stage of stages) {
          const sample = await measure(stage, load, options.seconds);
          samples.push(sample);
          options.onSample(sample);
        }
    }
    return samples;
  } finally {
    for (const { started, origins } of stages) await Promise.all([started.process.stop(), origins.stop()]);
  }
}

async function setUp(folder: string, workers: number, { rig, nginx }: WorkersOptions): Promise<Stage> {
  const place = join(folder, `workers-${workers}`);
  await mkdir(place);
  const origins = await startOrigins(0, place, nginx, workers);
  const port = await freePort();
  const { certPem, keyPem } = mint(['localhost'], makeAuthority());
  await writeFile(join(place, 'cert.pem'), certPem);
  await writeFile(join(place, 'key.pem'), keyPem, { mode: 0o600 });
  const site = { tls: { cert: 'cert.pem', key: 'key.pem' }, proxy: `http://127.0.0.1:${origins.ports.content}` };
  const file = join(place, 'perantara.yaml');
  const listen = { http: 'off', https: `127.0.0.1:${port}` };
  await writeFile(file, JSON.stringify({ storage: './storage', workers, listen, sites: { localhost: site } })); // JSON is YAML
  const started = await startOn(file, 0, workers);
  return { workers, rig: { ...rig, core: 0, cores: workers }, origins, started, port };
}

function apply({ rig, port }: Stage, load: WorkerLoad, seconds: number): Promise<Outcome> {
  const path = '/small';
  if (load === 'h1') return runWrk(rig, port, { path, connections: 64, seconds });
  const request = { path, upload: null, headers: {}, bytes: SMALL_BYTES, trailers: {} };
  return runMultiplexed(rig, port, { request, connections: 64, streams: 4, seconds });
}

async function measure(stage: Stage, load: WorkerLoad, seconds: number): Promise<WorkersSample> {
  const { pid } = stage.started;
  const workers = stage.workers === 1 ? [pid] : childrenOf(pid);
  const cpuOf = (each: number): number => usageOf(each).cpuMs;
  const [before, ownBefore] = [cpuOf(pid), workers.map(cpuOf)];
  const { count, seconds: took, errors } = await apply(stage, load, seconds);
  const own = workers.map((each, i) => cpuOf(each) - ownBefore[i]!);
  return {
    load,
    workers: stage.workers,
    perSecond: count / took,
    cpuUs: ((cpuOf(pid) - before) * 1_000) / Math.max(1, count),
    largestShare: Math.max(...own) / own.reduce((sum, each) => sum + each, 0),
    errors,
  };
}
