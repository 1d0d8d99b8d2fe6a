// The process dies between any two steps of an order – at the CA, in storage – and starts again: one order, one account,
// one certificate (hostile-inputs item 33; the same with SIGKILL is played by the kill test of the whole program).
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { AcmeIssuer } from '../../../src/certs/acme/issuer.ts';
import { ChallengeTokens } from '../../../src/certs/challenges/challenge-tokens.ts';
import { HttpSolver } from '../../../src/certs/challenges/http-solver.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { acmeRig } from '../../support/acme-rig.ts';
import { capturedLog } from '../../support/captured-log.ts';
import { obtain, requestFor } from '../../support/certificate-request.ts';
import { type FakeAcme, problem, startFakeAcme } from '../../support/fake-acme.ts';
import { MemoryLocker, MemoryStorage } from '../../support/memory-storage.ts';

const never = new AbortController().signal;

/** Dies at its `fatal`th step, counted over storage and CA: after it was done, before it was heard of. */
class Mortal {
  readonly abort = new AbortController();
  readonly #fatal: number;
  steps = 0;

  constructor(fatal: number) {
    this.#fatal = fatal;
  }

  get dead(): boolean {
    return this.steps >= this.#fatal;
  }

  /** True: that was the last one. */
  step(): boolean {
    this.steps++;
    if (this.dead) this.abort.abort(new Error('killed'));
    return this.dead;
  }
}

function mortalStorage(values: Map<string, string>, mortal: Mortal): MemoryStorage {
  const storage = new MemoryStorage(values);
  for (const verb of ['store', 'move', 'delete'] as const) {
    const work = storage[verb].bind(storage) as (...args: string[]) => Promise<void>;
    storage[verb] = async (...args: string[]) => {
      if (mortal.dead) return new Promise(() => {});
      await work(...args);
      if (mortal.step()) return new Promise(() => {});
    };
  }
  return storage;
}

/** Whoever is asked for proof gives it, dead or alive: a validator that finds nobody at home makes a second order right. */
function issuerOver(ca: FakeAcme, storage: MemoryStorage): AcmeIssuer {
  ca.lookUp = () => 'yes';
  const challenges = new ChallengeTokens();
  return new AcmeIssuer({
    directoryUrl: ca.directoryUrl,
    email: null,
    trust: ca.trustPem,
    solvers: [new HttpSolver(challenges)],
    storage,
    locker: new MemoryLocker(),
    log: capturedLog().log,
    clock: systemClock,
    userAgent: 'perantara/0.0.0-test',
  });
}

suite('killed at any step, and started again', () => {
  for (const [what, orderLists] of [
    ['a CA that gives a pending order again', false],
    ['a CA that lists the account’s orders', true],
  ] as const)
    test(`${what} ends with one order, one account and one certificate`, async (t) => {
      let fatal = 1;
      for (let finished = false; !finished; fatal++) {
        const ca = await startFakeAcme();
        ca.settings.orderLists = orderLists;
        ca.settings.reusesOrders = !orderLists;
        const values = new Map<string, string>();
        const mortal = new Mortal(fatal);
        ca.script = (call) => {
          if (call.request.method !== 'POST') return null;
          const answer = mortal.dead ? null : ca.usual(call);
          if (answer !== null && !mortal.step()) return answer;
          call.request.socket.destroy();
          return 'handled';
        };
        const first = issuerOver(ca, mortalStorage(values, mortal));
        const names = ['a.example', 'b.example'];
        let certificate = await Promise.race([
          first.issue(requestFor(names), mortal.abort.signal).then(({ certificate: issued }) => issued),
          new Promise<null>((resolve) => mortal.abort.signal.addEventListener('abort', () => resolve(null))),
        ]).catch(() => null);
        finished = certificate !== null;
        ca.script = () => null;
        const second = issuerOver(ca, new MemoryStorage(values));
        // The dead are not closed: they wait for ever.
        t.after(() => Promise.all([finished ? first.close() : null, second.close(), ca.stop()]));
        if (!finished) {
          const again = await second.issue(requestFor(names), never);
          certificate = again.certificate;
          await again.settle?.();
          assert.deepEqual(
            [...values.keys()].filter((key) => key.startsWith('orders/')),
            [],
            `step ${fatal}`,
          );
        }
        assert.deepEqual([...certificate!.names].sort(), names);
        assert.deepEqual([ca.accounts.length, ca.orders.length, ca.issued.length], [1, 1, 1], `step ${fatal}`);
      }
      assert.ok(fatal > 15, `${fatal} steps`);
    });

  test('a certificate that was issued and never kept is the same after the restart, with its key', async (t) => {
    const { ca, issuer, restart } = await acmeRig(t);
    const { certificate } = await issuer.issue(requestFor(['a.example']), never);
    const again = await restart().issue(requestFor(['a.example']), never);
    assert.equal(again.certificate.fingerprint, certificate.fingerprint);
    assert.equal(again.certificate.keyPem, certificate.keyPem);
    assert.equal(ca.orders.length, 1);
  });
});

