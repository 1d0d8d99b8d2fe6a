// What an order asks for and what it is answered with: profiles, what it replaces, keys, addresses, chains, challenges.
import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { suite, test } from 'node:test';
import { ProofsFailed } from '../../../src/certs/acme/proofs-failed.ts';
import { ariCertId } from '../../../src/certs/certificate.ts';
import { HttpSolver } from '../../../src/certs/challenges/http-solver.ts';
import { failedNames } from '../../../src/certs/renewal/attempt-failure.ts';
import { acmeRig, NotingSolver } from '../../support/acme-rig.ts';
import { obtain, requestFor } from '../../support/certificate-request.ts';
import { problem } from '../../support/fake-acme.ts';

const never = new AbortController().signal;

suite('a profile', { concurrency: 4 }, () => {
  test('that the CA lists is ordered', async (t) => {
    const { ca, issuer } = await acmeRig(t);
    ca.settings.profiles = { classic: 'long', shortlived: 'short' };
    const wish = { name: 'shortlived', required: true };
    const { profile } = await issuer.issue(requestFor(['a.example'], { profile: wish }), never);
    assert.deepEqual([profile, ca.orders[0]?.profile], ['shortlived', 'shortlived']);
  });

  test('that the CA does not list is warned about once and left out', async (t) => {
    const { ca, issuer, logged } = await acmeRig(t);
    ca.settings.profiles = { classic: 'long' };
    const wish = { name: 'shortlived', required: false };
    for (const name of ['a.example', 'b.example']) {
      const { profile } = await issuer.issue(requestFor([name], { profile: wish }), never);
      assert.equal(profile, null);
    }
    const warnings = logged.lines.filter(({ msg }) => msg === 'profile not offered, ordered without');
    assert.equal(warnings.length, 1);
    assert.deepEqual([warnings[0]?.profile, warnings[0]?.offered], ['shortlived', ['classic']]);
  });

  test('that is required and not listed is an error that says what is offered; nothing is ordered', async (t) => {
    const { ca, issuer } = await acmeRig(t);
    ca.settings.profiles = { classic: 'long', tlsserver: 'shorter' };
    const wish = { name: 'shortlived', required: true };
    await assert.rejects(issuer.issue(requestFor(['a.example'], { profile: wish }), never), {
      code: 'profile_unknown',
      message: /profile "shortlived" .*it offers classic, tlsserver/,
    });
    assert.equal(ca.orders.length, 0);
  });

  test('for addresses is chosen by itself where the CA has it', async (t) => {
    const { ca, issuer } = await acmeRig(t);
    ca.settings.profiles = { classic: 'long', shortlived: 'short' };
    await issuer.issue(requestFor(['192.0.2.1']), never);
    await issuer.issue(requestFor(['a.example']), never);
    assert.deepEqual(
      ca.orders.map(({ profile }) => profile),
      ['shortlived', null],
    );
  });
});

suite('a certificate that follows another', { concurrency: 4 }, () => {
  test('names it in its order, by the identifier of RFC 9773', async (t) => {
    const { ca, issuer } = await acmeRig(t);
    const replaces = await obtain(issuer, ['a.example'], never);
    await issuer.issue(requestFor(['a.example'], { replaces }), never);
    assert.deepEqual(
      ca.orders.map((order) => order.replaces),
      [null, ariCertId(replaces)],
    );
  });

  test('does not where the CA has no ARI', async (t) => {
    const { ca, issuer } = await acmeRig(t);
    ca.settings.ari = false;
    const replaces = await obtain(issuer, ['a.example'], never);
    await issuer.issue(requestFor(['a.example'], { replaces }), never);
    assert.equal(ca.orders[1]?.replaces, null);
  });

  test('is ordered without it when it was replaced before', async (t) => {
    const { ca, issuer } = await acmeRig(t);
    const replaces = await obtain(issuer, ['a.example'], never);
    for (let turn = 0; turn < 2; turn++) {
      const { settle } = await issuer.issue(requestFor(['a.example'], { replaces }), never);
      await settle?.();
    }
    assert.equal(ca.issued.length, 3);
  });

  for (const [status, type, repeated] of [
    [404, 'malformed', true],
    [400, 'somethingNew', true],
    [403, 'unauthorized', true],
    [429, 'rateLimited', false],
    [400, 'rejectedIdentifier', false],
    [403, 'userActionRequired', false],
    [403, 'caa', false],
    [500, 'serverInternal', false],
  ] as const)
    test(`${repeated ? 'is ordered without it' : 'fails'} when the CA answers ${type}`, async (t) => {
      const { ca, issuer } = await acmeRig(t);
      const replaces = await obtain(issuer, ['a.example'], never);
      ca.script = ({ step, payload }) =>
        step === 'newOrder' && payload?.replaces !== undefined ? problem(status, type, 'no') : null;
      const renewal = issuer.issue(requestFor(['a.example'], { replaces }), never);
      if (repeated) await renewal;
      else await assert.rejects(renewal, { type });
      assert.equal(ca.issued.length, repeated ? 2 : 1);
    });
});

