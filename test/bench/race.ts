// Runs one case: all contestants are started, checked and warmed up, then measured in turn, A B C A B C.
import { join } from 'node:path';
import { freePort } from '../support/free-port.ts';
import type { BenchCase, Sample, Subject } from './bench-case.ts';
import { type Contestant, type Running, startContestant } from './contestants/contestant.ts';
import { isVariant } from './contestants/perantara.ts';
import type { LoadRig } from './load/rig.ts';
import type { Origins } from './origin.ts';
import type { Result } from './results.ts';
import { findDifferences } from './same-task.ts';

export interface RaceOptions {
  readonly contestants: readonly Contestant[];
  readonly rig: LoadRig;
  readonly origins: Origins;
  readonly certFile: string;
  readonly keyFile: string;
  /** SHA-256 of the certificate. */
  readonly fingerprint: string;
  /** The core of the proxy under test. */
  readonly core: number;
  readonly repeats: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly onSample: (contestant: Contestant, sample: Sample) => void;
}

/** A contestant that fails is reported with its error and left out of the rest of the case. */
export async function race(benchCase: BenchCase, options: RaceOptions): Promise<readonly Result[]> {
  const entries = options.contestants
    .filter((contestant) => takesPart(benchCase, contestant))
    .map((contestant) => new Entry(benchCase, contestant, options));
  try {
    if (!benchCase.needsFreshProcess) for (const entry of entries) await entry.attempt(() => entry.start());
    for (let i = 0; i < options.repeats; i++) for (const entry of entries) await entry.attempt(() => entry.measure());
  } finally {
    await Promise.all(entries.map((entry) => entry.stop()));
  }
  return entries.map((entry) => entry.result);
}

function takesPart({ upstream, http2, variant }: BenchCase, contestant: Contestant): boolean {
  const { name } = contestant;
  if (variant === null ? isVariant(name) : name !== 'perantara' && name !== variant) return false;
  return contestant.obstacle(upstream, http2 !== null) === null;
}

class Entry {
  readonly #case: BenchCase;
  readonly #contestant: Contestant;
  readonly #options: RaceOptions;
  readonly #samples: Sample[] = [];
  #running: Running | null = null;
  #warmRate = 0;
  #failed = false;

  constructor(benchCase: BenchCase, contestant: Contestant, options: RaceOptions) {
    this.#case = benchCase;
    this.#contestant = contestant;
    this.#options = options;
  }

  get result(): Result {
    return { case: this.#case.name, contestant: this.#contestant.name, samples: this.#samples };
  }

  async attempt(step: () => Promise<void>): Promise<void> {
    if (this.#failed) return;
    await step().catch((error: Error) => {
      this.#failed = true;
      const none = { cpuUs: null, perSecond: null, p50Us: null, p99Us: null, bytesPerConnection: null };
      this.#keep({ ...none, rssBytes: 0, errors: [error.message] });
    });
  }

  async start(): Promise<void> {
    const { core, certFile, keyFile, origins, warmUpSeconds } = this.#options;
    const { origin, upstream, http2 } = this.#case;
    const contestant = this.#contestant;
    this.#running = await startContestant({
      contestant,
      core,
      certFile,
      keyFile,
      upstream,
      upstreamPort: origin === null ? 0 : origins.ports[origin],
      port: await freePort(),
      speaksHttp2: http2 !== null,
    });
    const { fingerprint, rig } = this.#options;
    const files = join(rig.folder, 'files');
    const wrong = await findDifferences(this.#case, { port: this.#running.port, fingerprint, files });
    if (wrong.length > 0) throw new Error(`${contestant.name} is not set up like the others: ${wrong.join(', ')}`);
    const { count, seconds } = await this.#case.warmUp(this.#subject(this.#running, warmUpSeconds));
    this.#warmRate = count / seconds;
  }

  async measure(): Promise<void> {
    if (this.#running === null) await this.start();
    const running = this.#running!;
    const leaveAlone = running.whileLoaded();
    this.#keep(await this.#case.run(this.#subject(running, this.#options.seconds)).finally(leaveAlone));
    if (this.#case.needsFreshProcess) await this.stop();
  }

  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = null;
    await running?.process.stop();
  }

  #keep(sample: Sample): void {
    this.#samples.push(sample);
    this.#options.onSample(this.#contestant, sample);
  }

  #subject(running: Running, seconds: number): Subject {
    const { rig } = this.#options;
    return { rig, port: running.port, pid: running.process.pid, seconds, warmRate: this.#warmRate };
  }
}
