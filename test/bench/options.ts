// The command line of the benchmark.
import { parseArgs } from 'node:util';
import { CASE_GROUPS, CASE_NAMES, type CaseName, SHORT_CASES } from './cases.ts';
import { CONTESTANT_NAMES, type ContestantName } from './contestants/contestant.ts';
import { VARIANT_NAMES } from './contestants/perantara.ts';

export interface BenchOptions {
  readonly cases: readonly CaseName[];
  readonly contestants: readonly ContestantName[];
  readonly repeats: number;
  /** Length of one counted load. */
  readonly seconds: number;
  /** Length of the load before the counted ones. */
  readonly warmUpSeconds: number;
  /** Whether docs/benchmarks.md is written. */
  readonly write: boolean;
  /** Results of an earlier run to write the page from, instead of measuring. */
  readonly from: string | null;
  /** Name of the page to write, without its ending. */
  readonly page: string;
  /** As typed, for the page. */
  readonly command: string;
}

/** Always there; the variants in cases about them. */
const OWN_NAMES: readonly ContestantName[] = ['perantara', ...VARIANT_NAMES];
const PEER_NAMES = CONTESTANT_NAMES.filter((name) => !OWN_NAMES.includes(name));

export const USAGE = `usage: npm run bench [-- FLAGS]

  --short        ${SHORT_CASES.join(', ')} only, in about two minutes
  --only NAMES   these cases: ${CASE_NAMES.join(',')};
                 or all of ${Object.keys(CASE_GROUPS).join(' or ')}
  --peers NAMES  perantara beside these: ${PEER_NAMES.join(',')}
  --repeat N     counted runs of each (default 3; 2 with --short)
  --seconds N    length of one counted run (default 5; 2 with --short)
  --write        write docs/benchmarks.md and .svg even when cases or peers are left out
  --from FILE    write them from the results of an earlier run
  --page NAME    docs/NAME.md and .svg instead

Peers are taken from the Debian tree that the variable PEERS names, else from PATH. Figures of every run are kept in
.cache/bench.json. A run of everything writes docs/benchmarks.md.
`;

/** Throws one sentence about the first mistake. */
export function parseOptions(argv: readonly string[]): BenchOptions | 'help' {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      short: { type: 'boolean', default: false },
      only: { type: 'string' },
      peers: { type: 'string' },
      repeat: { type: 'string' },
      seconds: { type: 'string' },
      write: { type: 'boolean', default: false },
      from: { type: 'string' },
      page: { type: 'string', default: 'benchmarks' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const isWhole = !values.short && values.only === undefined && values.peers === undefined;
  const peers = values.peers === undefined ? PEER_NAMES : choose(values.peers, PEER_NAMES, '--peers');
  const all = values.short ? SHORT_CASES : CASE_NAMES;
  return {
    cases: values.only === undefined ? all : choose(values.only, CASE_NAMES, '--only', CASE_GROUPS),
    contestants: CONTESTANT_NAMES.filter((name) => OWN_NAMES.includes(name) || peers.includes(name)),
    repeats: number(values.repeat, values.short ? 2 : 3, '--repeat', 50),
    seconds: number(values.seconds, values.short ? 2 : 5, '--seconds', 60),
    warmUpSeconds: values.short ? 1 : 2,
    write: values.write || values.from !== undefined || isWhole,
    from: values.from ?? null,
    page: pageName(values.page),
    command: ['npm run bench', ...(argv.length > 0 ? ['--', ...argv] : [])].join(' '),
  };
}

function choose<T extends string>(
  list: string,
  from: readonly T[],
  flag: string,
  groups: Readonly<Record<string, readonly T[]>> = {},
): readonly T[] {
  const names = list.split(',').flatMap((text): readonly string[] => groups[text.trim()] ?? [text.trim()]);
  for (const name of names)
    if (!from.includes(name as T))
      throw new Error(`${flag}: there is no "${name}"; there are ${[...Object.keys(groups), ...from].join(', ')}`);
  return from.filter((name) => names.includes(name));
}

function number(text: string | undefined, fallback: number, flag: string, most: number): number {
  const value = text === undefined ? fallback : Number(text);
  if (!(value > 0 && value <= most)) throw new Error(`${flag}: "${text}" is not a number above 0 and up to ${most}`);
  return value;
}

function pageName(name: string): string {
  if (/^[a-z][a-z0-9-]*$/.test(name)) return name;
  throw new Error(`cannot write page "${name}": its name is not of lower-case letters, digits and "-"`);
}
