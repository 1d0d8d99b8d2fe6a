// hostile-inputs item 32 through the whole issuer: whatever a CA answers ends in a certificate or in an error that blames
// the CA, in bounded time and memory, and the next attempt against a CA that is well again succeeds.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { acmeRig } from '../../support/acme-rig.ts';
import { obtain, requestFor } from '../../support/certificate-request.ts';
import { BAD_NONCE, type Call, problem, type Reply, type Step } from '../../support/fake-acme.ts';
import { mint } from '../../support/minted.ts';

const never = new AbortController().signal;
const STEPS: readonly Step[] = [
  'directory',
  'newAccount',
  'newOrder',
  'authorization',
  'challenge',
  'order',
  'finalize',
  'certificate',
];

/** What is said instead, at each step in turn. */
const NONSENSE: readonly (readonly [what: string, reply: (call: Call) => Reply])[] = [
  ['JSON that is cut off', () => ({ headers: { 'content-type': 'application/json' }, body: '{"status":"val' })],
  ['10 MB of JSON', () => ({ body: { padding: 'x'.repeat(10_000_000) } })],
  ['an answer without end', endless],
  ['a redirect', () => ({ status: 302, headers: { location: 'https://localhost:1/elsewhere' } })],
  ['a page of HTML', () => ({ headers: { 'content-type': 'text/html' }, body: '<html>Welcome</html>' })],
  ['500 without a word', () => ({ status: 500 })],
  [
    '503 with a date long ago',
    () => problem(503, 'serverInternal', 'x', {}, { 'retry-after': 'Thu, 01 Jan 1970 00:00:00 GMT' }),
  ],
  ['429', () => problem(429, 'rateLimited', 'too many', {}, { 'retry-after': '3600' })],
];

for (const [what, reply] of NONSENSE)
  test(`${what} at any step is the CA’s fault, and forgotten when it is well again`, async (t) => {
    const play = async (step: Step): Promise<void> => {
      const { ca, issuer } = await acmeRig(t, { issueTimeoutMs: 10_000, requestTimeoutMs: 5_000 });
      ca.script = (call) => (call.step === step ? reply(call) : null);
      await obtain(issuer, ['a.example'], never).then(
        // A challenge or a finalization whose answer is not needed may come to a good end.
        () => assert.ok(step === 'challenge' || step === 'finalize', step),
        (error: { source?: string }) => assert.equal(error.source, 'issuer', `${step}: ${String(error)}`),
      );
      ca.script = () => null;
      assert.deepEqual((await obtain(issuer, ['a.example'], never)).names, ['a.example'], step);
    };
    await Promise.all(STEPS.map(play));
  });

