import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { suite, test } from 'node:test';
import { AcmeProblem } from '../../../src/certs/acme/problem.ts';
import { type AcmeRequest, AcmeTransport } from '../../../src/certs/acme/transport.ts';
import { PerantaraError } from '../../../src/core/errors.ts';
import { BAD_NONCE, type Call, type FakeAcme, problem, startFakeAcme } from '../../support/fake-acme.ts';

const NOW = Date.UTC(2026, 10, 24, 12);
const GET = { method: 'GET', body: null, idempotent: true, signal: new AbortController().signal } as const;
const POST = { ...GET, method: 'POST', idempotent: false } as const;
/** An idempotent POST (POST-as-GET). */
const READ = { ...POST, idempotent: true } as const;

interface Rig {
  readonly ca: FakeAcme;
  readonly transport: AcmeTransport;
  get(request?: AcmeRequest): ReturnType<AcmeTransport['request']>;
}

async function rig(
  t: TestContext,
  script: FakeAcme['script'],
  options: { timeoutMs?: number; trust?: string | null } = {},
): Promise<Rig> {
  const ca = await startFakeAcme();
  ca.script = script;
  const transport = new AcmeTransport({
    trust: ca.trustPem,
    userAgent: 'perantara/0.0.0-test',
    clock: { now: () => NOW },
    timeoutMs: 5_000,
    ...options,
  });
  t.after(async () => {
    transport.close();
    await ca.stop();
  });
  const body = JSON.stringify({ protected: 'e30', payload: '', signature: '' });
  const get = (request: AcmeRequest = GET) =>
    transport.request(ca.directoryUrl, request.method === 'POST' ? { ...request, body } : request);
  return { ca, transport, get };
}

const failing = (details: object) => (error: unknown) => {
  assert.ok(error instanceof PerantaraError, String(error));
  assert.equal(error.source, 'issuer');
  for (const [field, expected] of Object.entries(details)) {
    const actual: unknown = error[field as keyof PerantaraError];
    if (expected instanceof RegExp) assert.match(String(actual), expected);
    else assert.deepEqual(actual, expected);
  }
  return true;
};

suite('what is asked', { concurrency: 8 }, () => {
  test('requests say who asks, in which language and what they carry', async (t) => {
    const seen: Call['request']['headers'][] = [];
    const { get } = await rig(t, ({ request }) => {
      seen.push(request.headers);
      return { body: {} };
    });
    await get();
    await get(READ);
    assert.equal(seen[0]?.['user-agent'], 'perantara/0.0.0-test');
    assert.equal(seen[0]?.['content-type'], undefined);
    assert.equal(seen[1]?.['content-type'], 'application/jose+json');
  });

  test('a server is asked over https only (CVE-2025-54799)', async (t) => {
    const { transport } = await rig(t, () => null);
    for (const url of ['http://localhost/dir', 'file:///etc/passwd', 'nonsense', ''])
      await assert.rejects(transport.request(url, GET), failing({ code: 'issuer_insecure' }));
  });

  test('a server that the trust bundle does not authenticate is not talked to, and the message says what to set', async (t) => {
    const { ca, get } = await rig(t, () => null, { trust: null });
    await assert.rejects(
      get(POST),
      failing({ code: 'issuer_unreachable', message: /self-signed certificate; set "acme\.trust"/ }),
    );
    assert.deepEqual(ca.requests, []);
  });

  test('a trust bundle that is no PEM is reported like a server that cannot be reached', async (t) => {
    const { get } = await rig(t, () => null, { trust: 'nonsense' });
    await assert.rejects(get(POST), failing({ code: 'issuer_unreachable' }));
  });
});

suite('nonces', { concurrency: 8 }, () => {
  test('every answer fills the pool, and each nonce is handed out once', async (t) => {
    let count = 0;
    const { transport, get } = await rig(t, ({ response }) => {
      response.setHeader('replay-nonce', `nonce${++count}`);
      return count === 2 ? problem(403, 'unauthorized', 'no') : { body: {} };
    });
    await get();
    await assert.rejects(get());
    assert.deepEqual([transport.takeNonce(), transport.takeNonce(), transport.takeNonce()], ['nonce2', 'nonce1', null]);
  });

  test('the nonce that comes with badNonce is left to whoever repeats the request', async (t) => {
    const { transport, get } = await rig(t, () => BAD_NONCE);
    const answer = await get(POST);
    assert.equal(answer.status, 400);
    assert.equal(typeof answer.headers['replay-nonce'], 'string');
    assert.equal(transport.takeNonce(), null);
  });

  test('a nonce that is no base64url is not kept', async (t) => {
    const { transport, get } = await rig(t, ({ response }) => {
      response.setHeader('replay-nonce', 'a b"c');
      return { body: {} };
    });
    await get();
    assert.equal(transport.takeNonce(), null);
  });
});

