// Very many aborted requests, in every phase, by FIN and by RST, in the clear and under TLS, with real sockets: what they
// leave behind in memory and handles. aborts.test.ts runs a short form.
// usage: node test/soak/aborts.ts [COUNT]      default 100000, of which every fourth under TLS
import { CLIENT_PHASES } from '../faults/client-phases.ts';
import { type BareProxy, type Carrier, startBareProxy } from '../support/bare-proxy.ts';
import { connectPlain, connectSecure, type Peer } from '../support/peer.ts';
import { type AbortOrigin, startAbortOrigin } from './abort-origin.ts';
import { type Footprint, footprint } from './footprint.ts';

const AT_ONCE = 64;
/** Caches and compiled code settle within so many; measured: the heap is the same from then on. */
export const WARM_UP = 4_000;

export interface AbortReport {
  readonly count: number;
  readonly seconds: number;
  readonly before: Footprint;
  readonly after: Footprint;
  /** Faults of Perantara's own. */
  readonly faults: number;
}

/** `warmUp` aborts come first and do not count: caches and compiled code are no leak. `leak`: called at each abort. */
export async function abortMany(count: number, warmUp: number, leak: () => void = () => {}): Promise<AbortReport> {
  const ends: (() => unknown)[] = [];
  const t = { after: (end: () => unknown) => void ends.push(end) };
  const origin = await startAbortOrigin();
  const proxies = {
    plain: await startBareProxy(t, origin.port),
    tls: await startBareProxy(t, origin.port, undefined, 'tls'),
  };
  try {
    await abortAll(warmUp, 0, proxies, origin, () => {});
    const before = await footprint();
    const from = performance.now();
    await abortAll(count, warmUp, proxies, origin, leak);
    const seconds = (performance.now() - from) / 1_000;
    const after = await footprint();
    const faults = proxies.plain.faults.length + proxies.tls.faults.length;
    return { count, seconds, before, after, faults };
  } finally {
    for (const end of ends) await end();
    await origin.stop();
  }
}

/** Resolves when all are over and both proxies hold nothing any more. */
async function abortAll(
  count: number,
  firstId: number,
  proxies: Readonly<Record<Exclude<Carrier, 'h2c'>, BareProxy>>,
  origin: AbortOrigin,
  leak: () => void,
): Promise<void> {
  let begun = 0;
  const worker = async (): Promise<void> => {
    while (begun < count) {
      const id = firstId + begun++;
      await abortOne(id, proxies, origin);
      leak();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  for (const proxy of Object.values(proxies)) {
    while (proxy.connections.size > 0) {
      proxy.passTime(2_500);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    proxy.passTime(700_000); // idle upstream connections too
    await proxy.idle();
    if (proxy.target.inflight !== 0) throw new Error(`${proxy.target.inflight} requests are still in flight`);
  }
  while (origin.connections > 0) await new Promise((resolve) => setTimeout(resolve, 5));
}

async function abortOne(
  id: number,
  proxies: Readonly<Record<Exclude<Carrier, 'h2c'>, BareProxy>>,
  origin: AbortOrigin,
): Promise<void> {
  const phase = id % CLIENT_PHASES.length;
  const round = Math.floor(id / CLIENT_PHASES.length);
  const { sends, got, asked } = CLIENT_PHASES[phase]!;
  const carrier = round % 4 === 3 ? 'tls' : 'plain';
  const { port } = proxies[carrier];
  const client: Peer = await (carrier === 'tls' ? connectSecure(port) : connectPlain(port));
  const seen = asked === null ? null : origin.asked(id);
  await client.send(sends.replace(' / ', ` /${phase}-${id} `));
  await seen;
  await client.until(got);
  if (round % 2 === 0) client.destroy();
  else client.reset();
}

if (import.meta.main) {
  const count = Number(process.argv[2] ?? 100_000);
  const { seconds, before, after, faults } = await abortMany(count, WARM_UP);
  const mib = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
  console.log(`${count} aborted requests in ${seconds.toFixed(0)} s, ${faults} faults`);
  for (const kind of ['heapBytes', 'externalBytes', 'residentBytes'] as const)
    console.log(`${kind}: ${mib(before[kind])} before, ${mib(after[kind])} after`);
  console.log(`handles: ${JSON.stringify(before.handles)} before, ${JSON.stringify(after.handles)} after`);
}
