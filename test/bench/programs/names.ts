// Opens TLS connections with a full handshake each, by the names of a fleet, one small request on each, and says how many
// were right.
// usage: node names.ts PORT each|random COUNT NAMES CONCURRENCY
//   each: the names 0, 1, 2, … in turn; random: any of them
import { requestText } from '../load/secure-client.ts';
import { visit } from '../load/visit.ts';
import { fleetName } from '../scale/fleet.ts';

const [port, mode, count, names, concurrency] = process.argv.slice(2) as [string, string, string, string, string];
const errors = new Map<string, number>();
const begin = performance.now();
let begun = 0;
let done = 0;

await Promise.all(Array.from({ length: Number(concurrency) }, worker));
console.log(
  JSON.stringify({
    count: done,
    seconds: (performance.now() - begin) / 1_000,
    p50Us: null,
    p99Us: null,
    errors: Array.from(errors, ([what, times]) => `${times} × ${what}`),
  }),
);

async function worker(): Promise<void> {
  while (begun < Number(count)) {
    const turn = begun++;
    const index = mode === 'each' ? turn % Number(names) : Math.floor(Math.random() * Number(names));
    const servername = fleetName(index);
    try {
      await visit(Number(port), requestText('/small', Number(port), 'close', servername), { servername });
      done++;
    } catch (error) {
      const what = (error as Error).message;
      errors.set(what, (errors.get(what) ?? 0) + 1);
    }
  }
}
