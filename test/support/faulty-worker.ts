// A worker that has a fault of its own: SIGWINCH makes it throw where nobody catches, and STOP_AT_START one that never gets ready.
import { existsSync } from 'node:fs';

process.on('SIGWINCH', () => {
  throw new Error('a fault of its own');
});
if (existsSync(process.env.STOP_AT_START ?? '')) process.exit(7);
await import('../../src/cli/worker-main.ts');
