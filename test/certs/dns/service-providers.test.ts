// Providers behind HTTP, each against a small service that behaves as the real one is documented.
import assert from 'node:assert/strict';
import { suite, type TestContext, test } from 'node:test';
import { inspect } from 'node:util';
import { AcmeDnsProvider } from '../../../src/certs/dns/acme-dns-provider.ts';
import { CloudflareProvider } from '../../../src/certs/dns/cloudflare-provider.ts';
import { WebhookProvider } from '../../../src/certs/dns/webhook-provider.ts';
import { FakeCloudflare } from '../../support/fake-cloudflare.ts';
import { type FakeService, type ServiceReply, type ServiceRequest, startService } from '../../support/fake-service.ts';
import { freePort } from '../../support/free-port.ts';

const never = new AbortController().signal;
const fqdn = '_acme-challenge.www.example.test';
const record = { fqdn, value: 'value-one', ttlSeconds: 30 };
const second = { ...record, value: 'value-two' };

async function service(t: TestContext, reply: (request: ServiceRequest) => ServiceReply | null): Promise<FakeService> {
  const started = await startService(reply);
  t.after(() => started.stop());
  return started;
}

suite('a webhook', () => {
  test('is asked in lego’s form, with Basic authentication', async (t) => {
    const { url, requests } = await service(t, () => ({ status: 204 }));
    const provider = new WebhookProvider({ url: `${url}/hooks/`, user: 'ops', password: 'gehêim' });
    await provider.present(record, never);
    await provider.cleanUp(record, never);
    assert.deepEqual(
      requests.map(({ method, path, body }) => [method, path, body]),
      ['present', 'cleanup'].map((verb) => ['POST', `/hooks/${verb}`, { fqdn: `${fqdn}.`, value: 'value-one' }]),
    );
    const { authorization, 'content-type': type } = requests[0]!.headers;
    assert.equal(authorization, `Basic ${Buffer.from('ops:gehêim').toString('base64')}`);
    assert.equal(type, 'application/json');
  });

  test('without a user is asked without authentication', async (t) => {
    const { url, requests } = await service(t, () => ({}));
    await new WebhookProvider({ url, user: null, password: null }).present(record, never);
    assert.equal(requests[0]!.headers.authorization, undefined);
  });

  test('that refuses is quoted, without what we sent in secret', async (t) => {
    const { url } = await service(t, ({ headers }) => ({
      status: 401,
      body: `no entry for ${headers.authorization} (ops, hunter2)\n\u001b[2J`,
    }));
    const provider = new WebhookProvider({ url, user: 'ops', password: 'hunter2' });
    await assert.rejects(provider.present(record, never), {
      code: 'dns_provider_failed',
      retryable: false,
      message:
        `cannot present the TXT record at "${fqdn}" by the webhook at ${new URL(url).host}: it answers 401 and says ` +
        '"no entry for Basic … (ops, …)\\u000a\\u001b[2J"; check dns.webhook.user and password',
    });
  });

  test('is not followed elsewhere', async (t) => {
    const other = await service(t, () => ({}));
    const { url } = await service(t, () => ({ status: 307, headers: { location: other.url } }));
    const provider = new WebhookProvider({ url, user: 'ops', password: 'hunter2' });
    await assert.rejects(provider.present(record, never), /answers 307 .*redirects are not followed/);
    assert.deepEqual(other.requests, []);
  });

  test('that is not there, answers without end or not at all, is an error in time', async (t) => {
    const unused = `127.0.0.1:${await freePort()}`;
    const absent = new WebhookProvider({ url: `http://${unused}/?secret=x`, user: null, password: null });
    await assert.rejects(absent.present(record, never), {
      code: 'dns_provider_unreachable',
      retryable: true,
      message: new RegExp(`: ${unused} is unreachable \\(connect ECONNREFUSED ${unused}\\); check its address`),
    });
    const endless = await service(t, () => ({ body: 'x'.repeat(2 * 1024 * 1024) }));
    await assert.rejects(
      new WebhookProvider({ url: endless.url, user: null, password: null }).present(record, never),
      /longer than/,
    );
    const abort = new AbortController();
    const silent = await service(t, () => {
      abort.abort(new Error('enough'));
      return null;
    });
    const provider = new WebhookProvider({ url: silent.url, user: null, password: null });
    await assert.rejects(provider.present(record, abort.signal), { message: 'enough' });
  });
});

