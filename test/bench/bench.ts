// `npm run bench`: Perantara beside nginx, HAProxy, Caddy and http-proxy. Loopback only; every load and child is bounded.
import { X509Certificate } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { makeAuthority, mint } from '../support/minted.ts';
import { cacheFolder } from '../support/tools.ts';
import type { BenchCase, Sample } from './bench-case.ts';
import { CASES } from './cases.ts';
import { drawChart } from './chart.ts';
import { caddyContestant } from './contestants/caddy.ts';
import type { Contestant, ContestantName } from './contestants/contestant.ts';
import { haproxyContestant } from './contestants/haproxy.ts';
import { httpProxyContestant } from './contestants/http-proxy.ts';
import { nginxContestant } from './contestants/nginx.ts';
import { nodeHttp2Contestant } from './contestants/node-http2.ts';
import { isVariant, perantaraContestant } from './contestants/perantara.ts';
import { type LoadRig, makeLoadRig } from './load/rig.ts';
import { describeMachine } from './machine.ts';
import { type BenchOptions, parseOptions, USAGE } from './options.ts';
import { type Origins, startOrigins } from './origin.ts';
import { writePage, writeTables } from './page.ts';
import { findPeerProgram } from './peer-program.ts';
import { race } from './race.ts';
import type { Result, Results } from './results.ts';
import { sampleText } from './wording.ts';

const DOCS = resolve(import.meta.dirname, '../../docs');
const PROXY_CORE = 0;
const LOAD_CORE = 1;

try {
  const options = parseOptions(process.argv.slice(2));
  if (options === 'help') process.stdout.write(USAGE);
  else await main(options);
} catch (error) {
  process.stderr.write(`bench: ${(error as Error).message}\n`);
  process.exitCode = 1;
}

async function main(options: BenchOptions): Promise<void> {
  const results: Results =
    options.from === null ? await measure(options) : JSON.parse(await readFile(options.from, 'utf8'));
  process.stdout.write(`\n${writeTables(results)}`);
  if (options.write) {
    const { page } = options;
    await writeFile(join(DOCS, `${page}.md`), writePage(results, page));
    await writeFile(join(DOCS, `${page}.svg`), drawChart(results));
    process.stdout.write(`\nwritten: docs/${page}.md, docs/${page}.svg\n`);
  }
  if (results.results.some(({ samples }) => samples.some(({ errors }) => errors.length > 0))) process.exitCode = 1;
}

async function measure(options: BenchOptions): Promise<Results> {
  if (process.platform !== 'linux')
    throw new Error('cannot measure here: it reads /proc and pins to cores, as on Linux');
  if (availableParallelism() < 2) throw new Error('cannot measure on one core: proxy and load need one each');
  const folder = await mkdtemp(join(tmpdir(), 'perantara-bench-'));
  const cleanUp = (signal: NodeJS.Signals): void => {
    // Children end with this process (test/support/child.ts).
    void rm(folder, { recursive: true, force: true }).finally(() => process.exit(signal === 'SIGINT' ? 130 : 143));
  };
  process.once('SIGINT', cleanUp).once('SIGTERM', cleanUp);
  try {
    return await measureIn(folder, options);
  } finally {
    await rm(folder, { recursive: true, force: true });
    process.off('SIGINT', cleanUp).off('SIGTERM', cleanUp);
  }
}

async function measureIn(folder: string, options: BenchOptions): Promise<Results> {
  const { repeats, seconds, warmUpSeconds } = options;
  const startedAt = new Date();
  const missing: string[] = [];
  const contestants = await gather(options.contestants, missing);
  const certificate = mint(['localhost', '127.0.0.1'], makeAuthority());
  const certFile = join(folder, 'cert.pem');
  const keyFile = join(folder, 'key.pem');
  await writeFile(certFile, certificate.certPem);
  await writeFile(keyFile, certificate.keyPem, { mode: 0o600 });
  const fingerprint = new X509Certificate(certificate.certPem).fingerprint256;
  const rig = await makeLoadRig(LOAD_CORE, folder);
  const origins = await startOrigins(LOAD_CORE, folder, await findPeerProgram('nginx'));
  for (const text of [origins.description, ...missing]) process.stdout.write(`${text}\n`);
  const results: Result[] = [];
  try {
    for (const name of options.cases) {
      const benchCase = CASES[name];
      const obstacle = obstacleOf(benchCase, rig, origins);
      if (obstacle !== null) missing.push(`case ${name}: ${obstacle}`);
      process.stdout.write(`\n${name}: ${obstacle ?? benchCase.load}\n`);
      if (obstacle !== null) continue;
      const onSample = (contestant: Contestant, sample: Sample): void =>
        void process.stdout.write(`  ${contestant.name.padEnd(11)}${sampleText(sample)}\n`);
      const files = { certFile, keyFile, fingerprint };
      const timing = { repeats, seconds, warmUpSeconds };
      results.push(
        ...(await race(benchCase, { contestants, rig, origins, ...files, core: PROXY_CORE, ...timing, onSample })),
      );
    }
  } finally {
    await origins.stop();
  }
  const tools = [rig.wrk, rig.curl, ...(rig.h2load === null ? [] : [rig.h2load])];
  const whole: Results = {
    command: options.command,
    startedAt: startedAt.toISOString(),
    tookSeconds: Math.round((Date.now() - startedAt.getTime()) / 1_000),
    machine: await describeMachine(),
    repeats,
    seconds,
    origin: origins.description,
    contestants: contestants.map(({ name, version, setting }) => ({ name, version, setting })),
    tools: tools.map(({ name, version }) => `${name} ${version}`),
    missing,
    results,
  };
  await mkdir(cacheFolder(), { recursive: true });
  await writeFile(join(cacheFolder(), 'bench.json'), `${JSON.stringify(whole, null, 1)}\n`);
  return whole;
}

/** Why a case cannot be measured here, or null. */
function obstacleOf({ needsH2load, origin }: BenchCase, rig: LoadRig, { lacking }: Origins): string | null {
  if (needsH2load && rig.h2load === null) return 'h2load was not found';
  return origin !== null && lacking.includes(origin) ? 'its origin is nginx, which was not found' : null;
}

/** Those of `names` that are installed; names the others. */
async function gather(names: readonly ContestantName[], missing: string[]): Promise<Contestant[]> {
  const found: Contestant[] = [];
  for (const name of names) {
    const contestant = await findContestant(name);
    if (contestant === null) missing.push(`${name}: not found on PATH or in the tree that PEERS names; left out`);
    else found.push(contestant);
  }
  return found;
}

async function findContestant(name: ContestantName): Promise<Contestant | null> {
  if (name === 'perantara' || isVariant(name)) {
    const nodeFlags = (process.env.BENCH_NODE_FLAGS ?? '').split(' ').filter(Boolean);
    return perantaraContestant(nodeFlags, name === 'perantara' ? null : name);
  }
  if (name === 'http-proxy') return httpProxyContestant();
  if (name === 'node-http2') return nodeHttp2Contestant();
  const program = await findPeerProgram(name);
  if (program === null) return null;
  const makers = { nginx: nginxContestant, haproxy: haproxyContestant, caddy: caddyContestant };
  return makers[name](program);
}
