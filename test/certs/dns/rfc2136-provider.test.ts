// Dynamic updates to a name server that checks their signatures with code of its own.
import assert from 'node:assert/strict';
import { suite, type TestContext, test } from 'node:test';
import { Rfc2136Provider } from '../../../src/certs/dns/rfc2136-provider.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { type DnsServer, type DnsServerOptions, startDnsServer } from '../../support/dns-server.ts';
import { freePort } from '../../support/free-port.ts';

const never = new AbortController().signal;
const fqdn = '_acme-challenge.www.example.test';
const key = {
  name: 'acme.key',
  algorithm: 'hmac-sha256',
  secret: Buffer.from('a secret of 32 octets for hmac..').toString('base64'),
};
const record = { fqdn, value: 'value-one', ttlSeconds: 60 };

async function withServer(t: TestContext, options: DnsServerOptions = { keys: [key] }): Promise<DnsServer> {
  const server = await startDnsServer(options);
  t.after(() => server.stop());
  server.addZone('example.test');
  return server;
}

function providerAt(server: DnsServer, options: { zone?: string; tsig?: typeof key | null } = {}): Rfc2136Provider {
  const { zone = null, tsig = key } = options;
  return new Rfc2136Provider({ server: server.address, zone, tsig, clock: systemClock });
}

suite('a dynamic update', () => {
  for (const algorithm of ['hmac-sha1', 'hmac-sha224', 'hmac-sha256', 'hmac-sha384', 'hmac-sha512'])
    test(`signed by ${algorithm} adds a record to those that are there and takes only it away`, async (t) => {
      const tsig = { ...key, algorithm };
      const server = await withServer(t, { keys: [tsig] });
      server.add(fqdn, 'TXT', 'of somebody else');
      const provider = providerAt(server, { tsig });
      await provider.present(record, never);
      await provider.present({ ...record, value: 'value-two' }, never);
      await provider.present(record, never);
      assert.deepEqual(server.texts(fqdn), ['of somebody else', 'value-one', 'value-two']);
      await provider.cleanUp(record, never);
      await provider.cleanUp(record, never);
      assert.deepEqual(server.texts(fqdn), ['of somebody else', 'value-two']);
      assert.deepEqual(server.updates[0], {
        name: fqdn,
        change: 'add',
        text: 'value-one',
        ttl: 60,
        zone: 'example.test',
      });
    });

  test('goes to the zone that is given, without a question', async (t) => {
    const server = await withServer(t);
    await providerAt(server, { zone: 'example.test' }).present(record, never);
    assert.deepEqual(server.inquiries, []);
    assert.deepEqual(server.texts(fqdn), ['value-one']);
  });

  test('goes unsigned when there is no key', async (t) => {
    const server = await withServer(t, {});
    await providerAt(server, { tsig: null }).present(record, never);
    assert.deepEqual(server.texts(fqdn), ['value-one']);
  });
});

suite('a dynamic update that is refused says why and what to do:', () => {
  const cases: readonly (readonly [string, DnsServerOptions, { zone?: string; tsig?: typeof key | null }, RegExp])[] = [
    [
      'a wrong secret',
      { keys: [{ ...key, secret: 'b3RoZXI=' }] },
      {},
      /BADSIG: TSIG key "acme\.key" has another secret there; check dns\.rfc2136\.tsig\.secret/,
    ],
    [
      'an unknown key',
      { keys: [{ ...key, name: 'other' }] },
      {},
      /BADKEY: it does not know TSIG key "acme\.key" with hmac-sha256/,
    ],
    [
      'a wrong clock',
      { keys: [key], aheadSeconds: 86_400 },
      {},
      /BADTIME: its clock and ours are too far apart \(ours is 8\d{4} s behind\); set both/,
    ],
    [
      'a zone of somebody else',
      { keys: [key] },
      { zone: 'test' },
      /NOTAUTH for zone "test": it is not the primary server/,
    ],
    [
      'a name that the key may not touch',
      { keys: [key], mayUpdate: () => false },
      {},
      /REFUSED for zone "example\.test": the key may not update this name/,
    ],
    [
      'an answer without signature',
      { keys: [key], signing: 'none' },
      {},
      /its answer is not believed: it is not signed/,
    ],
    [
      'an answer with a wrong signature',
      { keys: [key], signing: 'damaged' },
      {},
      /its answer is not believed: its signature does not match/,
    ],
  ];
  for (const [name, options, given, expected] of cases)
    test(name, async (t) => {
      const server = await withServer(t, options);
      await assert.rejects(providerAt(server, given).present(record, never), (error: Error) => {
        assert.match(error.message, expected);
        assert.ok(
          error.message.startsWith(
            `cannot add the TXT record at "${fqdn}" by update at name server ${server.address}: `,
          ),
        );
        assert.doesNotMatch(error.message, new RegExp(key.secret));
        return true;
      });
    });

  test('no zone for the name', async (t) => {
    const server = await withServer(t);
    const foreign = { ...record, fqdn: '_acme-challenge.elsewhere.test' };
    await assert.rejects(
      providerAt(server).present(foreign, never),
      /it has no zone for "_acme-challenge\.elsewhere\.test"; name the zone/,
    );
  });

  test('nobody there', async () => {
    const server = `127.0.0.1:${await freePort()}`;
    const provider = new Rfc2136Provider({ server, zone: 'example.test', tsig: null, clock: systemClock });
    await assert.rejects(provider.present(record, never), {
      retryable: true,
      message: /unreachable over TCP .*; check dns\.rfc2136\.server/,
    });
  });

  test('a key that cannot be used', () => {
    const make = (tsig: typeof key) => () =>
      new Rfc2136Provider({ server: '127.0.0.1:53', zone: null, tsig, clock: systemClock });
    assert.throws(
      make({ ...key, algorithm: 'hmac-md5' }),
      /cannot use TSIG key "acme\.key": algorithm "hmac-md5" is not one of hmac-sha1/,
    );
    assert.throws(make({ ...key, secret: '' }), /its secret is not base64/);
  });
});
