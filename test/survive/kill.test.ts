// hostile-inputs item 33: the process is killed with SIGKILL after every change of a file that others can see and after every
// request that the CA has acted on and not answered, is started again, and ends with one working certificate of one order.
// `npm run survive`: after every change of a file whatsoever, with both kinds of CA, at the first issuance and at a renewal.
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { acmeIssuerId } from '../../src/certs/acme/issuer.ts';
import { parseBundle } from '../../src/certs/certificate.ts';
import { CertificateStore } from '../../src/certs/storage/certificate-store.ts';
import { FileLocker } from '../../src/certs/storage/file-locker.ts';
import { FileStorage } from '../../src/certs/storage/file-storage.ts';
import { capturedLog } from '../support/captured-log.ts';
import { type FakeAcme, startFakeAcme } from '../support/fake-acme.ts';
import { configOf, handshake, newLife } from '../support/kept-certificate.ts';
import { mint } from '../support/minted.ts';
import { retry } from '../support/retry.ts';

const LONG = process.env.SURVIVE === 'long';
const NAME = 'a.example';
const DAY_MS = 86_400_000;
const KEEPER = join(import.meta.dirname, '../support/mortal-keeper.ts');
/** The long form waits for locks of the dead as long as a server does; the short one a tenth of it. */
const LOCKS = LONG ? {} : { beatMs: 100, staleMs: 600, pollMs: 20 };
const PATIENCE_MS = 60_000;

/** A CA whose answer to the order may get lost gives the same pending order again (Boulder), or lists what the account has (Pebble). */
type CaKind = 'gives a pending order again' | 'lists the account’s orders';
type Occasion = 'first issuance' | 'renewal';

/** Where it dies: after a change of a file, or when the CA has acted on a request that it never answers. Counted from 1. */
interface Death {
  readonly step?: number;
  readonly request?: number;
}

interface Place {
  readonly folder: string;
  readonly storage: FileStorage;
  readonly ca: FakeAcme;
  readonly config: object;
  readonly issuerId: string;
  /** Fingerprint of the certificate that is to be renewed, or null. */
  readonly old: string | null;
}

let base: string;
before(async () => {
  base = await mkdtemp(join(tmpdir(), 'perantara-kill-'));
});
after(() => rm(base, { recursive: true, force: true }));

async function newPlace(kind: CaKind, occasion: Occasion): Promise<Place> {
  const folder = await mkdtemp(join(base, 'case-'));
  const ca = await startFakeAcme();
  ca.settings.reusesOrders = kind === 'gives a pending order again';
  ca.settings.orderLists = !ca.settings.reusesOrders;
  const root = join(folder, 'storage');
  const storage = new FileStorage(root);
  ca.lookUp = (host, token) => sharedAnswer(join(root, 'challenges', host, token));
  await writeFile(join(folder, 'trust.pem'), ca.trustPem);
  const issuerId = acmeIssuerId(ca.directoryUrl);
  let old: string | null = null;
  if (occasion === 'renewal') {
    const period = { notBefore: Date.now() - 80 * DAY_MS, notAfter: Date.now() + 10 * DAY_MS };
    const certificate = mint([NAME], ca.authority, period);
    await new CertificateStore(storage, capturedLog().log).save(issuerId, NAME, certificate);
    old = certificate.fingerprint;
  }
  return { folder, storage, ca, config: configOf(ca, root, join(folder, 'trust.pem'), [NAME]), issuerId, old };
}

/** As any process that shares the storage answers. */
function sharedAnswer(path: string): string | null {
  try {
    return (JSON.parse(readFileSync(path, 'utf8')) as { keyAuthorization: string }).keyAuthorization;
  } catch {
    return null;
  }
}

interface FirstLife {
  readonly lines: readonly string[];
  readonly killed: boolean;
  readonly requests: number;
}

/** Runs the program until it dies, or has its certificate. */
async function live({ folder, ca, config }: Place, death: Death): Promise<FirstLife> {
  const optionsFile = join(folder, 'keeper.json');
  await writeFile(optionsFile, JSON.stringify({ config, killAt: death.step ?? 0, everyStep: LONG }));
  const child = spawn(process.execPath, [KEEPER, optionsFile], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_COMPILE_CACHE: join(base, 'compiled') },
  });
  let requests = 0;
  ca.script = (call) => {
    if (++requests !== death.request) return null;
    ca.usual(call);
    child.kill('SIGKILL');
    return 'handled';
  };
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  ca.script = () => null;
  ok(signal === 'SIGKILL' || code === 0, `ended with ${code ?? signal}:\n${output}`);
  return { lines: output.split('\n'), killed: signal === 'SIGKILL', requests };
}

