// A worker that does nothing: whatever its primary asks, it answers at once. Number 2 does not begin while the file
// HOLD_SECOND is there.
import { existsSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

const hold = process.argv[2] === '2' ? (process.env.HOLD_SECOND ?? '') : '';

process.on('message', async ({ id, call }: { readonly id: number; readonly call?: string }) => {
  if (call === undefined) return;
  while (call === 'start' && existsSync(hold)) await pause(20);
  process.send?.({ id, answer: null });
});
