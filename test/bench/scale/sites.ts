// One number of sites: what its start takes, and whether handshakes and requests cost more than with one site.
import { MAX_CONTEXTS } from '../../../src/certs/resolver.ts';
import type { Outcome } from '../load/outcome.ts';
import { runProgram } from '../load/own-client.ts';
import type { LoadRig } from '../load/rig.ts';
import { runWrk } from '../load/wrk.ts';
import { usageOf } from '../process-tree.ts';
import { fleetName, writeFleetConfig } from './fleet.ts';
import { lookUpNs } from './look-up.ts';
import { settled, startOn } from './started.ts';

export interface SitesOptions {
  readonly folder: string;
  readonly rig: LoadRig;
  readonly core: number;
  readonly httpsPort: number;
  readonly upstreamPort: number;
  readonly seconds: number;
}

/** Of one start. Microseconds are processor time of the proxy. */
export interface SitesSample {
  readonly listeningMs: number;
  readonly listeningCpuMs: number;
  readonly listeningRssBytes: number;
  /** When every stored certificate has been looked at, in the background. */
  readonly settledCpuMs: number;
  readonly settledRssBytes: number;
  /** Full handshake and request, for a name's first time; null with fewer names than can be counted. */
  readonly coldUs: number | null;
  /** The same names once more. */
  readonly warmUs: number;
  /** Any names at random, so that contexts come and go where there are more than are kept. */
  readonly randomUs: number;
  /** GET of 64 bytes on kept connections, Host at random. */
  readonly requestUs: number;
  /** Nanoseconds from host and path to handler. */
  readonly lookUpNs: number;
  readonly endRssBytes: number;
  readonly errors: readonly string[];
}

const HANDSHAKES = MAX_CONTEXTS;
const RANDOM_HANDSHAKES = 3 * MAX_CONTEXTS;
const CONCURRENCY = 16;
const CONNECTIONS = 64;
const HANDSHAKE_LIMIT_SECONDS = 60;

export async function measureSites(count: number, options: SitesOptions): Promise<SitesSample> {
  const { folder, rig, core, httpsPort, upstreamPort, seconds } = options;
  const file = writeFleetConfig(folder, { count, httpsPort, upstreamPort });
  const started = await startOn(file, core);
  const errors: string[] = [];
  const cpuOf = async (load: () => Promise<Outcome>): Promise<number> => {
    const before = usageOf(started.pid);
    const outcome = await load();
    errors.push(...outcome.errors);
    return ((usageOf(started.pid).cpuMs - before.cpuMs) * 1_000) / outcome.count;
  };
  const visits = (mode: 'each' | 'random', times: number, names = count): Promise<number> =>
    cpuOf(() => {
      const args = [`${httpsPort}`, mode, `${times}`, `${names}`, `${CONCURRENCY}`];
      return runProgram(rig, 'names.ts', args, HANDSHAKE_LIMIT_SECONDS) as Promise<Outcome>;
    });
  const load = { path: '/small', connections: CONNECTIONS };
  try {
    const rest = await settled(started.pid);
    // Compiled code before figures, by a name that is not counted as cold.
    await visits('each', 500, 1);
    const coldUs = count >= HANDSHAKES ? await visits('each', HANDSHAKES) : null;
    const warmUs = await visits('each', HANDSHAKES, Math.min(count, HANDSHAKES));
    const randomUs = await visits('random', RANDOM_HANDSHAKES);
    const hosts = Array.from({ length: count }, (_, index) => fleetName(index));
    await runWrk(rig, httpsPort, { ...load, hosts, seconds: 2 });
    const requestUs = await cpuOf(() => runWrk(rig, httpsPort, { ...load, hosts, seconds }));
    return {
      listeningMs: started.listeningMs,
      listeningCpuMs: started.listening.cpuMs,
      listeningRssBytes: started.listening.rssBytes,
      settledCpuMs: rest.cpuMs,
      settledRssBytes: rest.rssBytes,
      coldUs,
      warmUs,
      randomUs,
      requestUs,
      lookUpNs: lookUpNs(count),
      endRssBytes: usageOf(started.pid).rssBytes,
      errors,
    };
  } finally {
    await started.process.stop();
  }
}
