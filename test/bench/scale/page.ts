// docs/scale.md: written by the program that measured it.
import { MAX_CONTEXTS } from '../../../src/certs/resolver.ts';
import type { Machine } from '../machine.ts';
import { type Spread, spreadOf } from '../results.ts';
import { digits, duration, kibibytes, mebibytes } from '../wording.ts';
import type { ConnectionFigures } from './connections.ts';
import type { SitesSample } from './sites.ts';
import { WORKER_LOAD_TEXTS, WORKER_LOADS, type WorkersSample } from './workers.ts';

export interface SitesResult {
  readonly count: number;
  readonly samples: readonly SitesSample[];
}

export interface ScaleResults {
  readonly command: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly tookSeconds: number;
  readonly machine: Machine;
  readonly repeats: number;
  readonly origin: string;
  readonly sites: readonly SitesResult[];
  readonly connections: ConnectionFigures | null;
  /** Empty: not measured. */
  readonly workers: readonly WorkersSample[];
}

const thousands = (count: number): string => count.toLocaleString('en-GB');
const seconds = (ms: number): string => `${(ms / 1_000).toFixed(2)} s`;
const nanoseconds = (ns: number): string => `${digits(ns)} ns`;

type Figure = Exclude<keyof SitesSample, 'errors'>;

const ROWS: readonly (readonly [string, Figure, (value: number) => string])[] = [
  ['command → listening', 'listeningMs', seconds],
  ['CPU until listening', 'listeningCpuMs', seconds],
  ['RSS when listening', 'listeningRssBytes', mebibytes],
  ['CPU until at rest (stored certificates looked at)', 'settledCpuMs', seconds],
  ['RSS at rest', 'settledRssBytes', mebibytes],
  ['look-up of host and path', 'lookUpNs', nanoseconds],
  ['**CPU per request**, Host at random', 'requestUs', duration],
  ['CPU per full handshake with request, name seen before', 'warmUs', duration],
  ['the same, name never seen before', 'coldUs', duration],
  ['the same, names at random', 'randomUs', duration],
  ['RSS at the end', 'endRssBytes', mebibytes],
];

export function siteTable(sites: readonly SitesResult[]): string {
  const head = ['', ...sites.map(({ count }) => `${thousands(count)} ${count === 1 ? 'site' : 'sites'}`)];
  const rows = ROWS.map(([title, figure, write]) => {
    const cells = sites.map(({ samples }) => {
      const values = samples.map((sample) => sample[figure]).filter((value) => value !== null);
      return values.length === 0 ? '–' : withSpread(spreadOf(values), write);
    });
    return `| ${[title, ...cells].join(' | ')} |`;
  });
  const errors = sites.flatMap(({ samples }) => samples.flatMap((sample) => sample.errors));
  const said = errors.length === 0 ? 'Errors: none.' : `Errors: ${errors.join('; ').replace(/\s+/g, ' ')}`;
  return `| ${head.join(' | ')} |\n|${'---|'.repeat(head.length)}\n${rows.join('\n')}\n\n${said}\n`;
}

export function connectionTable(figures: ConnectionFigures): string {
  const { wanted, opened, good, stillOpen, bytesPerConnection, rssBytes, cpuUs, openFilesLimit, errors } = figures;
  const why =
    opened === wanted
      ? ''
      : `\nThis system lets a process have ${thousands(openFilesLimit)} files open (\`ulimit -Hn\`), so ${thousands(opened)}
connections were opened instead of ${thousands(wanted)}.\n`;
  const said = errors.length === 0 ? 'none' : errors.join('; ').replace(/\s+/g, ' ');
  return `| connections opened, one request on each: answered 200 | ${thousands(good[0])} of ${thousands(opened)} |
|---|---|
| one more request on each, when all were open: answered 200 | ${thousands(good[1])} |
| open at the end | ${thousands(stillOpen)} |
| memory per connection | ${kibibytes(bytesPerConnection)} |
| RSS with all open | ${mebibytes(rssBytes)} |
| CPU per full handshake with request | ${duration(cpuUs[0])} |
| CPU per request on an open connection | ${duration(cpuUs[1])} |
${why}
Errors: ${said}.
`;
}

