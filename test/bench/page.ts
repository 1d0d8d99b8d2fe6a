// docs/benchmarks.md and its like: tables written by the program that measured them.
import type { BenchCase } from './bench-case.ts';
import { CASE_NAMES, CASES } from './cases.ts';
import type { ContestantName } from './contestants/contestant.ts';
import { isVariant, VARIANTS } from './contestants/perantara.ts';
import { GROUP, SUITE } from './load/secure-client.ts';
import { figureOf, type Results, type Spread } from './results.ts';
import { judge } from './targets.ts';
import { digits, duration, kibibytes, mebibytes, ratio } from './wording.ts';

/** `name`: of the page and its chart, without their endings. */
export function writePage(results: Results, name: string): string {
  const { machine, command } = results;
  return `# Benchmarks

Written by \`${command}\` on ${results.startedAt.slice(0, 10)} (${Math.round(results.tookSeconds / 60)} minutes; do not edit).
The figure is **processor time of the proxy per request**: it holds on shared machines and says how many machines a
load needs. Compare within a table only: all its rows were measured in turn, in one run.

![Processor time per request of each proxy](${name}.svg)

## How to run it

\`\`\`sh
npm run bench -- --short                 # four cases, about two minutes
PEERS=/path/to/debian/tree npm run bench # all of it; writes docs/benchmarks.md
npm run bench -- --only h2               # the cases over HTTP/2
npm run bench -- --help
\`\`\`

Peers come from the Debian tree that \`PEERS\` names (no root or chroot needed), else from \`PATH\`; what is missing is named
and left out.

## Set-up

- ${machine.cores} cores of ${machine.model}, ${machine.memoryGib} GiB, ${machine.kernel}. Commit ${machine.commit ?? 'unknown'}.
- The proxy under test alone on one core; load and ${results.origin} on the other.
- All offer HTTP/2 and HTTP/1.1 (http-proxy has HTTP/1.1 only, node-http2 answers by itself only, and each is left out of
  what it cannot do) over TLS 1.3 with one P-256 certificate, ${SUITE} and ${GROUP}, which the clients insist on so that all
  encrypt alike; keep upstream connections; say X-Forwarded-For and X-Forwarded-Proto; write no access log. The script
  checks all of this before it measures, and with each load over HTTP/2 that h2 was spoken, that every status was good and
  how many bytes of content came.
- One warm-up (six times as long for handshakes, of which there are few in a second), then ${results.repeats} runs of ${results.seconds} s each in turn (A B C A B C). Tables show medians, with the
  smallest and largest run in brackets. Load: ${results.tools.join(', ')}, and programs in test/bench.
- Requests per second and latencies are those of proxy, load and origin on two cores: where the load's core is full, they
  say little about the proxy.

| proxy | version | set besides |
|---|---|---|
${results.contestants.map(({ name, version, setting }) => `| ${name} | ${version} | ${setting} |`).join('\n')}
${results.missing.length === 0 ? '' : `\nLeft out: ${results.missing.join('; ')}.\n`}
## Targets

${targetTable(results)}
${writeTables(results)}`;
}

/** One table for each case that was measured. */
export function writeTables(results: Results): string {
  const measured = CASE_NAMES.filter((name) => results.results.some((result) => result.case === name));
  return measured
    .map((name) => `\n## ${CASES[name].title}\n\n${CASES[name].load}.\n\n${table(results, CASES[name])}`)
    .join('');
}

function targetTable(results: Results): string {
  const rows = judge(results).map(({ wording, peer, limit, value, reached }) => {
    const [found, asked] =
      peer === null ? [kibibytes(value), kibibytes(limit)] : [ratio(value), `${ratio(limit)} × ${peer}`];
    return `| ${wording} | ≤ ${asked} | ${found} | ${reached ? 'reached' : '**missed**'} |`;
  });
  return `| figure | target | Perantara | |\n|---|---|---|---|\n${rows.join('\n')}\n`;
}

function table(results: Results, benchCase: BenchCase): string {
  const isIdle = benchCase.name === 'idle';
  const figure = isIdle ? 'bytesPerConnection' : benchCase.name === 'half' ? 'p99Us' : 'cpuUs';
  const write = isIdle ? kibibytes : duration;
  const what = isIdle ? 'memory' : benchCase.name === 'half' ? 'p99' : 'CPU';
  const own = figureOf(results, benchCase.name, 'perantara', figure);
  const hasLatency = benchCase.name !== 'half' && figureOf(results, benchCase.name, 'perantara', 'p50Us') !== null;
  const columns = ['proxy', isIdle || benchCase.name === 'half' ? what : `${what} per ${benchCase.unit}`];
  columns.push('÷ Perantara’s', 'Perantara’s ÷ it');
  if (benchCase.name === 'half') columns.push('p50', `CPU per ${benchCase.unit}`);
  if (!isIdle) columns.push(`${benchCase.unit}s/s`);
  if (hasLatency) columns.push('p50', 'p99');
  columns.push('RSS');
  const errors: string[] = [];
  const rows = results.results
    .filter((result) => result.case === benchCase.name)
    .map(({ contestant, samples }) => {
      const get = (name: Parameters<typeof figureOf>[3]): Spread | null =>
        figureOf(results, benchCase.name, contestant, name);
      const main = get(figure);
      const cells = [display(contestant), main === null ? 'failed' : withSpread(main, write)];
      const comparable = main !== null && own !== null && contestant !== 'perantara';
      cells.push(comparable ? ratio(main.median / own.median) : '', comparable ? ratio(own.median / main.median) : '');
      if (benchCase.name === 'half')
        cells.push(duration(get('p50Us')?.median ?? null), duration(get('cpuUs')?.median ?? null));
      const rate = get('perSecond');
      if (!isIdle) cells.push(rate === null ? '–' : digits(rate.median));
      if (hasLatency) cells.push(duration(get('p50Us')?.median ?? null), duration(get('p99Us')?.median ?? null));
      cells.push(mebibytes(get('rssBytes')?.median ?? null));
      const wrong = samples.flatMap((sample) => sample.errors);
      if (wrong.length > 0) errors.push(`- **${contestant}**: ${wrong.join('; ').replace(/\s+/g, ' ')}`);
      return `| ${cells.join(' | ')} |`;
    });
  const said = errors.length === 0 ? 'Errors: none.' : `Errors:\n\n${errors.join('\n')}`;
  return `| ${columns.join(' | ')} |\n|${'---|'.repeat(columns.length)}\n${rows.join('\n')}\n\n${said}\n`;
}

function display(contestant: ContestantName): string {
  if (contestant === 'perantara') return '**perantara**';
  return isVariant(contestant) ? `perantara ${VARIANTS[contestant].title}` : contestant;
}

function withSpread({ median, min, max }: Spread, write: (value: number) => string): string {
  return min === max ? write(median) : `${write(median)} (${write(min)} – ${write(max)})`;
}
