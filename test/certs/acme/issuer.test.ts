// AcmeIssuer against a scripted CA: what Pebble never does. What it does do is tested in pebble.test.ts.

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { acmeIssuerId } from '../../../src/certs/acme/issuer.ts';
import { AcmeProblem } from '../../../src/certs/acme/problem.ts';
import { FileStorage } from '../../../src/certs/storage/file-storage.ts';
import { acmeRig } from '../../support/acme-rig.ts';
import { obtain } from '../../support/certificate-request.ts';
import { BAD_NONCE, problem } from '../../support/fake-acme.ts';
import { makeAuthority, mint } from '../../support/minted.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const never = new AbortController().signal;

suite('an order', { concurrency: 8 }, () => {
  test('leads from the directory to a certificate, never asking for a nonce that came by itself', async (t) => {
    const { ca, issuer } = await acmeRig(t);
    const certificate = await obtain(issuer, ['a.example'], never);
    assert.deepEqual(certificate.names, ['a.example']);
    assert.deepEqual(ca.requests, [
      'GET directory',
      'POST newAccount',
      'POST newOrder',
      'POST authorization',
      'POST challenge',
      'POST authorization',
      'POST order',
      'POST finalize',
      'POST order',
      'POST certificate',
    ]);
  });

  test('the challenge can be answered before the CA is told to look, and is forgotten afterwards', async (t) => {
    const { ca, issuer, challenges } = await acmeRig(t);
    const answers: (string | null)[] = [];
    ca.lookUp = (host, token) => {
      answers.push(challenges.answer(host, token));
      return 'yes';
    };
    await obtain(issuer, ['a.example'], never);
    assert.match(answers[0] ?? '', /^token-of-order-00000000\.[A-Za-z0-9_-]{43}$/);
    assert.equal(challenges.answer('a.example', 'token-of-order-00000000'), null);
  });

  test('a name that the CA still holds for proven is not proven again', async (t) => {
    const { ca, issuer } = await acmeRig(t);
    ca.settings.reusesProofs = true;
    await obtain(issuer, ['a.example'], never);
    await obtain(issuer, ['a.example'], never);
    await obtain(issuer, ['a.example', 'b.example'], never);
    assert.equal(ca.count('challenge'), 2);
  });

  test('a refused name ends with the CA’s own words and leaves no token behind', async (t) => {
    const { ca, issuer, challenges } = await acmeRig(t);
    ca.lookUp = () => null;
    await assert.rejects(obtain(issuer, ['a.example'], never), (error: unknown) => {
      assert.ok(error instanceof AcmeProblem);
      assert.deepEqual([error.type, error.detail], ['unauthorized', 'Invalid response: 404']);
      assert.equal(error.message, 'cannot validate "a.example": the CA says: Invalid response: 404 (unauthorized)');
      return true;
    });
    assert.equal(challenges.answer('a.example', 'token-of-order-00000000'), null);
  });

  test('an order that is `ready` again after finalizing is waited for, not finalized twice', async (t) => {
    const { ca, issuer } = await acmeRig(t);
    ca.script = (call) => {
      if (call.step !== 'order' || ca.count('finalize') === 0 || call.count > 4) return null;
      return { body: { ...(ca.usual(call).body as object), status: 'ready', certificate: undefined } };
    };
    await obtain(issuer, ['a.example'], never);
    assert.equal(ca.count('finalize'), 1);
  });

  test('an answer to finalize that got lost is no reason to finalize twice', async (t) => {
    const { ca, issuer } = await acmeRig(t);
    ca.script = (call) => {
      if (call.step !== 'finalize') return null;
      ca.usual(call);
      call.request.socket.destroy();
      return 'handled';
    };
    // The dead connection is tried once more by itself; the CA takes that for what it is.
    assert.deepEqual((await obtain(issuer, ['a.example'], never)).names, ['a.example']);
  });

  test('an order that turns invalid ends with the CA’s words', async (t) => {
    const { ca, issuer } = await acmeRig(t);
    const error = { type: 'urn:ietf:params:acme:error:caa', detail: 'CAA record for a.example prevents issuance' };
    ca.script = (call) =>
      call.step === 'order' && ca.count('finalize') > 0
        ? { body: { ...(ca.usual(call).body as object), status: 'invalid', error } }
        : null;
    await assert.rejects(obtain(issuer, ['a.example'], never), {
      type: 'caa',
      message:
        'cannot obtain certificate for "a.example": the CA says: CAA record for a.example prevents issuance (caa)',
    });
  });

  test('an order that is `processing` for ever is given up on, saying so', async (t) => {
    const { ca, issuer } = await acmeRig(t, { issueTimeoutMs: 4_000 });
    ca.script = (call) =>
      call.step === 'order' && ca.count('finalize') > 0
        ? { body: { ...(ca.usual(call).body as object), status: 'processing', certificate: undefined } }
        : null;
    await assert.rejects(obtain(issuer, ['a.example'], never), {
      code: 'issuer_timeout',
      message: 'cannot obtain certificate for "a.example": the order is processing after 4 s',
    });
  });

  test('who closes gets out at any step, with the reason, and no token stays', async (t) => {
    for (const step of ['newOrder', 'authorization', 'challenge', 'finalize', 'certificate'] as const) {
      const { ca, issuer, challenges } = await acmeRig(t);
      const abort = new AbortController();
      ca.script = (call) => {
        if (call.step !== step) return null;
        setImmediate(() => abort.abort(new Error('shutting down')));
        return 'handled';
      };
      await assert.rejects(obtain(issuer, ['a.example'], abort.signal), /^Error: shutting down$/, step);
      assert.equal(challenges.answer('a.example', 'token-of-order-00000000'), null, step);
    }
  });

  test('Retry-After paces the polling', async (t) => {
    const { ca, issuer } = await acmeRig(t, { issueTimeoutMs: 4_000 });
    ca.script = (call) =>
      call.step === 'order' && ca.count('finalize') > 0
        ? { headers: { 'retry-after': '60' }, body: { ...(ca.usual(call).body as object), status: 'processing' } }
        : null;
    await assert.rejects(obtain(issuer, ['a.example'], never), { code: 'issuer_timeout' });
    assert.equal(ca.count('order'), 2, 'once before the answer that asks for patience, and for that answer');
  });
});