suite('problems', { concurrency: 8 }, () => {
  test('a refusal keeps type, status, the CA’s words, what is said about single names, and Retry-After in seconds', async (t) => {
    const subproblems = [
      {
        type: 'urn:ietf:params:acme:error:caa',
        detail: 'CAA forbids it',
        identifier: { type: 'dns', value: 'a.example' },
      },
    ];
    const { get } = await rig(t, () =>
      problem(429, 'rateLimited', 'too many\ncertificates', { subproblems }, { 'retry-after': '3600' }),
    );
    await assert.rejects(get(READ), (error: unknown) => {
      assert.ok(error instanceof AcmeProblem);
      assert.deepEqual([error.type, error.status, error.detail], ['rateLimited', 429, 'too many certificates']);
      assert.deepEqual(error.subproblems, [{ type: 'caa', detail: 'CAA forbids it', identifier: 'a.example' }]);
      assert.equal(error.retryAfterMs, 3_600_000);
      assert.match(error.message, /the CA says: too many certificates \(rateLimited\) \[a\.example: CAA forbids it\]$/);
      return true;
    });
  });

  test('Retry-After may be a date', async (t) => {
    const at = new Date(NOW + 90_000).toUTCString();
    const { get } = await rig(t, () => problem(503, 'serverInternal', 'later', {}, { 'retry-after': at }));
    await assert.rejects(get(), failing({ retryAfterMs: 90_000, retryable: true }));
  });

  test('a Retry-After that is neither counts as none', async (t) => {
    const { get } = await rig(t, () => problem(429, 'rateLimited', 'no', {}, { 'retry-after': 'soon' }));
    await assert.rejects(get(), failing({ retryAfterMs: null }));
  });

  test('a rate limit is not slept out and not repeated', async (t) => {
    const { ca, get } = await rig(t, () => problem(429, 'rateLimited', 'no', {}, { 'retry-after': '1' }));
    await assert.rejects(get());
    assert.equal(ca.requests.length, 1);
  });

  test('an error page instead of a problem document still tells its status', async (t) => {
    const { get } = await rig(t, () => ({
      status: 502,
      headers: { 'content-type': 'text/html' },
      body: '<h1>Bad Gateway</h1>',
    }));
    await assert.rejects(
      get(POST),
      failing({ status: 502, message: /the CA says: <h1>Bad Gateway<\/h1> \(HTTP 502\)/ }),
    );
  });

  test('a problem document that is not JSON, not an object, or of wrong types is a problem all the same', async (t) => {
    const bodies = ['{"type":', '[]', '"x"', 'null', '{"type":1,"detail":{},"subproblems":"x","status":"y"}'];
    let index = 0;
    const { get } = await rig(t, () => ({
      status: 403,
      headers: { 'content-type': 'application/problem+json' },
      body: bodies[index++]!,
    }));
    for (const _ of bodies) await assert.rejects(get(POST), failing({ status: 403, code: 'acme_problem' }));
  });
});