suite('keys, names, chains', { concurrency: 4 }, () => {
  for (const [keyType, expected] of [
    ['p256', ['ec', 'prime256v1', undefined]],
    ['p384', ['ec', 'secp384r1', undefined]],
    ['rsa2048', ['rsa', undefined, 2048]],
    ['rsa4096', ['rsa', undefined, 4096]],
  ] as const)
    test(`the key is of type ${keyType}`, async (t) => {
      const { issuer } = await acmeRig(t);
      const { certificate } = await issuer.issue(requestFor(['a.example'], { keyType }), never);
      const { asymmetricKeyType, asymmetricKeyDetails } = createPrivateKey(certificate.keyPem);
      const { namedCurve, modulusLength } = asymmetricKeyDetails ?? {};
      assert.deepEqual([asymmetricKeyType, namedCurve, modulusLength], expected);
    });

  test('several names and addresses stand on one certificate, each proved', async (t) => {
    const { ca, issuer } = await acmeRig(t);
    const names = ['a.example', 'b.example', '192.0.2.1', '2001:db8::1'];
    const { certificate, challenge } = await issuer.issue(requestFor(names), never);
    assert.deepEqual([...certificate.names].sort(), [...names].sort());
    assert.equal(ca.count('challenge'), 4);
    assert.equal(challenge, 'http-01');
  });

  test('the chain with the preferred issuer is taken, and its absence is warned about', async (t) => {
    const { ca, restart, logged } = await acmeRig(t);
    ca.settings.roots = ['New Root', 'Old Root', 'Oldest Root'];
    for (const [preferredChain, expected] of [
      [null, 'New Root'],
      ['Oldest Root', 'Oldest Root'],
      ['Old Root', 'Old Root'],
      ['Fake ACME Root', 'New Root'],
      ['Nobody', 'New Root'],
    ] as const) {
      const certificate = await obtain(restart({ preferredChain }), ['a.example'], never);
      const top = new X509Certificate(certificate.certPem.match(/-----BEGIN[\s\S]+?END CERTIFICATE-----/g)!.at(-1)!);
      assert.equal(top.issuer, `CN=${expected}`, `${preferredChain}`);
    }
    const warning = logged.lines.find(({ msg }) => msg === 'preferred chain not offered');
    assert.deepEqual(warning?.offered, ['New Root', 'Fake ACME Root', 'Old Root', 'Oldest Root']);
  });
});

