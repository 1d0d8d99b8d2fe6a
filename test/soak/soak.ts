// `npm run soak`: mixed traffic for an hour, every answer checked, memory and handles to stay flat. Exit code 1 otherwise.
import { parseArgs } from 'node:util';
import { soak } from './run.ts';

const USAGE = `usage: npm run soak [-- FLAGS]

  --seconds N   length of the counted traffic (default 3600)
  --rate N      exchanges begun per second (default 200)
  --warm-up N   seconds of traffic before that (default 60)
`;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '3600' },
    rate: { type: 'string', default: '200' },
    'warm-up': { type: 'string', default: '60' },
    help: { type: 'boolean', default: false },
  },
});
const [seconds, rate, warmUpSeconds] = [values.seconds, values.rate, values['warm-up']].map(Number) as [
  number,
  number,
  number,
];
if (values.help) process.stdout.write(USAGE);
else if (!(seconds > 0 && rate > 0 && warmUpSeconds > 0)) {
  process.stderr.write(USAGE);
  process.exitCode = 2;
} else {
  const say = (text: string): void => void process.stdout.write(`${text}\n`);
  const result = await soak({ seconds, rate, warmUpSeconds, onProgress: say });
  say(`${result.exchanges} exchanges ended well, ${result.skipped} were left out for want of room`);
  for (const [name, times] of result.byKind) say(`  ${String(times).padStart(8)}  ${name}`);
  for (const [what, figure] of Object.entries(result.verdict.figures)) say(`${what}: ${figure}`);
  for (const fault of result.faults) say(`FAULT: ${fault}`);
  say(result.faults.length === 0 ? 'flat' : 'not flat, or not right');
  process.exitCode = result.faults.length === 0 ? 0 : 1;
}