suite('what goes wrong on the way', { concurrency: 8 }, () => {
  test('JSON that was cut off is reported as such', async (t) => {
    const headers = { 'content-type': 'application/json' };
    const { get } = await rig(t, () => ({ headers, body: '{"newNonce": "https' }));
    await assert.rejects(get(), failing({ code: 'issuer_answer_invalid', message: /it is not JSON/ }));
  });

  test('an answer that ends before its Content-Length is a broken connection', async (t) => {
    const { ca, get } = await rig(t, ({ response }) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('{"a":');
      setImmediate(() => response.destroy());
      return 'handled';
    });
    await assert.rejects(get(), failing({ code: 'issuer_unreachable' }));
    assert.equal(ca.requests.length, 3, 'reading is tried three times');
  });

  test('an answer of ten megabytes is cut off at one', async (t) => {
    const { ca, get } = await rig(t, () => ({
      headers: { 'content-type': 'application/json' },
      body: `"${'x'.repeat(10_000_000)}"`,
    }));
    await assert.rejects(get(), failing({ code: 'issuer_answer_invalid', message: /larger than 1048576 bytes/ }));
    assert.equal(ca.requests.length, 1);
  });

  test('a server that accepts and says nothing is given up on', async (t) => {
    const { get } = await rig(t, () => 'handled', { timeoutMs: 100 });
    await assert.rejects(get(POST), failing({ code: 'issuer_timeout', message: /no answer within 0\.1 s/ }));
  });

  test('an answer that trickles without end is given up on', async (t) => {
    const { get } = await rig(
      t,
      ({ response }) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        const timer = setInterval(() => response.write(' '), 5);
        response.on('close', () => clearInterval(timer));
        return 'handled';
      },
      { timeoutMs: 200 },
    );
    await assert.rejects(get(POST), failing({ code: 'issuer_timeout' }));
  });

  test('who waits can leave at any moment, with the reason given', async (t) => {
    const abort = new AbortController();
    const reason = new Error('shutting down');
    const { get } = await rig(t, ({ response, count }) => {
      if (count === 2) response.writeHead(200).write('{');
      setImmediate(() => abort.abort(reason));
      return 'handled';
    });
    await assert.rejects(get({ ...GET, signal: abort.signal }), reason);
    await assert.rejects(get({ ...GET, signal: abort.signal }), reason);
  });

  test('a server that is not there is reported with its name', async (t) => {
    const { ca, get } = await rig(t, () => null);
    await ca.stop();
    await assert.rejects(
      get(POST),
      failing({ code: 'issuer_unreachable', message: /^cannot reach "localhost:\d+": .*ECONNREFUSED/ }),
    );
  });
});

suite('repeating', { concurrency: 8 }, () => {
  const flaky = (call: Call) => (call.count < 3 ? problem(503, 'serverInternal', 'busy') : { body: { ok: true } });

  test('what is safe to repeat is repeated after server errors', async (t) => {
    const { get } = await rig(t, flaky);
    assert.deepEqual((await get(READ)).data, { ok: true });
  });

  test('it is tried three times in all', async (t) => {
    const { ca, get } = await rig(t, () => problem(500, 'serverInternal', 'broken'));
    await assert.rejects(get(), failing({ status: 500 }));
    assert.equal(ca.requests.length, 3);
  });

  test('what is not safe is not repeated', async (t) => {
    const { ca, get } = await rig(t, flaky);
    await assert.rejects(get(POST), failing({ status: 503 }));
    assert.equal(ca.requests.length, 1);
  });

  test('a server error that asks for an hour is not slept out', async (t) => {
    const { ca, get } = await rig(t, () => problem(503, 'serverInternal', 'busy', {}, { 'retry-after': '3600' }));
    await assert.rejects(get(), failing({ retryAfterMs: 3_600_000 }));
    assert.equal(ca.requests.length, 1);
  });

  test('any request is sent again when the kept connection turns out to be dead', async (t) => {
    const { ca, get } = await rig(t, ({ count, request }) => {
      if (count !== 2) return { body: { count } };
      request.socket.destroy();
      return 'handled';
    });
    await get();
    assert.deepEqual((await get(POST)).data, { count: 3 });
    assert.equal(ca.requests.length, 3);
  });
});

suite('redirects', { concurrency: 8 }, () => {
  test('the directory may have moved', async (t) => {
    const { get } = await rig(t, ({ step }) =>
      step === 'directory' ? { status: 307, headers: { location: '/account/0' } } : null,
    );
    assert.deepEqual((await get()).data, { status: 'valid' });
  });

  test('a signed request follows nowhere', async (t) => {
    const { ca, get } = await rig(t, () => ({ status: 308, headers: { location: '/account/0' } }));
    await assert.rejects(
      get(POST),
      failing({ code: 'issuer_answer_invalid', message: /it answers 308 to "\/account\/0"/ }),
    );
    assert.equal(ca.requests.length, 1);
  });

  test('a redirect to plain http, in a circle, or to nowhere is refused', async (t) => {
    for (const location of ['http://localhost/dir', '/directory', 'https://', '']) {
      const { ca, get } = await rig(t, () => ({ status: 302, headers: { location } }));
      await assert.rejects(get(), failing({}));
      assert.ok(ca.requests.length <= 4);
    }
  });
});
