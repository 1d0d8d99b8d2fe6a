// A worker that has a fault of its own: SIGWINCH makes it throw where nobody catches, and one whose number is in the file STOP_AT_START
// never gets ready.
import { existsSync, readFileSync } from 'node:fs';

process.on('SIGWINCH', () => {
  throw new Error('a fault of its own');
});
const mark = process.env.STOP_AT_START ?? '';
if (existsSync(mark) && readFileSync(mark, 'utf8').includes(process.argv[2]!)) process.exit(7);
await import('../../src/cli/worker-main.ts');
