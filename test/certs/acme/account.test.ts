// Accounts in trouble: bound to somebody, closed by the CA, given a new key, with crashes in between.
import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { suite, test } from 'node:test';
import { acmeRig } from '../../support/acme-rig.ts';
import { obtain } from '../../support/certificate-request.ts';
import { problem } from '../../support/fake-acme.ts';
import { thumbprint } from '../../support/fake-jws.ts';

const never = new AbortController().signal;
const BINDING = { keyId: 'kid-1', hmacKey: Buffer.from('a secret of thirty-two bytes ....').toString('base64url') };

function thumbprintOf(keyPem: string | null): string {
  return thumbprint(createPublicKey(keyPem!).export({ format: 'jwk' }) as never);
}

suite('external account binding', { concurrency: 4 }, () => {
  test('is signed with the CA’s key and sent when the account is registered', async (t) => {
    const { ca, restart } = await acmeRig(t);
    ca.settings.binding = BINDING;
    await obtain(restart({ binding: BINDING }), ['a.example'], never);
    assert.equal(ca.accounts.length, 1);
  });

  test('that is missing ends with what to set, before the CA is asked to register anything', async (t) => {
    const { ca, issuer } = await acmeRig(t);
    ca.settings.binding = BINDING;
    await assert.rejects(obtain(issuer, ['a.example'], never), {
      code: 'binding_missing',
      source: 'operator',
      message: /set "acme\.binding"/,
    });
    assert.equal(ca.count('newAccount'), 0);
  });

  test('that is wrong ends with the CA’s words', async (t) => {
    const { ca, restart } = await acmeRig(t);
    ca.settings.binding = BINDING;
    const wrong = { ...BINDING, hmacKey: 'd3Jvbmc' };
    await assert.rejects(obtain(restart({ binding: wrong }), ['a.example'], never), { detail: 'binding is wrong' });
  });
});

suite('an account that the CA has closed', { concurrency: 4 }, () => {
  test('is replaced once, its key put aside', async (t) => {
    const { ca, issuer, storage, logged } = await acmeRig(t);
    await obtain(issuer, ['a.example'], never);
    const path = `accounts/${issuer.id}/key.pem`;
    const old = await storage.load(path);
    ca.accounts[0]!.status = 'deactivated';
    await obtain(issuer, ['a.example'], never);
    assert.equal(ca.accounts.length, 2);
    assert.equal(await storage.load(`${path}.1`), old);
    assert.notEqual(await storage.load(path), old);
    assert.ok(logged.messages().includes('account closed by the CA, key put aside'));
    ca.accounts[1]!.status = 'revoked';
    await obtain(issuer, ['a.example'], never);
    assert.notEqual(await storage.load(`${path}.2`), null);
  });

  test('again and again is not replaced for ever', async (t) => {
    const { ca, issuer } = await acmeRig(t);
    ca.script = ({ step }) =>
      step === 'newOrder' ? problem(403, 'unauthorized', 'Account is not valid, has status "deactivated"') : null;
    await assert.rejects(obtain(issuer, ['a.example'], never), { type: 'unauthorized' });
    assert.equal(ca.accounts.length, 2);
  });

  test('is not to be taken for one that may not do this', async (t) => {
    const { ca, issuer } = await acmeRig(t);
    ca.script = ({ step }) => (step === 'newOrder' ? problem(403, 'unauthorized', 'not this name') : null);
    await assert.rejects(obtain(issuer, ['a.example'], never), { type: 'unauthorized' });
    assert.equal(ca.accounts.length, 1);
  });
});

suite('a new key for the account', { concurrency: 4 }, () => {
  test('is known to the CA and used from then on, after a restart too', async (t) => {
    const { ca, issuer, storage, restart } = await acmeRig(t);
    await obtain(issuer, ['a.example'], never);
    const path = `accounts/${issuer.id}/key.pem`;
    const old = await storage.load(path);
    await issuer.rollOver(never);
    assert.notEqual(await storage.load(path), old);
    assert.equal(thumbprint(ca.accounts[0]!.jwk), thumbprintOf(await storage.load(path)));
    await obtain(issuer, ['a.example'], never);
    await obtain(restart(), ['b.example'], never);
    assert.equal(ca.accounts.length, 1);
    assert.equal(await storage.load(`accounts/${issuer.id}/key.next.pem`), null);
  });

  test('that the CA refuses leaves the old one in place', async (t) => {
    const { ca, issuer, storage } = await acmeRig(t);
    await obtain(issuer, ['a.example'], never);
    const old = await storage.load(`accounts/${issuer.id}/key.pem`);
    ca.script = ({ step }) => (step === 'keyChange' ? problem(409, 'malformed', 'key in use') : null);
    await assert.rejects(issuer.rollOver(never), { detail: 'key in use' });
    assert.equal(await storage.load(`accounts/${issuer.id}/key.pem`), old);
    assert.equal(await storage.load(`accounts/${issuer.id}/key.next.pem`), null);
    await obtain(issuer, ['a.example'], never);
  });

  for (const heard of [true, false])
    test(`whose answer is lost is found out at the next use: the CA ${heard ? 'took' : 'never saw'} it`, async (t) => {
      const { ca, issuer, storage, restart } = await acmeRig(t);
      await obtain(issuer, ['a.example'], never);
      const abort = new AbortController();
      ca.script = (call) => {
        if (call.step !== 'keyChange') return null;
        if (heard) ca.usual(call);
        abort.abort(new Error('killed'));
        return 'handled';
      };
      await assert.rejects(issuer.rollOver(abort.signal), /killed/);
      assert.notEqual(await storage.load(`accounts/${issuer.id}/key.next.pem`), null, 'stored before the CA is asked');
      ca.script = () => null;
      for (const each of [issuer, restart()]) await obtain(each, ['a.example'], never);
      const key = await storage.load(`accounts/${issuer.id}/key.pem`);
      assert.equal(thumbprint(ca.accounts[0]!.jwk), thumbprintOf(key));
      assert.equal(ca.accounts.length, 1);
    });

  test('that stands between two writes when the process dies is taken up', async (t) => {
    const { ca, issuer, storage, restart } = await acmeRig(t);
    await obtain(issuer, ['a.example'], never);
    const record = await storage.load(`accounts/${issuer.id}/account.json`);
    await issuer.rollOver(never);
    await storage.store(`accounts/${issuer.id}/account.json`, record!);
    await obtain(restart(), ['a.example'], never);
    assert.equal(ca.accounts.length, 1);
  });
});

test('a key that another process has changed is used from the next order on', async (t) => {
  const { ca, issuer, storage, restart } = await acmeRig(t);
  await obtain(issuer, ['a.example'], never);
  await restart().rollOver(never);
  await obtain(issuer, ['b.example'], never);
  assert.equal(ca.accounts.length, 1);
  assert.equal(ca.count('newAccount'), 1);
  assert.equal((await storage.list('accounts')).length, 2, 'no key was put aside');
});
