// Opens TLS connections one after another, one small request on each, with a full handshake or a resumed one (newest TLS 1.3
// ticket of the connections before), and says how many were which.
// usage: node handshakes.ts PORT full|resumed SECONDS CONCURRENCY
import { percentile } from '../load/outcome.ts';
import { requestText } from '../load/secure-client.ts';
import { visit } from '../load/visit.ts';

const [port, mode, seconds, concurrency] = process.argv.slice(2) as [string, 'full' | 'resumed', string, string];
const request = requestText('/small', Number(port), 'close');
const begin = performance.now();
const end = begin + Number(seconds) * 1_000;
const tookUs: number[] = [];
const errors = new Map<string, number>();
let resumed = 0;

await Promise.all(Array.from({ length: Number(concurrency) }, worker));
console.log(
  JSON.stringify({
    count: tookUs.length,
    resumed,
    seconds: (performance.now() - begin) / 1_000,
    p50Us: percentile(tookUs, 0.5),
    p99Us: percentile(tookUs, 0.99),
    errors: Array.from(errors, ([what, times]) => `${times} × ${what}`),
  }),
);

async function worker(): Promise<void> {
  let session: Buffer | undefined;
  while (performance.now() < end) {
    const startedAt = performance.now();
    try {
      const { ticket, resumed: isResumed } = await visit(Number(port), request, { session });
      tookUs.push((performance.now() - startedAt) * 1_000);
      if (isResumed) resumed++;
      if (mode === 'resumed') session = ticket ?? session;
    } catch (error) {
      session = undefined;
      const what = (error as Error).message;
      errors.set(what, (errors.get(what) ?? 0) + 1);
    }
  }
}