suite('nonces', { concurrency: 8 }, () => {
  test('a CA that refuses every second nonce gets its signature anyway', async (t) => {
    const { ca, issuer } = await acmeRig(t);
    ca.script = ({ request, count }) => (request.method === 'POST' && count % 2 === 1 ? BAD_NONCE : null);
    await obtain(issuer, ['a.example'], never);
  });

  test('a CA that refuses every nonce is given up on', async (t) => {
    const { ca, issuer } = await acmeRig(t);
    ca.script = ({ request }) => (request.method === 'POST' ? BAD_NONCE : null);
    await assert.rejects(obtain(issuer, ['a.example'], never), {
      source: 'issuer',
      message: /cannot understand the CA: JWS has an invalid anti-replay nonce/,
    });
    assert.ok(ca.requests.length < 30);
  });

  test('a CA that hands out no nonces is given up on', async (t) => {
    const { ca, issuer } = await acmeRig(t);
    ca.script = (call) => {
      call.response.removeHeader('replay-nonce');
      return null;
    };
    await assert.rejects(obtain(issuer, ['a.example'], never), /cannot understand the CA: it hands out no nonces/);
  });
});

suite('the account', { concurrency: 8 }, () => {
  test('is registered once, with an ES256 key, however many certificates are wanted at once', async (t) => {
    const { ca, issuer } = await acmeRig(t);
    let algorithm: string | undefined;
    ca.script = ({ step, header }) => {
      if (step === 'newAccount') algorithm = header.alg;
      return null;
    };
    const names = Array.from({ length: 10 }, (_, index) => `${index}.example`);
    await Promise.all(names.map((name) => obtain(issuer, [name], never)));
    assert.equal(ca.count('newAccount'), 1);
    assert.equal(ca.count('directory'), 1);
    assert.equal(algorithm, 'ES256');
  });

  test('is found again after a restart without asking the CA', async (t) => {
    const { ca, issuer, restart } = await acmeRig(t);
    await obtain(issuer, ['a.example'], never);
    await obtain(restart(), ['b.example'], never);
    assert.equal(ca.count('newAccount'), 1);
  });

  test('that a crash left unregistered is registered with the same key', async (t) => {
    const { ca, issuer, storage, restart } = await acmeRig(t);
    const keys: unknown[] = [];
    ca.script = ({ step, header }) => {
      if (step === 'newAccount') keys.push(header.jwk);
      return null;
    };
    await obtain(issuer, ['a.example'], never);
    await storage.delete(`accounts/${issuer.id}/account.json`);
    await obtain(restart(), ['b.example'], never);
    assert.equal(keys.length, 2);
    assert.deepEqual(keys[0], keys[1]);
  });

  test('that the CA has lost is registered again, once', async (t) => {
    const { ca, issuer } = await acmeRig(t);
    ca.script = ({ step, count }) =>
      step === 'newOrder' && count === 1 ? problem(400, 'accountDoesNotExist', 'no such account') : null;
    await obtain(issuer, ['a.example'], never);
    assert.equal(ca.count('newAccount'), 2);
  });

  test('that the CA loses again and again is not registered for ever', async (t) => {
    const { ca, issuer } = await acmeRig(t);
    ca.script = ({ step }) => (step === 'newOrder' ? problem(400, 'accountDoesNotExist', 'no such account') : null);
    await assert.rejects(obtain(issuer, ['a.example'], never), { type: 'accountDoesNotExist' });
    assert.equal(ca.count('newAccount'), 2);
  });

  test('whose files are damaged is made anew', async (t) => {
    const { issuer, storage, restart } = await acmeRig(t);
    await obtain(issuer, ['a.example'], never);
    const key = `accounts/${issuer.id}/key.pem`;
    for (const file of [key, `accounts/${issuer.id}/account.json`]) {
      await storage.store(file, 'damaged');
      await obtain(restart(), ['b.example'], never);
    }
    assert.equal(await storage.load(`${key}.bad`), 'damaged');
  });

  test('that is refused fails with the CA’s words, and is tried again by the next issuance', async (t) => {
    const { ca, issuer } = await acmeRig(t);
    ca.script = ({ step, count }) =>
      step === 'newAccount' && count === 1 ? problem(400, 'invalidContact', 'invalid contact domain') : null;
    await assert.rejects(obtain(issuer, ['a.example'], never), { type: 'invalidContact' });
    await obtain(issuer, ['a.example'], never);
  });

  test('registers its e-mail address, and again when that changed', async (t) => {
    const { ca, issuer, restart } = await acmeRig(t);
    const contacts: unknown[] = [];
    ca.script = ({ step, payload }) => {
      if (step === 'newAccount') contacts.push([payload?.contact, payload?.termsOfServiceAgreed]);
      return null;
    };
    await obtain(issuer, ['a.example'], never);
    await obtain(restart({ email: 'ops@example.com' }), ['a.example'], never);
    assert.deepEqual(contacts, [
      [undefined, true],
      [['mailto:ops@example.com'], true],
    ]);
  });

  test('registration goes on for the others when the first to ask leaves', async (t) => {
    const { ca, issuer } = await acmeRig(t);
    const abort = new AbortController();
    ca.script = ({ step }) => {
      if (step === 'newAccount') abort.abort(new Error('leaving'));
      return null;
    };
    const first = obtain(issuer, ['a.example'], abort.signal);
    const second = obtain(issuer, ['b.example'], never);
    await assert.rejects(first, /leaving/);
    await second;
    assert.equal(ca.count('newAccount'), 1);
  });

  test('its key is stored before the CA sees it, readable by the user alone', async (t) => {
    const folder = await temporaryFolder(t);
    const storage = new FileStorage(folder);
    const { ca, issuer } = await acmeRig(t, { storage });
    let stored: string | null = null;
    ca.script = async ({ step }) => {
      if (step === 'newAccount') stored = await storage.load(`accounts/${issuer.id}/key.pem`);
      return null;
    };
    await obtain(issuer, ['a.example'], never);
    assert.match(stored ?? '', /PRIVATE KEY/);
  });
});

