// The whole of certs/ against Pebble, Let's Encrypt's own test CA: 5 % of nonces refused, authorizations reused at random.

import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, suite, test } from 'node:test';
import { AcmeIssuer } from '../../../src/certs/acme/issuer.ts';
import { AcmeProblem } from '../../../src/certs/acme/problem.ts';
import { Authority } from '../../../src/certs/authority.ts';
import { verifyIssued } from '../../../src/certs/certificate.ts';
import { ChallengeTokens } from '../../../src/certs/challenges/challenge-tokens.ts';
import { HttpSolver } from '../../../src/certs/challenges/http-solver.ts';
import { CertificateManager } from '../../../src/certs/manager.ts';
import { CertificateStore } from '../../../src/certs/storage/certificate-store.ts';
import { ChangeJournal } from '../../../src/certs/storage/change-journal.ts';
import { CompromisedKeys } from '../../../src/certs/storage/compromised-keys.ts';
import { FileLocker } from '../../../src/certs/storage/file-locker.ts';
import { FileStorage } from '../../../src/certs/storage/file-storage.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { capturedLog } from '../../support/captured-log.ts';
import { obtain } from '../../support/certificate-request.ts';
import { RecordingPublisher } from '../../support/fake-issuer.ts';
import { needsTools } from '../../support/needs-tools.ts';
import { type Pebble, startPebble } from '../../support/pebble.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const tools = await needsTools('pebble', 'pebble-challtestsrv');
const challenges = new ChallengeTokens();
const never = new AbortController().signal;
/** What Pebble says it was asked. */
const lines: string[] = [];
let pebble: Pebble;

const responder = createServer((request, response) => {
  const token = request.url?.split('/.well-known/acme-challenge/')[1] ?? '';
  const host = (request.headers.host ?? '').replace(/:\d+$/, '');
  const answer = challenges.answer(host, token);
  response.writeHead(answer === null ? 404 : 200).end(answer ?? '');
});

/** Everything that a process would have, over one storage folder. */
function processOver(folder: string) {
  const storage = new FileStorage(folder);
  const locker = new FileLocker(folder);
  const logged = capturedLog();
  const publisher = new RecordingPublisher();
  const common = { storage, locker, log: logged.log, clock: systemClock };
  const issuer = new AcmeIssuer({
    directoryUrl: pebble.directoryUrl,
    email: 'ops@perantara.test',
    trust: pebble.trustPem,
    solvers: [new HttpSolver(challenges)],
    userAgent: 'perantara/0.0.0-test',
    ...common,
  });
  const store = new CertificateStore(storage, logged.log);
  const authority = new Authority({ issuer, ledger: null, rehearsal: null, clock: systemClock });
  const issuers = [{ authority, profile: null }];
  const plain = { kind: 'managed', keyType: 'p256', part: 0, challenges: ['http-01'], issuers } as const;
  const manager = (names: readonly string[]): CertificateManager =>
    new CertificateManager(
      names.map((name) => ({ ...plain, name, names: [name] })),
      {
        ...common,
        store,
        journal: new ChangeJournal(common),
        compromised: new CompromisedKeys(storage),
        publisher,
        tell: () => {},
        random: Math.random,
      },
    );
  return { issuer, storage, store, logged, publisher, manager };
}

