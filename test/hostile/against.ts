// `npm run hostile`: the hostile inputs at Perantara and at other proxies, beside each other; writes docs/hostile-inputs.md.
// Loopback only; every wait and every child is bounded.
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { describeMachine } from '../bench/machine.ts';
import { Column } from './column.ts';
import { type Results, writePage } from './page.ts';
import { CONTENDER_NAMES, type Contender, type ContenderName } from './subjects/contender.ts';
import { findContender } from './subjects/find-contender.ts';

const PAGE = resolve(import.meta.dirname, '../../docs/hostile-inputs.md');
const WHOLE_RUN_MS = 10 * 60_000;

const USAGE = `usage: npm run hostile [-- FLAGS]

  --against NAMES  perantara beside these: ${CONTENDER_NAMES.slice(1).join(',')} (default all)
  --no-write       print what differs, and leave docs/hostile-inputs.md as it is

Other proxies are taken from the Debian tree that the variable PEERS names, else from PATH; those missing are left out.
`;

try {
  const { values } = parseArgs({
    options: {
      against: { type: 'string' },
      'no-write': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) process.stdout.write(USAGE);
  else await main(chosen(values.against), !values['no-write']);
} catch (error) {
  process.stderr.write(`hostile: ${(error as Error).message}\n`);
  process.exitCode = 1;
}

function chosen(list: string | undefined): readonly ContenderName[] {
  const names = list?.split(',').map((name) => name.trim()) ?? [...CONTENDER_NAMES];
  for (const name of names)
    if (!(CONTENDER_NAMES as readonly string[]).includes(name))
      throw new Error(`--against: there is no "${name}"; there are ${CONTENDER_NAMES.slice(1).join(', ')}`);
  return CONTENDER_NAMES.filter((name) => name === 'perantara' || names.includes(name));
}

async function main(names: readonly ContenderName[], write: boolean): Promise<void> {
  const tooLong = setTimeout(() => {
    process.stderr.write('hostile: the run took too long\n');
    process.exit(1); // children end with this process
  }, WHOLE_RUN_MS);
  const contenders: Contender[] = [];
  const missing: ContenderName[] = [];
  for (const name of names) {
    const contender = await findContender(name);
    if (contender === null) missing.push(name);
    else contenders.push(contender);
  }
  for (const name of missing)
    process.stdout.write(`${name}: not found on PATH or in the tree that PEERS names; left out\n`);
  const columns = contenders.map((contender) => new Column(contender));
  await Promise.all(columns.map((column) => column.tryHttp1()));
  await Promise.all(columns.map((column) => column.tryHttp2()));
  for (const column of columns) await column.tryFloods();
  const results: Results = {
    command: ['npm run hostile', ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : [])].join(' '),
    date: new Date().toISOString().slice(0, 10),
    commit: (await describeMachine()).commit,
    contenders,
    missing,
    cells: new Map(contenders.map(({ name }, i) => [name, columns[i]!.cells])),
  };
  const wrong = columns.flatMap((column) => column.wrong);
  for (const line of wrong) process.stdout.write(`${line}\n`);
  for (const [name, cells] of results.cells) {
    const unsafe = [...cells.values()].filter(({ isUnsafe }) => isUnsafe).length;
    process.stdout.write(`${name}: ${cells.size} inputs, ${unsafe} unsafe outcomes\n`);
  }
  if (write) {
    await writeFile(PAGE, writePage(results));
    process.stdout.write('written: docs/hostile-inputs.md\n');
  }
  if (wrong.length > 0) process.exitCode = 1;
  clearTimeout(tooLong);
}