/** The next process on the same folder: rests when it serves a new certificate. */
async function liveAgain(place: Place): Promise<void> {
  const { config, ca, storage, issuerId, old } = place;
  const root = join(place.folder, 'storage');
  const second = newLife(config, { locker: new FileLocker(root, LOCKS) });
  await second.manager.start();
  const store = new CertificateStore(storage, second.logged.log);
  try {
    await retry(
      async () => {
        // Its first turn is over.
        deepEqual(await storage.list('locks'), []);
        const certificate = await store.read(issuerId, NAME);
        ok(certificate !== null && certificate.fingerprint !== old, JSON.stringify(second.logged.lines, null, 1));
        equal(await handshake(second, NAME, ca), certificate.fingerprint);
        equal((await store.loadState(issuerId, NAME)).booked, null, 'an order that has ended is no longer booked');
      },
      { deadlineMs: PATIENCE_MS, pauseMs: 200 },
    );
  } finally {
    await second.manager.close();
  }
}

async function assertSane({ config, ca, storage, issuerId, folder, old }: Place): Promise<void> {
  deepEqual([ca.accounts.length, ca.orders.length, ca.issued.length], [1, 1, 1], 'accounts, orders, certificates');
  const bundle = (await storage.load(`certificates/${issuerId}/${NAME}/bundle.pem`))!;
  const { fingerprint, certPem, keyPem } = parseBundle(bundle);
  const state = await new CertificateStore(storage, capturedLog().log).loadState(issuerId, NAME);
  deepEqual([state.failures, state.lastError, state.booked, state.waiting], [0, null, null, null]);
  deepEqual(await storage.list('locks'), []);
  for (const key of await storage.list('certificates')) match(key, /(bundle|cert|key)\.pem$|state\.json$/);
  const left = (await readdir(join(folder, 'storage'), { recursive: true })).filter((path) => path.endsWith('.tmp'));
  ok(left.length <= 1, `half-written: ${left}`);

  const third = newLife(config);
  await third.manager.start();
  try {
    equal(await handshake(third, NAME, ca), fingerprint, 'what a new process serves');
    await retry(
      async () => {
        equal(await storage.load(`certificates/${issuerId}/${NAME}/cert.pem`), certPem);
        equal(await storage.load(`certificates/${issuerId}/${NAME}/key.pem`), keyPem);
      },
      { deadlineMs: PATIENCE_MS },
    );
  } finally {
    await third.manager.close();
  }
  deepEqual([ca.orders.length, ca.issued.length], [1, 1], 'a new process asks for nothing');
  equal(ca.orders[0]!.replaces === null, old === null, 'a renewal says what it replaces');
}

/** Resolves with how many steps and requests a life without death has. */
async function measure(kind: CaKind, occasion: Occasion): Promise<{ steps: readonly string[]; requests: number }> {
  const place = await newPlace(kind, occasion);
  try {
    const { lines, requests } = await live(place, {});
    await assertSane(place);
    return { steps: lines.filter((line) => line.startsWith('step ')), requests };
  } finally {
    await place.ca.stop();
  }
}

/** `isShort`: only where an answer of the CA gets lost. */
function killedEverywhere(kind: CaKind, occasion: Occasion, isShort = false): void {
  const timeout = LONG ? 3_600_000 : 300_000;
  const title = `killed at any step of a ${occasion}, at a CA that ${kind}, it ends with one order and a working certificate`;
  test(title, { timeout }, async () => {
    const { steps, requests } = await measure(kind, occasion);
    ok(steps.length > 15 && requests >= 9, `${steps.length} steps, ${requests} requests:\n${steps.join('\n')}`);
    const deaths: Death[] = [
      ...(isShort ? [] : steps.map((_, index) => ({ step: index + 1 }))),
      ...Array.from({ length: requests }, (_, index) => ({ request: index + 1 })),
    ];
    const all = deaths.length;
    let killed = 0;
    const failures: string[] = [];
    const dieAll = async (): Promise<void> => {
      for (let death = deaths.pop(); death !== undefined; death = deaths.pop()) {
        const place = await newPlace(kind, occasion);
        try {
          const first = await live(place, death);
          if (first.killed) killed++;
          await liveAgain(place);
          await assertSane(place);
        } catch (error) {
          const what = death.step === undefined ? `request ${death.request}` : steps[death.step - 1];
          failures.push(`killed at ${what}: ${(error as Error).message}\n${place.ca.requests.join(', ')}`);
        } finally {
          await place.ca.stop();
          await rm(place.folder, { recursive: true, force: true });
        }
      }
    };
    await Promise.all(Array.from({ length: LONG ? 6 : 3 }, dieAll));
    equal(failures.join('\n\n'), '');
    console.log(`killed ${killed} times, of ${steps.length} changes of files and ${requests} requests`);
    ok(killed >= all - 2, `killed ${killed} times at ${all} places`);
  });
}

suite('killed and started again', () => {
  killedEverywhere('gives a pending order again', 'first issuance');
  killedEverywhere('lists the account’s orders', 'renewal', !LONG);
  if (!LONG) return;
  killedEverywhere('gives a pending order again', 'renewal');
  killedEverywhere('lists the account’s orders', 'first issuance');
});
