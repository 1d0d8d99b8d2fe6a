// Runs one case: all contestants are started, checked and warmed up, then measured in turn, A B C A B C.
import { freePort } from '../support/free-port.ts';
import type { BenchCase, Sample, Subject } from './cases.ts';
import { type Contestant, type Running, startContestant } from './contestants/contestant.ts';
import { getOnce } from './load/probe.ts';
import type { LoadRig } from './load/rig.ts';
import { SUITE } from './load/secure-client.ts';
import type { Origins } from './origin.ts';
import type { Result } from './results.ts';

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
  const entries = options.contestants.map((contestant) => new Entry(benchCase, contestant, options));
  try {
    if (!benchCase.needsFreshProcess) for (const entry of entries) await entry.attempt(() => entry.start());
    for (let i = 0; i < options.repeats; i++) for (const entry of entries) await entry.attempt(() => entry.measure());
  } finally {
    await Promise.all(entries.map((entry) => entry.stop()));
  }
  return entries.map((entry) => entry.result);
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
    const upstreamPort = origins.ports[this.#case.origin];
    const contestant = this.#contestant;
    this.#running = await startContestant({
      contestant,
      core,
      certFile,
      keyFile,
      upstreamPort,
      port: await freePort(),
    });
    if (this.#case.origin !== 'echo') await this.#check(this.#running.port);
    const { count, seconds } = await this.#case.warmUp(this.#subject(this.#running, warmUpSeconds));
    this.#warmRate = count / seconds;
  }

  async measure(): Promise<void> {
    if (this.#running === null) await this.start();
    this.#keep(await this.#case.run(this.#subject(this.#running!, this.#options.seconds)));
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

  /** That it is the same task for all: protocol, suite, certificate, forwarded fields, kept upstream connections. */
  async #check(port: number): Promise<void> {
    await getOnce(port, '/headers');
    const { status, body, protocol, suite, fingerprint } = await getOnce(port, '/headers');
    const [address, scheme, served] = body.split(' ');
    const wrong: string[] = [];
    if (status !== 200) wrong.push(`status ${status}`);
    if (protocol !== 'TLSv1.3' || suite !== SUITE) wrong.push(`${protocol} with ${suite}`);
    if (fingerprint !== this.#options.fingerprint) wrong.push('another certificate');
    if (address !== '127.0.0.1') wrong.push(`X-Forwarded-For "${address}"`);
    if (scheme !== 'https') wrong.push(`X-Forwarded-Proto "${scheme}"`);
    if (!(Number(served) > 1)) wrong.push('no kept upstream connection');
    if (wrong.length > 0)
      throw new Error(`${this.#contestant.name} is not set up like the others: ${wrong.join(', ')}`);
  }
}