suite('a CA', { concurrency: 4 }, () => {
  for (const share of [5, 50, 60])
    test(`that refuses ${share} % of all nonces gets through`, async (t) => {
      const { ca, issuer } = await acmeRig(t);
      ca.script = ({ request }) => (request.method === 'POST' && Math.random() * 100 < share ? BAD_NONCE : null);
      await obtain(issuer, ['a.example'], never);
    });

  test('that has moved its addresses is found by reading its directory again, once', async (t) => {
    const { ca, issuer } = await acmeRig(t);
    await obtain(issuer, ['a.example'], never);
    const moved = `${ca.origin}/newOrder/moved`;
    ca.script = (call) => {
      if (call.step === 'newOrder' && call.url !== moved) return { status: 404 };
      if (call.step !== 'directory') return null;
      return { body: { ...(ca.usual(call).body as object), newOrder: moved } };
    };
    await obtain(issuer, ['b.example'], never);
    assert.equal(ca.count('directory'), 2);
  });

  test('that answers 404 with an unchanged directory is not asked twice', async (t) => {
    const { ca, issuer } = await acmeRig(t);
    await obtain(issuer, ['a.example'], never);
    ca.script = ({ step }) => (step === 'newOrder' ? { status: 404 } : null);
    await assert.rejects(obtain(issuer, ['b.example'], never), { status: 404 });
    assert.equal(ca.count('newOrder'), 2);
  });

  test('whose directory leads to plain http is refused by name (CVE-2025-54799)', async (t) => {
    for (const name of ['newNonce', 'newAccount', 'newOrder', 'revokeCert', 'keyChange', 'renewalInfo']) {
      const { ca, issuer } = await acmeRig(t);
      ca.script = (call) =>
        call.step === 'directory'
          ? { body: { ...(ca.usual(call).body as object), [name]: 'http://localhost/x' } }
          : null;
      await assert.rejects(obtain(issuer, ['a.example'], never), {
        code: 'issuer_insecure',
        message: new RegExp(`its ${name} is "http://localhost/x"`),
      });
    }
  });

  test('that certifies other names, or more, is refused', async (t) => {
    for (const names of [['b.example'], ['a.example', 'b.example'], ['*.a.example'], []]) {
      const { ca, issuer, storage } = await acmeRig(t);
      ca.script = (call) => {
        if (call.step === 'certificate') {
          const record = (storage as unknown as { values: Map<string, string> }).values;
          const order = [...record].find(([key]) => key.startsWith('orders/'))![1];
          const { keyPem } = JSON.parse(order) as { keyPem: string };
          return { body: mint(names, ca.authority, { keyPem }).certPem };
        }
        return null;
      };
      await assert.rejects(obtain(issuer, ['a.example'], never), {
        code: 'certificate_unfit',
        message: /it certifies/,
      });
      ca.script = () => null;
      await obtain(issuer, ['a.example'], never);
    }
  });

  test('that wants thousands of proofs is refused before one of them is begun', async (t) => {
    const { ca, issuer } = await acmeRig(t);
    ca.script = (call) => {
      if (call.step !== 'newOrder' && call.step !== 'order') return null;
      const usual = ca.usual(call);
      const authorizations = Array.from({ length: 5_000 }, (_, n) => `${ca.origin}/authorization/${n}`);
      return { ...usual, body: { ...(usual.body as object), authorizations } };
    };
    await assert.rejects(obtain(issuer, ['a.example'], never), {
      code: 'issuer_answer_invalid',
      message: /5000 proofs/,
    });
    assert.equal(ca.count('authorization'), 0);
  });

  test('whose chain has more certificates than any client takes is refused', async (t) => {
    const { ca, issuer } = await acmeRig(t);
    ca.script = (call) => {
      if (call.step !== 'certificate') return null;
      const usual = ca.usual(call);
      return { ...usual, body: String(usual.body) + ca.authority.certPem.repeat(500) };
    };
    await assert.rejects(obtain(issuer, ['a.example'], never), {
      code: 'certificate_unfit',
      message: /chain has 50\d certificates/,
    });
  });

  test('that wants proof of a name with escape sequences is quoted harmlessly', async (t) => {
    const { ca, issuer } = await acmeRig(t);
    ca.script = (call) => {
      if (call.step !== 'authorization') return null;
      const usual = ca.usual(call);
      const identifier = { type: 'dns', value: `\u001b[2J\u009b${'x'.repeat(100_000)}` };
      return { ...usual, body: { ...(usual.body as object), identifier } };
    };
    await assert.rejects(obtain(issuer, ['a.example'], never), (error: Error) => {
      assert.doesNotMatch(error.message, /[\u0000-\u001f\u007f-\u009f]/);
      assert.ok(error.message.length < 1_000);
      return true;
    });
  });

  test('whose clock is a year ahead or behind hands out what others judge; nothing is ordered twice for it', async (t) => {
    for (const clockAheadMs of [365 * 86_400_000, -365 * 86_400_000]) {
      const { ca, issuer, restart } = await acmeRig(t);
      ca.settings.clockAheadMs = clockAheadMs;
      const { certificate } = await issuer.issue(requestFor(['a.example']), never);
      assert.ok(Math.abs(certificate.notBefore - Date.now() - clockAheadMs) < 7_200_000);
      if (clockAheadMs < 0) continue;
      const again = await restart().issue(requestFor(['a.example']), never);
      assert.equal(again.certificate.fingerprint, certificate.fingerprint);
      assert.equal(ca.orders.length, 1);
    }
  });
});

/** Chunks until the client has had enough. */
function endless({ response }: Call): Reply {
  response.writeHead(200, { 'content-type': 'application/json' });
  const timer = setInterval(() => response.write(Buffer.alloc(262_144, 0x20)), 1);
  response.once('close', () => clearInterval(timer));
  return 'handled';
}