suite('acme-dns', () => {
  const account = { user: 'u-1', password: 'p-1', subdomain: 'd420c923' };
  const at = (value: string) => ({ fqdn: 'd420c923.auth.example.test', value, ttlSeconds: 60 });
  /** As the server does it: the last two texts are shown. */
  async function acmeDns(t: TestContext) {
    const shown: string[] = [];
    const { url, requests } = await service(t, ({ path, headers, body }) => {
      const { subdomain, txt } = body as { subdomain: string; txt: string };
      const known = headers['x-api-user'] === 'u-1' && headers['x-api-key'] === 'p-1' && subdomain === 'd420c923';
      if (path !== '/update' || !known) return { status: 401, body: { error: 'forbidden' } };
      shown.push(txt);
      if (shown.length > 2) shown.shift();
      return { body: { txt } };
    });
    return { shown, requests, url, provider: new AcmeDnsProvider({ url, ...account }) };
  }

  test('shows a name’s and its wildcard’s text at once', async (t) => {
    const { provider, shown } = await acmeDns(t);
    await Promise.all([provider.present(at('one'), never), provider.present(at('two'), never)]);
    assert.deepEqual(shown, ['one', 'two']);
  });

  test('is given a third text only when one of the two is no longer needed, and the other stays', async (t) => {
    const { provider, shown } = await acmeDns(t);
    await provider.present(at('one'), never);
    await provider.present(at('two'), never);
    const third = provider.present(at('three'), never);
    const fourth = provider.present(at('four'), AbortSignal.abort(new Error('enough')));
    await assert.rejects(fourth, { message: 'enough' });
    assert.deepEqual(shown, ['one', 'two']);
    await provider.cleanUp(at('two'));
    await third;
    assert.deepEqual(shown, ['one', 'three']);
  });

  test('is of no use to a name that does not lead there: says which CNAME to set', async (t) => {
    const { provider, url } = await acmeDns(t);
    await assert.rejects(provider.present(record, never), {
      code: 'dns_not_delegated',
      message:
        `cannot present a TXT record by acme-dns at ${new URL(url).host}: "${fqdn}" does not lead there; ` +
        `set ${fqdn}. CNAME d420c923.127.0.0.1. (the fulldomain that the server gave at registration)`,
    });
  });

  test('that refuses is quoted, and gives the place back', async (t) => {
    const { url } = await acmeDns(t);
    const provider = new AcmeDnsProvider({ url, ...account, password: 'wrong' });
    for (const value of ['one', 'two', 'three'])
      await assert.rejects(
        provider.present(at(value), never),
        /it answers 401 and says "\{"error":"forbidden"\}"; check user, password/,
      );
  });
});

suite('Cloudflare', () => {
  async function cloudflare(t: TestContext) {
    const fake = new FakeCloudflare('token-1', { 'example.test': 'a'.repeat(32) });
    const { url } = await service(t, (request) => fake.reply(request));
    const options = { token: 'token-1', zone: null, api: `${url}/client/v4` };
    return { fake, options, provider: new CloudflareProvider(options) };
  }

  test('finds the zone, puts the texts beside others and takes only them away', async (t) => {
    const { fake, provider } = await cloudflare(t);
    fake.put(fqdn, 'of somebody else');
    await provider.present(record, never);
    await provider.present(second, never);
    assert.deepEqual(fake.texts(fqdn), ['of somebody else', 'value-one', 'value-two']);
    assert.equal(fake.records.at(-1)?.ttl, 60);
    await provider.cleanUp(record, never);
    await provider.cleanUp(record, never);
    assert.deepEqual(fake.texts(fqdn), ['of somebody else', 'value-two']);
  });

  test('that has the record from an earlier run is content, and a new process takes it away', async (t) => {
    const { fake, provider, options } = await cloudflare(t);
    await provider.present(record, never);
    await provider.present(record, never);
    assert.deepEqual(fake.texts(fqdn), ['value-one']);
    await new CloudflareProvider(options).cleanUp(record, never);
    assert.deepEqual(fake.texts(fqdn), []);
  });

  test('is not asked for the zone when its id is given', async (t) => {
    const { fake, options } = await cloudflare(t);
    await new CloudflareProvider({ ...options, zone: 'a'.repeat(32) }).present(record, never);
    assert.deepEqual(fake.paths, [`POST /zones/${'a'.repeat(32)}/dns_records`]);
  });

  test('is quoted in its own words, without the token', async (t) => {
    const { options } = await cloudflare(t);
    const provider = new CloudflareProvider({ ...options, token: 'token-2' });
    await assert.rejects(provider.present(record, never), {
      code: 'dns_provider_failed',
      message:
        `cannot present the TXT record at "${fqdn}" by Cloudflare: Cloudflare answers 403 and says: ` +
        'Invalid access token (9109); Invalid format for Authorization header of … (6111); check dns.cloudflare.token and its permissions',
    });
  });

  test('is not told a token that is no field value, and neither is anybody else', async (t) => {
    const { options } = await cloudflare(t);
    const token = 'secret\nsecond line';
    await assert.rejects(new CloudflareProvider({ ...options, token }).present(record, never), (error: Error) => {
      assert.match(error.message, /is unreachable \(.*Bearer ….*invalid header value/);
      assert.doesNotMatch(inspect(error, { depth: 10 }), /secret/);
      return true;
    });
  });

  test('without the zone says what the token needs', async (t) => {
    const { provider } = await cloudflare(t);
    const foreign = { ...record, fqdn: '_acme-challenge.elsewhere.test' };
    await assert.rejects(
      provider.present(foreign, never),
      /the token sees no zone of "_acme-challenge\.elsewhere\.test"; give it Zone:Read and DNS:Edit/,
    );
  });

  test('that is out of order may be asked again later', async (t) => {
    const { url } = await service(t, () => ({ status: 502, body: '<html>Bad gateway</html>' }));
    const provider = new CloudflareProvider({ token: 'token-1', zone: null, api: url });
    await assert.rejects(provider.present(record, never), {
      retryable: true,
      message: /answers 502 and says: "<html>Bad gateway/,
    });
  });
});
