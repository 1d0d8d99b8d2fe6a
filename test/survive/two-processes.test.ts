// hostile-inputs item 34: two processes share one storage. One order in all; a holder of the lock that was paused until the
// other took over, and then goes on, writes nothing any more. `npm run survive` pauses it for a minute.
import { deepEqual, equal, match, notEqual, ok } from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { acmeIssuerId } from '../../src/certs/acme/issuer.ts';
import { parseBundle } from '../../src/certs/certificate.ts';
import { type FakeAcme, problem, startFakeAcme } from '../support/fake-acme.ts';
import { configOf, servedAt } from '../support/kept-certificate.ts';
import { type Perantara, startPerantara } from '../support/perantara.ts';
import { retry } from '../support/retry.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** The short form waits only until the other has taken over: the locks' 5 s. */
const PAUSE_MS = process.env.SURVIVE === 'long' ? 60_000 : 0;
const TIMEOUT = { timeout: 240_000 };
const NAME = 'a.example';

interface Place {
  readonly ca: FakeAcme;
  readonly bundleFile: string;
  start(): Promise<Perantara>;
}

async function newPlace(t: TestContext, names: readonly string[]): Promise<Place> {
  const folder = await temporaryFolder(t);
  const ca = await startFakeAcme();
  t.after(() => ca.stop());
  const trustFile = join(folder, 'trust.pem');
  await writeFile(trustFile, ca.trustPem);
  const config = configOf(ca, join(folder, 'storage'), trustFile, names);
  return {
    ca,
    bundleFile: join(folder, 'storage/certificates', acmeIssuerId(ca.directoryUrl), NAME, 'bundle.pem'),
    start: async () => {
      const proxy = await startPerantara({ config });
      t.after(() => proxy.stop());
      return proxy;
    },
  };
}

interface Paused {
  readonly holder: Perantara;
  readonly other: Perantara;
}

/** The holder is paused with its certificate on the way to it, until another process has obtained what it wanted. */
async function pauseHolder({ ca, start }: Place, meanwhile: FakeAcme['script'] = () => null): Promise<Paused> {
  const [downloading, resumed] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  ca.script = async ({ step }) => {
    if (step !== 'certificate') return null;
    ca.script = meanwhile;
    downloading.resolve();
    await resumed.promise;
    return null;
  };
  const [holder] = await Promise.all([start(), downloading.promise]);
  holder.signal('SIGSTOP');
  const pause = delay(PAUSE_MS);
  const other = await start();
  await other.obtained(NAME);
  await pause;
  resumed.resolve();
  holder.signal('SIGCONT');
  return { holder, other };
}

/** Resolves with the fingerprint that both serve and that is stored. */
async function agreed({ ca, bundleFile }: Place, { holder, other }: Paused): Promise<string> {
  return retry(
    async () => {
      const stored = parseBundle(await readFile(bundleFile, 'utf8')).fingerprint;
      equal(await servedAt(other.httpsPort, NAME, ca), stored);
      equal(await servedAt(holder.httpsPort, NAME, ca), stored);
      return stored;
    },
    { deadlineMs: 60_000, pauseMs: 200 },
  );
}

suite('two processes on one storage', { concurrency: 3 }, () => {
  test('that start at once with the same names make one order for each, and serve the same', TIMEOUT, async (t) => {
    const names = [NAME, 'b.example', 'c.example'];
    const { ca, start } = await newPlace(t, names);
    const [one, other] = await Promise.all([start(), start()]);
    for (const name of names)
      await retry(
        async () => equal(await servedAt(one.httpsPort, name, ca), await servedAt(other.httpsPort, name, ca)),
        { deadlineMs: 60_000, pauseMs: 200 },
      );
    deepEqual([ca.accounts.length, ca.orders.length, ca.issued.length], [1, 3, 3]);
  });

  test(
    'one of which is paused while it obtains: the other goes on with its order, it serves what the other stored',
    TIMEOUT,
    async (t) => {
      const place = await newPlace(t, [NAME]);
      const paused = await pauseHolder(place);
      await agreed(place, paused);
      deepEqual([place.ca.accounts.length, place.ca.orders.length, place.ca.issued.length], [1, 1, 1]);
    },
  );

  test(
    'one of which comes back with a certificate that the other knows nothing of: it is not stored',
    TIMEOUT,
    async (t) => {
      const place = await newPlace(t, [NAME]);
      const { ca } = place;
      const paused = await pauseHolder(place, ({ step, url }) =>
        step === 'order' && url.endsWith('/0') ? problem(404, 'malformed', 'no such order') : null,
      );
      const refused = await paused.holder.logged(({ event }) => event === 'certificate_failed');
      match(refused.err?.message ?? '', /another process/);
      const fingerprint = await agreed(place, paused);
      equal(ca.issued.length, 2);
      equal(fingerprint, parsedFingerprint(ca.issued[1]!));
      notEqual(fingerprint, parsedFingerprint(ca.issued[0]!));
      ok(!paused.other.log.some(({ event }) => event === 'certificate_failed'));
    },
  );
});

function parsedFingerprint(certPem: string): string {
  return new X509Certificate(certPem).fingerprint256;
}