suite('what a former life left is not taken up', { concurrency: 4 }, () => {
  test('when it was kept', async (t) => {
    const { ca, issuer, restart } = await acmeRig(t);
    await obtain(issuer, ['a.example'], never);
    await obtain(restart(), ['a.example'], never);
    assert.equal(ca.orders.length, 2);
  });

  test('when it leads to the certificate that is to be replaced', async (t) => {
    const { ca, issuer, restart } = await acmeRig(t);
    const { certificate } = await issuer.issue(requestFor(['a.example']), never);
    const renewed = await restart().issue(requestFor(['a.example'], { replaces: certificate }), never);
    assert.notEqual(renewed.certificate.fingerprint, certificate.fingerprint);
    assert.equal(ca.orders.length, 2);
  });

  test('for other names, another key type, another profile, or when it is too old', async (t) => {
    const { ca, issuer, restart } = await acmeRig(t);
    ca.settings.profiles = { shortlived: '6 days' };
    await issuer.issue(requestFor(['a.example']), never);
    await restart().issue(requestFor(['a.example', 'b.example']), never);
    await restart().issue(requestFor(['a.example'], { keyType: 'p384' }), never);
    await restart().issue(requestFor(['a.example'], { profile: { name: 'shortlived', required: true } }), never);
    assert.equal(ca.orders.length, 4);
    const later = { now: () => Date.now() + 8 * 86_400_000 };
    await restart({ clock: later }).issue(requestFor(['a.example', 'b.example']), never);
    assert.equal(ca.orders.length, 5);
  });

  for (const [what, script] of [
    ['the CA does not know it', () => problem(404, 'malformed', 'no such order')],
    ['it has become invalid', (body: object) => ({ body: { ...body, status: 'invalid' } })],
    [
      'it is for other names',
      (body: object) => ({ body: { ...body, identifiers: [{ type: 'dns', value: 'c.example' }] } }),
    ],
  ] as const)
    test(`when ${what}`, async (t) => {
      const { ca, issuer, restart } = await acmeRig(t);
      await issuer.issue(requestFor(['a.example']), never);
      ca.script = (call) => {
        if (call.step !== 'order' || !call.url.endsWith('/0')) return null;
        return script(ca.usual(call).body as object);
      };
      await restart().issue(requestFor(['a.example']), never);
      assert.equal(ca.orders.length, 2);
    });

  test('when its certificate is for another key', async (t) => {
    const { ca, issuer, restart, storage } = await acmeRig(t);
    await issuer.issue(requestFor(['a.example']), never);
    await issuer.issue(requestFor(['b.example']), never);
    const [one, other] = (await storage.list(`orders/${issuer.id}`)) as [string, string];
    const foreign = JSON.parse((await storage.load(other))!) as { keyPem: string };
    const record = JSON.parse((await storage.load(one))!) as object;
    await storage.store(one, JSON.stringify({ ...record, keyPem: foreign.keyPem }));
    for (const name of ['a.example', 'b.example']) await restart().issue(requestFor([name]), never);
    assert.equal(ca.orders.length, 3);
  });

  test('when its record is damaged, which is said', async (t) => {
    const { ca, issuer, restart, storage, logged } = await acmeRig(t);
    await issuer.issue(requestFor(['a.example']), never);
    for (const key of await storage.list(`orders/${issuer.id}`)) await storage.store(key, '{"names":');
    await restart().issue(requestFor(['a.example']), never);
    assert.equal(ca.orders.length, 2);
    assert.ok(logged.messages().includes('order record unreadable'));
  });
});

test('while the CA cannot say what became of an order, no other is made', async (t) => {
  const { ca, issuer, restart } = await acmeRig(t);
  await issuer.issue(requestFor(['a.example']), never);
  ca.script = ({ step }) => (step === 'order' ? problem(503, 'serverInternal', 'maintenance') : null);
  await assert.rejects(restart().issue(requestFor(['a.example']), never), { status: 503 });
  ca.script = () => null;
  await restart().issue(requestFor(['a.example']), never);
  assert.equal(ca.orders.length, 1);
});

test('what nobody came back for in its time is removed, with its key', async (t) => {
  const { issuer, restart, storage } = await acmeRig(t);
  await issuer.issue(requestFor(['a.example']), never);
  const left = await storage.list(`orders/${issuer.id}`);
  assert.equal(left.length, 1);
  await obtain(restart(), ['b.example'], never);
  assert.deepEqual(await storage.list(`orders/${issuer.id}`), left, 'it could still be taken up');
  const later = { now: () => Date.now() + 8 * 86_400_000 };
  await obtain(restart({ clock: later }), ['b.example'], never);
  assert.deepEqual(await storage.list(`orders/${issuer.id}`), []);
});

test('an order that the CA refused leaves nothing behind', async (t) => {
  const { ca, issuer, storage } = await acmeRig(t);
  ca.script = ({ step }) => (step === 'newOrder' ? problem(400, 'rejectedIdentifier', 'policy') : null);
  await assert.rejects(issuer.issue(requestFor(['a.example']), never), { type: 'rejectedIdentifier' });
  assert.deepEqual(await storage.list(`orders/${issuer.id}`), []);
});

test('two orders for the same names are made one after the other, since a CA may give both the same', async (t) => {
  const { ca, issuer } = await acmeRig(t);
  const pair = await Promise.all(
    (['p256', 'rsa2048'] as const).map((keyType) => issuer.issue(requestFor(['a.example'], { keyType }), never)),
  );
  assert.equal(new Set(pair.map(({ certificate }) => certificate.fingerprint)).size, 2);
  assert.equal(ca.orders.length, 2);
});
