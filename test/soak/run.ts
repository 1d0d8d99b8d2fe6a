// One soak: upstream, watched Perantara, traffic, and what the process held meanwhile.
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startChild } from '../support/child.ts';
import { freePort } from '../support/free-port.ts';
import { type Perantara, startPerantara } from '../support/perantara.ts';
import { HOST, SoakClient } from './client.ts';
import { Load } from './load.ts';
import { KINDS } from './traffic.ts';
import { type Holding, judge, type Verdict } from './verdict.ts';

export interface SoakOptions {
  /** Of counted traffic. */
  readonly seconds: number;
  readonly warmUpSeconds: number;
  /** Exchanges begun per second. */
  readonly rate: number;
  /** Now and then: how it stands. */
  readonly onProgress?: (text: string) => void;
}

export interface SoakResult {
  readonly verdict: Verdict;
  /** Wrong answers, and everything else that was not as it has to be; empty when all is well. */
  readonly faults: readonly string[];
  readonly exchanges: number;
  readonly byKind: ReadonlyMap<string, number>;
  readonly skipped: number;
}

const REST_LIMIT_MS = 15_000;
const PROGRESS_MS = 60_000;
const CERTIFICATES: readonly string[] = [HOST, 'swap.localhost', 'dead.localhost'];

export async function soak(options: SoakOptions): Promise<SoakResult> {
  const upstream = await startUpstream();
  const watch = new Watch();
  let proxy: Perantara | undefined;
  try {
    const target = `http://127.0.0.1:${upstream.port}`;
    proxy = await startPerantara({
      main: join(import.meta.dirname, 'watched-main.ts'),
      config: {
        workers: 1,
        timeouts: { upstreamIdle: '1s', responseHead: '2s' },
        sites: {
          [HOST]: target,
          'swap.localhost': target,
          'dead.localhost': `http://127.0.0.1:${await freePort()}`,
        },
      },
      onLine: (line) => watch.take(line),
    });
    await proxy.obtained(...CERTIFICATES);
    return await apply(options, proxy, watch);
  } finally {
    await proxy?.stop();
    await upstream.stop();
  }
}

async function apply(options: SoakOptions, proxy: Perantara, watch: Watch): Promise<SoakResult> {
  const { seconds, warmUpSeconds, rate, onProgress } = options;
  const client = new SoakClient(proxy.httpsPort, proxy.httpPort);
  const load = new Load(KINDS, client);
  await load.each();
  await load.run(rate, warmUpSeconds);
  client.rest();
  const before = await watch.rest(proxy);
  const from = watch.samples.length;
  const timer = setInterval(() => onProgress?.(watch.progress(load.faults.length)), PROGRESS_MS);
  await load.run(rate, seconds).finally(() => clearInterval(timer));
  const samples = watch.samples.slice(from);
  client.rest();
  const after = await watch.rest(proxy);

  const verdict = judge({ samples, before, after });
  const unexpected = proxy.log.filter(({ level }) => level === 'error' || level === 'fatal');
  const faults = [...load.faults, ...verdict.faults, ...unexpected.map((line) => `logged: ${JSON.stringify(line)}`)];
  for (const [name, times] of load.done) if (times === 0) faults.push(`${name}: never ended well`);
  if (client.fingerprints.size < 2) faults.push('no certificate was swapped under load');
  const exchanges = Array.from(load.done.values()).reduce((sum, times) => sum + times, 0);
  return { verdict, faults, exchanges, byKind: load.done, skipped: load.skipped };
}

/** What the watched process says about itself. */
class Watch {
  readonly samples: Holding[] = [];
  #onRest: (holding: Holding) => void = () => {};

  take(line: string): void {
    const [, what, json] = /^(sample|rest) (\{.*\})$/.exec(line) ?? [];
    if (json === undefined) return;
    const holding = JSON.parse(json) as Holding;
    if (what === 'sample') this.samples.push(holding);
    else this.#onRest(holding);
  }

  /** When no connection is left, of either side: what stays after a collection. */
  async rest(proxy: Perantara): Promise<Holding> {
    const end = performance.now() + REST_LIMIT_MS;
    for (let seen = this.samples.length; ; ) {
      if (this.samples.length > seen && this.samples.at(-1)?.members === 0) break;
      if (performance.now() > end) break; // then the verdict says so
      await delay(100);
    }
    const { promise, resolve, reject } = Promise.withResolvers<Holding>();
    this.#onRest = resolve;
    const timer = setTimeout(
      () => reject(new Error(`no word of the proxy at rest:\n${proxy.output()}`)),
      REST_LIMIT_MS,
    );
    proxy.signal('SIGUSR2');
    return promise.finally(() => clearTimeout(timer));
  }

  progress(faults: number): string {
    const last = this.samples.at(-1);
    const mib = (bytes = 0): string => `${Math.round(bytes / 2 ** 20)} MiB`;
    return `${this.samples.length} s: RSS ${mib(last?.rss)}, heap ${mib(last?.heapUsed)}, ${last?.files} files, ${last?.members} sweep members, ${faults} faults`;
  }
}

async function startUpstream(): Promise<{ readonly port: number; stop(): Promise<unknown> }> {
  const ready = Promise.withResolvers<number>();
  const child = startChild({
    command: process.execPath,
    args: [resolve(import.meta.dirname, 'upstream-program.ts')],
    onLine: (line) => {
      const port = /^port (\d+)$/.exec(line)?.[1];
      if (port !== undefined) ready.resolve(Number(port));
    },
  });
  void child.exited.then(() => ready.reject(new Error(`the upstream ended: ${child.output()}`)));
  return { port: await ready.promise, stop: () => child.stop() };
}
