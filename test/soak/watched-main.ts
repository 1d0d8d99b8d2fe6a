// Perantara's own main file, watched from inside: prints what the process holds, since the product has no such endpoint, and
// swaps a certificate now and then. Lines: `sample {…}` each second, `rest {…}` after SIGUSR2, measured after a collection.
// $SOAK_LEAK = heap | timers: leaks on purpose, to see that it is noticed.
import { readdirSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { CertificateResolver } from '../../src/certs/resolver.ts';
import { DeadlineSweep } from '../../src/core/deadlines.ts';
import { makeAuthority, mint } from '../support/minted.ts';

const SAMPLE_MS = 1_000;
const SWAP_MS = 2_000;
/** One MiB of numbers a second. */
const LEAKED_NUMBERS = 2 ** 17 / 10;

const sweeps = instancesOf(DeadlineSweep.prototype, 'add');
const resolvers = instancesOf(CertificateResolver.prototype, 'publish');
const authority = makeAuthority('Soak Root');
const leaked: unknown[] = [];

setInterval(() => print('sample'), SAMPLE_MS).unref();
setInterval(() => {
  const name = 'swap.localhost';
  for (const resolver of resolvers) resolver.publish(name, mint([name], authority));
}, SWAP_MS).unref();
setInterval(leak, 100).unref();
process.on('SIGUSR2', () => {
  collect();
  // Finalizers run between the two.
  setTimeout(() => {
    collect();
    print('rest');
  }, 200);
});

await import('../../src/main.ts');

function print(what: 'sample' | 'rest'): void {
  const { rss, heapUsed, external } = process.memoryUsage();
  const files = readdirSync('/proc/self/fd').length;
  const handles = process.getActiveResourcesInfo().length;
  const members = [...sweeps].reduce((sum, { size }) => sum + size, 0);
  process.stdout.write(`${what} ${JSON.stringify({ rss, heapUsed, external, files, handles, members })}\n`);
}

/** Every object on which this method is ever called. */
function instancesOf<T extends object>(prototype: T, method: keyof T): Set<T> {
  const found = new Set<T>();
  const original = prototype[method] as (...args: unknown[]) => unknown;
  prototype[method] = function (this: T, ...args: unknown[]): unknown {
    found.add(this);
    return original.apply(this, args);
  } as T[keyof T];
  return found;
}

function collect(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

function leak(): void {
  if (process.env.SOAK_LEAK === 'heap') leaked.push(Array.from({ length: LEAKED_NUMBERS }, Math.random));
  if (process.env.SOAK_LEAK === 'timers') leaked.push(setTimeout(() => {}, 3_600_000));
}