suite('what a CA should never answer', { concurrency: 8 }, () => {
  test('a chain for another key is refused', async (t) => {
    const { ca, issuer } = await acmeRig(t);
    const foreign = mint(['a.example'], makeAuthority());
    ca.script = ({ step }) => (step === 'certificate' ? { body: foreign.certPem } : null);
    await assert.rejects(obtain(issuer, ['a.example'], never), {
      code: 'certificate_unfit',
      source: 'issuer',
      message: /its key belongs to another certificate/,
    });
  });

  test('a chain that is empty, JSON or HTML is refused', async (t) => {
    for (const body of [
      '',
      '<html>',
      { certificate: 'x' },
      '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----',
    ]) {
      const { ca, issuer } = await acmeRig(t);
      ca.script = ({ step }) => (step === 'certificate' ? { body } : null);
      await assert.rejects(obtain(issuer, ['a.example'], never), { code: 'certificate_unfit' });
    }
  });

  for (const [what, step, change] of [
    ['a directory without addresses', 'directory', () => ({ meta: {} })],
    ['a directory that is a list', 'directory', () => []],
    ['an order of unknown status', 'newOrder', (body: object) => ({ ...body, status: 'great' })],
    ['an order without authorizations', 'newOrder', (body: object) => ({ ...body, authorizations: undefined })],
    ['an order that is text', 'newOrder', () => 'hello'],
    ['an order that is null', 'newOrder', () => null],
    [
      'an authorization for a name that was not ordered',
      'authorization',
      (body: object) => ({ ...body, identifier: { type: 'dns', value: 'b.example' } }),
    ],
    ['an authorization without HTTP-01', 'authorization', (body: object) => ({ ...body, challenges: [] })],
    [
      'a token that could be a path (CVE-2026-40611)',
      'authorization',
      (body: { challenges?: object[] }) => ({
        ...body,
        challenges: body.challenges?.map((each) => ({ ...each, token: '../../../../etc/cron.d/x' })),
      }),
    ],
    ['an address of plain http', 'newOrder', (body: object) => ({ ...body, authorizations: ['http://localhost/x'] })],
  ] as const) {
    test(`${what} is refused as the CA’s mistake`, async (t) => {
      const { ca, issuer, challenges } = await acmeRig(t);
      const presented: string[] = [];
      challenges.present = async (host, token) => void presented.push(host, token);
      ca.script = (call) => {
        if (call.step !== step) return null;
        const answer = ca.usual(call);
        const headers = { 'content-type': 'application/json', ...answer.headers };
        return { ...answer, headers, body: JSON.stringify(change(answer.body as never)) };
      };
      await assert.rejects(obtain(issuer, ['a.example'], never), { name: 'PerantaraError', source: 'issuer' });
      assert.deepEqual(presented, []);
    });
  }

  test('after a failure the directory is read again, since addresses may have changed', async (t) => {
    const { ca, issuer } = await acmeRig(t);
    ca.script = ({ step, count }) => (step === 'newOrder' && count === 1 ? problem(404, 'malformed', 'gone') : null);
    await assert.rejects(obtain(issuer, ['a.example'], never), { status: 404 });
    await obtain(issuer, ['a.example'], never);
    assert.equal(ca.count('directory'), 2);
  });
});

test('the folder of a CA is its address, as a file name', () => {
  assert.equal(
    acmeIssuerId('https://acme-v02.api.letsencrypt.org/directory'),
    'acme-v02.api.letsencrypt.org-directory',
  );
  assert.equal(acmeIssuerId('https://localhost:14000/dir'), 'localhost-14000-dir');
  assert.equal(acmeIssuerId('https://[::1]:14000/acme/../dir/?a=b'), '1-14000-dir');
});