suite('against Pebble', tools, () => {
  before(async () => {
    responder.listen(0, '127.0.0.1');
    await once(responder, 'listening');
    const { port } = responder.address() as AddressInfo;
    pebble = await startPebble({ httpPort: port, onLine: (line) => lines.push(line) });
  });

  after(async () => {
    responder.close();
    responder.closeAllConnections();
    await pebble?.stop();
  });

  test('a certificate is issued: P-256, for the name alone, from the leaf to Pebble’s root', async (t) => {
    const { issuer } = processOver(await temporaryFolder(t));
    t.after(() => issuer.close());
    const certificate = await obtain(issuer, ['one.test'], never);
    verifyIssued(certificate, ['one.test'], Date.now());
    const key = createPrivateKey(certificate.keyPem);
    assert.deepEqual([key.asymmetricKeyType, key.asymmetricKeyDetails?.namedCurve], ['ec', 'prime256v1']);
    const chain = certificate.certPem.match(/-----BEGIN[\s\S]+?END CERTIFICATE-----/g) ?? [];
    const top = new X509Certificate(chain.at(-1)!);
    const root = new X509Certificate(await pebble.rootPem());
    assert.ok(chain.length >= 2 && top.checkIssued(root) && top.verify(root.publicKey));
  });

  test('every issuance has a key of its own, every restart the same account', async (t) => {
    const folder = await temporaryFolder(t);
    const first = processOver(folder);
    const one = await obtain(first.issuer, ['again.test'], never);
    const two = await obtain(first.issuer, ['again.test'], never);
    await first.issuer.close();
    const second = processOver(folder);
    const three = await obtain(second.issuer, ['again.test'], never);
    await second.issuer.close();
    assert.equal(new Set([one.keyPem, two.keyPem, three.keyPem]).size, 3);
    const registered = [first, second].flatMap(({ logged }) =>
      logged.lines.filter(({ msg }) => msg === 'account registered'),
    );
    assert.equal(registered.length, 1);
  });

  test('an account that the CA does not know is registered again, with the same key', async (t) => {
    const folder = await temporaryFolder(t);
    const first = processOver(folder);
    await obtain(first.issuer, ['lost.test'], never);
    await first.issuer.close();
    const path = `accounts/${first.issuer.id}/account.json`;
    const record = JSON.parse((await first.storage.load(path)) ?? '') as { url: string };
    await first.storage.store(path, JSON.stringify({ ...record, url: `${record.url}0` }));
    const second = processOver(folder);
    t.after(() => second.issuer.close());
    await obtain(second.issuer, ['lost.test'], never);
    assert.equal((JSON.parse((await first.storage.load(path)) ?? '') as { url: string }).url, record.url);
  });

  test('a challenge that fails is reported in the CA’s own words', async (t) => {
    const { issuer } = processOver(await temporaryFolder(t));
    t.after(() => issuer.close());
    await pebble.dns('set-servfail', { host: 'broken.test.' });
    await assert.rejects(obtain(issuer, ['broken.test'], never), (error: unknown) => {
      assert.ok(error instanceof AcmeProblem);
      assert.match(
        error.message,
        /^cannot validate "broken\.test": the CA says: .*broken\.test.* \((dns|connection)\)$/,
      );
      return true;
    });
  });

  test('a wildcard is refused since HTTP-01 cannot prove it, and says so', async (t) => {
    const { issuer } = processOver(await temporaryFolder(t));
    t.after(() => issuer.close());
    await assert.rejects(obtain(issuer, ['*.wild.test'], never), {
      code: 'challenge_unfit',
      message: 'cannot prove "*.wild.test": http-01: a wildcard can be proved in the DNS alone',
    });
  });

  test('ten names are obtained side by side; one that fails delays none', async (t) => {
    const { manager, publisher, logged, store, issuer } = processOver(await temporaryFolder(t));
    const names = Array.from({ length: 10 }, (_, index) => `side${index}.test`);
    await pebble.dns('set-servfail', { host: 'failing.test.' });
    const running = manager(['failing.test', ...names]);
    await running.start();
    await publisher.times(10);
    await running.close();
    assert.deepEqual(new Set(publisher.names()), new Set(names));
    for (const name of names) assert.deepEqual((await store.read(issuer.id, name))?.names, [name]);
    const failure = logged.lines.find(({ msg }) => msg === 'certificate not obtained');
    assert.equal(failure?.name, 'failing.test');
    assert.match((await store.loadState(issuer.id, 'failing.test')).lastError?.message ?? '', /the CA says: /);
  });

  test('a restart serves the stored certificate without asking the CA anything', async (t) => {
    const folder = await temporaryFolder(t);
    const first = processOver(folder);
    const running = first.manager(['stored.test']);
    await running.start();
    await first.publisher.times(1);
    await running.close();

    const requests = (): string[] => lines.filter((line) => /(GET|POST|HEAD) \//.test(line));
    assert.ok(requests().length > 10, 'Pebble tells what it is asked');
    lines.length = 0;
    const second = processOver(folder);
    const again = second.manager(['stored.test']);
    await again.start();
    assert.deepEqual(second.publisher.names(), ['stored.test']);
    await again.close();
    assert.deepEqual(requests(), []);
    assert.deepEqual(second.logged.messages(), []);
  });
});

test('a CA that refuses half of all nonces gets its orders through', tools, async (t) => {
  const answering = createServer((request, response) => {
    const token = request.url?.split('/').at(-1) ?? '';
    response.end(challenges.answer('nonces.test', token) ?? '');
  }).listen(0, '127.0.0.1');
  t.after(() => {
    answering.close();
    answering.closeAllConnections();
  });
  await once(answering, 'listening');
  const { port } = answering.address() as AddressInfo;
  const stubborn = await startPebble({ httpPort: port, env: { PEBBLE_WFE_NONCEREJECT: '50' } });
  t.after(() => stubborn.stop());
  const folder = await temporaryFolder(t);
  const [storage, locker] = [new FileStorage(folder), new FileLocker(folder)];
  const { directoryUrl, trustPem: trust } = stubborn;
  const services = {
    storage,
    locker,
    solvers: [new HttpSolver(challenges)],
    log: capturedLog().log,
    clock: systemClock,
  };
  const issuer = new AcmeIssuer({ directoryUrl, email: null, trust, userAgent: 'perantara/0.0.0-test', ...services });
  t.after(() => issuer.close());
  assert.deepEqual((await obtain(issuer, ['nonces.test'], never)).names, ['nonces.test']);
});