suite('a challenge', { concurrency: 4 }, () => {
  test('that fails is followed by an order with the next allowed type', async (t) => {
    const { ca, restart, logged } = await acmeRig(t);
    const solvers = (['http-01', 'tls-alpn-01', 'dns-01'] as const).map((type) => new NotingSolver(type));
    ca.lookUp = (_host, _token, type) => (type === 'dns-01' ? 'yes' : null);
    const request = requestFor(['a.example'], { challenges: ['http-01', 'tls-alpn-01', 'dns-01'] });
    const { challenge } = await restart({ solvers }).issue(request, never);
    assert.equal(challenge, 'dns-01');
    assert.deepEqual(
      ca.orders.map(({ status }) => status),
      ['invalid', 'invalid', 'valid'],
    );
    assert.deepEqual(
      solvers.map(({ presented, open }) => [presented.length, open]),
      [
        [1, 0],
        [1, 0],
        [1, 0],
      ],
    );
    const warned = logged.lines.filter(({ msg }) => msg === 'challenge failed, another is tried');
    assert.equal(warned.length, 2);
  });

  test('that fails as the last one tells what every type met, in the words of the CA, and counts each', async (t) => {
    const { ca, restart } = await acmeRig(t);
    const solvers = (['http-01', 'tls-alpn-01'] as const).map((type) => new NotingSolver(type));
    ca.lookUp = () => null;
    const request = requestFor(['a.example', 'b.example'], { challenges: ['http-01', 'tls-alpn-01'] });
    await assert.rejects(restart({ solvers }).issue(request, never), (error: unknown) => {
      assert.ok(error instanceof ProofsFailed);
      assert.match(
        error.message,
        /^cannot validate "a.example", "b.example": the CA says: a.example by http-01: .+; b.example by http-01: .+; a.example by tls-alpn-01: .+; b.example by tls-alpn-01: .+ \(unauthorized\)$/,
      );
      assert.deepEqual(failedNames(error, request.names).toSorted(), [
        'a.example',
        'a.example',
        'b.example',
        'b.example',
      ]);
      return true;
    });
    const one = requestFor(['c.example'], { challenges: ['http-01', 'tls-alpn-01'] });
    await assert.rejects(
      restart({ solvers }).issue(one, never),
      /^AcmeProblem: cannot validate "c.example": the CA says: by http-01: .+; by tls-alpn-01: .+ \(unauthorized\)$/,
    );
  });

  test('that fails for one of two names changes the type for that one alone', async (t) => {
    const { ca, restart } = await acmeRig(t);
    const solvers = (['http-01', 'dns-01'] as const).map((type) => new NotingSolver(type));
    ca.lookUp = (host, _token, type) => (host === 'b.example' && type === 'http-01' ? null : 'yes');
    const request = requestFor(['a.example', 'b.example'], { challenges: ['http-01', 'dns-01'] });
    await restart({ solvers }).issue(request, never);
    assert.deepEqual(
      solvers.map(({ presented }) => presented.length),
      [3, 1],
    );
  });

  test('that cannot be set up here is passed over within the same order', async (t) => {
    const { ca, restart } = await acmeRig(t);
    const [http, dns] = [new NotingSolver('http-01'), new NotingSolver('dns-01')];
    http.fails = new Error('disk full');
    ca.lookUp = () => 'yes';
    const request = requestFor(['a.example'], { challenges: ['http-01', 'dns-01'] });
    const { challenge } = await restart({ solvers: [http, dns] }).issue(request, never);
    assert.deepEqual([challenge, ca.orders.length], ['dns-01', 1]);
  });

  test('of the last type that fails ends with the CA’s words, and no other order', async (t) => {
    const { ca, issuer } = await acmeRig(t);
    ca.lookUp = () => null;
    const request = requestFor(['a.example'], { challenges: ['http-01', 'dns-01'] });
    await assert.rejects(issuer.issue(request, never), { type: 'unauthorized', detail: 'Invalid response: 404' });
    assert.equal(ca.orders.length, 1);
  });

  test('that nothing can meet is found before the CA is asked, with every reason', async (t) => {
    const { ca, challenges, restart } = await acmeRig(t);
    const alpn = new NotingSolver('tls-alpn-01');
    alpn.refuses = 'port 443 is not listened on';
    const issuer = restart({ solvers: [new HttpSolver(challenges, 'http is off'), alpn] });
    const request = requestFor(['a.example'], { challenges: ['http-01', 'tls-alpn-01', 'dns-01'] });
    await assert.rejects(issuer.issue(request, never), {
      code: 'challenge_unfit',
      message:
        'cannot prove "a.example": http-01: http is off; tls-alpn-01: port 443 is not listened on; dns-01: not set up here',
    });
    assert.equal(ca.orders.length, 0);
  });

  test('that the CA does not offer is named with the others, and what it offers', async (t) => {
    const { ca, issuer } = await acmeRig(t);
    ca.settings.challenges = ['dns-01'];
    const request = requestFor(['a.example'], { challenges: ['http-01', 'dns-01'] });
    await assert.rejects(issuer.issue(request, never), {
      message:
        'cannot prove "a.example": http-01: the CA does not offer it; dns-01: not set up here; the CA offers dns-01',
    });
  });

  test('of a wildcard carries the base domain; a DNS-PERSIST-01 one has issuer names and no token', async (t) => {
    const { ca, restart, issuer } = await acmeRig(t);
    ca.lookUp = () => 'yes';
    ca.settings.challenges = ['dns-persist-01', 'dns-01'];
    const [persist, dns] = [new NotingSolver('dns-persist-01'), new NotingSolver('dns-01')];
    for (const solver of [persist, dns])
      await obtainWith(restart({ solvers: [solver] }), ['*.wild.example', 'wild.example'], solver.type);
    const [first] = persist.presented.map((text) => JSON.parse(text) as Record<string, unknown>);
    assert.deepEqual(first, {
      identifier: 'wild.example',
      wildcard: true,
      token: '',
      keyAuthorization: '',
      accountUrl: ca.accounts[0]?.url,
      issuerDomainNames: ['ca.example'],
    });
    const wildcards = dns.presented.map((text) => (JSON.parse(text) as { wildcard: boolean }).wildcard);
    assert.deepEqual(wildcards.sort(), [false, true]);
    await issuer.close();
  });
});