export function workersTable(samples: readonly WorkersSample[]): string {
  const rows = WORKER_LOADS.flatMap((load) => {
    const of = (workers: number): readonly WorkersSample[] =>
      samples.filter((sample) => sample.load === load && sample.workers === workers);
    return [1, 2].flatMap((workers) => {
      const [own, alone] = [of(workers), of(1)];
      if (own.length === 0) return [];
      const rate = spreadOf(own.map(({ perSecond }) => perSecond));
      const single = alone.length === 0 ? null : spreadOf(alone.map(({ perSecond }) => perSecond)).median;
      const cells = [
        workers === 1 ? WORKER_LOAD_TEXTS[load] : '',
        workers === 1 ? '1 worker, one core for all' : '2 workers, two cores for all',
        withSpread(rate, digits),
        workers === 1 || single === null ? '' : `${(rate.median / single).toFixed(2)} ×`,
        withSpread(spreadOf(own.map(({ cpuUs }) => cpuUs)), duration),
        workers === 1 ? '' : `${Math.round(spreadOf(own.map(({ largestShare }) => largestShare)).median * 100)} %`,
      ];
      return [`| ${cells.join(' | ')} |`];
    });
  });
  const errors = samples.flatMap((sample) => sample.errors);
  const said = errors.length === 0 ? 'Errors: none.' : `Errors: ${errors.join('; ').replace(/\s+/g, ' ')}`;
  return `| load | | requests/s | | CPU per request | busier worker |
|---|---|---|---|---|---|
${rows.join('\n')}

${said}
`;
}

export function writeScalePage(results: ScaleResults): string {
  const { machine, command, repeats, origin, connections, workers } = results;
  return `# Scale

Written by \`${command}\` on ${results.startedAt.slice(0, 10)} (${Math.round(results.tookSeconds / 60)} minutes; do not edit). Set-up as in
[benchmarks.md](benchmarks.md): ${machine.cores} cores of ${machine.model}, ${machine.memoryGib} GiB, ${machine.kernel}, commit
${machine.commit ?? 'unknown'}; proxy alone on one core; ${origin}.

## Sites

Each with a certificate of its own (P-256, with an intermediate): every second one supplied as files, the others obtained
earlier and lying in storage. ${repeats === 1 ? 'One start' : `Medians of ${repeats} starts, smallest and largest in brackets`}.

${siteTable(results.sites)}
- **Look-ups** are two hash maps and the routes of one site: nothing grows with the number of sites. What a request costs
  more among ten thousand is the processor's cache: other objects each time.
- **Secure contexts** are made at a name's first handshake. The ${thousands(MAX_CONTEXTS)} used last are kept (src/certs/resolver.ts), about 40 KiB
  each; "names at random" over more than that makes one anew for most handshakes.
- **Start**: the config file with its supplied certificates is read and checked before anything listens. Stored certificates
  are read 16 at a time; after that, each is looked at under its lock in the background, 10 at a time, and checked.
${connections === null ? '' : `\n## Open connections\n\nTLS 1.3, full handshakes, from several source addresses of 127.0.0.0/8, client processes on the other core.\n\n${connectionTable(connections)}`}${workers.length === 0 ? '' : workersText(workers)}`;
}

function workersText(workers: readonly WorkersSample[]): string {
  return `
## Workers

With one worker proxy, load and origin share one core; with two they share two. Medians, smallest and largest in brackets. "Busier
worker": its part of the processor time of both.

${workersTable(workers)}`;
}

function withSpread({ median, min, max }: Spread, write: (value: number) => string): string {
  return min === max ? write(median) : `${write(median)} (${write(min)} – ${write(max)})`;
}