suite('renewal information and revocation', { concurrency: 4 }, () => {
  test('the CA’s window is told with its Retry-After', async (t) => {
    const { issuer } = await acmeRig(t);
    const certificate = await obtain(issuer, ['a.example'], never);
    assert.deepEqual(await issuer.renewalInfo(certificate, never), {
      start: Date.UTC(2026, 0, 2, 4),
      end: Date.UTC(2026, 0, 3, 4),
      explanationUrl: null,
      retryAfterMs: 21_600_000,
    });
  });

  test('there is none where the CA has no ARI', async (t) => {
    const { ca, issuer } = await acmeRig(t);
    ca.settings.ari = false;
    assert.equal(await issuer.renewalInfo(await obtain(issuer, ['a.example'], never), never), null);
  });

  test('nonsense is the CA’s mistake; reversed and distant windows are for others to judge', async (t) => {
    const { ca, issuer } = await acmeRig(t);
    const certificate = await obtain(issuer, ['a.example'], never);
    const answers = (body: unknown): void => {
      ca.script = ({ step }) => (step === 'renewalInfo' ? { body } : null);
    };
    const start = '2026-01-02T04:00:00Z';
    for (const body of [
      {},
      '',
      [],
      null,
      { suggestedWindow: null },
      { suggestedWindow: { start } },
      { suggestedWindow: { start, end: 'soon' } },
      { suggestedWindow: { start, end: '2026-01-03' } },
      { suggestedWindow: { start, end: '2026-13-03T04:00:00Z' } },
      { suggestedWindow: { start, end: 1_767_412_800 } },
    ]) {
      answers(body);
      await assert.rejects(issuer.renewalInfo(certificate, never), { source: 'issuer', code: 'issuer_answer_invalid' });
    }
    answers({ suggestedWindow: { start, end: '2126-01-01T00:00:00+02:00' }, explanationURL: 'javascript:alert(1)' });
    const info = await issuer.renewalInfo(certificate, never);
    assert.deepEqual([info?.end, info?.explanationUrl], [Date.UTC(2125, 11, 31, 22), null]);
    ca.script = ({ step }) => (step === 'renewalInfo' ? problem(404, 'malformed', 'unknown') : null);
    await assert.rejects(issuer.renewalInfo(certificate, never), { status: 404 });
  });

  test('a certificate is revoked by its account, by its key when that is compromised, and once', async (t) => {
    const { ca, issuer } = await acmeRig(t);
    const [one, two] = [await obtain(issuer, ['a.example'], never), await obtain(issuer, ['b.example'], never)];
    await issuer.revoke(one, 'superseded', never);
    await issuer.revoke(one, 'superseded', never);
    await issuer.revoke(two, 'keyCompromise', never);
    await issuer.revoke(two, 'keyCompromise', never);
    assert.deepEqual(Object.fromEntries(ca.revoked), { [one.serial]: 4, [two.serial]: 1 });
  });

  test('a certificate of another account is revoked with its own key', async (t) => {
    const { ca, issuer, storage, restart } = await acmeRig(t);
    const certificate = await obtain(issuer, ['a.example'], never);
    await storage.delete(`accounts/${issuer.id}/key.pem`);
    await restart().revoke(certificate, 'cessationOfOperation', never);
    assert.deepEqual([ca.accounts.length, ca.revoked.get(certificate.serial)], [2, 5]);
  });
});

async function obtainWith(
  issuer: Awaited<ReturnType<typeof acmeRig>>['issuer'],
  names: readonly string[],
  type: 'dns-01' | 'http-01' | 'tls-alpn-01' | 'dns-persist-01',
): Promise<void> {
  const { settle } = await issuer.issue(requestFor(names, { challenges: [type] }), never);
  await settle?.();
}
