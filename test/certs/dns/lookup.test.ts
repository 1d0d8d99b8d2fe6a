// Questions to real sockets: answers over UDP and TCP, forged and damaged ones, resolvers that fail, aliases.
import assert from 'node:assert/strict';
import { suite, type TestContext, test } from 'node:test';
import { followAliases } from '../../../src/certs/dns/delegation.ts';
import { DnsLookup } from '../../../src/certs/dns/lookup.ts';
import { type DnsServer, type DnsServerOptions, startDnsServer } from '../../support/dns-server.ts';
import { freePort } from '../../support/free-port.ts';

const never = new AbortController().signal;

async function withServer(
  t: TestContext,
  options: DnsServerOptions = {},
): Promise<{ server: DnsServer; lookup: DnsLookup }> {
  const server = await startDnsServer(options);
  t.after(() => server.stop());
  server.addZone('example.test', { 'ns1.example.test': '127.0.0.1' });
  const lookup = new DnsLookup({ resolvers: () => [server.address], nameServerPort: server.port });
  return { server, lookup };
}

suite('a DNS question', () => {
  test('is answered with every text, the strings of one record joined', async (t) => {
    const { server, lookup } = await withServer(t);
    const long = 'x'.repeat(250);
    server.add('a.example.test', 'TXT', long);
    server.add('a.example.test', 'TXT', 'short');
    assert.deepEqual(await lookup.texts('a.example.test', never), [long, 'short']);
    assert.deepEqual(await lookup.texts('nothing.example.test', never), []);
  });

  test('is asked again over TCP when the answer is cut short', async (t) => {
    const { server, lookup } = await withServer(t);
    server.misbehave(() => 'truncated');
    server.add('a.example.test', 'TXT', 'whole');
    assert.deepEqual(await lookup.texts('a.example.test', never), ['whole']);
    assert.deepEqual(
      server.inquiries.map(({ protocol }) => protocol),
      ['udp', 'tcp'],
    );
  });

  test('waits for the answer to itself: others’ numbers and names do not count', async (t) => {
    const { server, lookup } = await withServer(t);
    server.misbehave(() => 'forged');
    server.add('a.example.test', 'TXT', 'right');
    assert.deepEqual(await lookup.texts('a.example.test', never), ['right']);
  });

  test('goes to the next resolver when one is not there or fails', async (t) => {
    const { server } = await withServer(t);
    const failing = await withServer(t);
    failing.server.misbehave(() => 'SERVFAIL');
    server.add('a.example.test', 'TXT', 'second');
    const resolvers = () => [`127.0.0.1:${unused}`, failing.server.address, server.address];
    const unused = await freePort();
    assert.deepEqual(await new DnsLookup({ resolvers }).texts('a.example.test', never), ['second']);
  });

  test('is asked once more when the only resolver failed', async (t) => {
    const { server, lookup } = await withServer(t);
    server.add('a.example.test', 'TXT', 'there');
    server.misbehave(() => (server.inquiries.length === 1 ? 'SERVFAIL' : null));
    assert.deepEqual(await lookup.texts('a.example.test', never), ['there']);
  });

  test('that nobody answers says who was asked and what each said', async (t) => {
    const { server } = await withServer(t);
    server.misbehave(() => 'SERVFAIL');
    const unused = await freePort();
    const lookup = new DnsLookup({ resolvers: () => [`127.0.0.1:${unused}`, server.address] });
    await assert.rejects(lookup.texts('a.example.test', never), {
      code: 'dns_lookup_failed',
      retryable: true,
      message:
        `cannot look up TXT of "a.example.test": name server 127.0.0.1:${unused} refuses connections; ` +
        `name server ${server.address} answers SERVFAIL; check this machine's resolver, or name others in dns.resolvers`,
    });
  });

  test('ends with its signal', async (t) => {
    const { server, lookup } = await withServer(t);
    const abort = new AbortController();
    server.misbehave(() => {
      setImmediate(() => abort.abort(new Error('enough')));
      return 'silent';
    });
    await assert.rejects(lookup.texts('a.example.test', abort.signal), { message: 'enough' });
  });

  test('to a server that answers nonsense is no answer', async (t) => {
    const { server, lookup } = await withServer(t);
    server.misbehave(() => 'garbage');
    await assert.rejects(lookup.texts('a.example.test', never), /does not answer; check/);
  });
});

suite('a zone', () => {
  test('is found from any name in it, and its name servers with their addresses', async (t) => {
    const { server, lookup } = await withServer(t);
    server.addZone('sub.example.test', { 'ns.elsewhere.test': '127.0.0.2' });
    server.addZone('elsewhere.test');
    assert.equal(await lookup.zoneOf('_acme-challenge.www.example.test', never), 'example.test');
    assert.equal(await lookup.zoneOf('_acme-challenge.sub.example.test', never), 'sub.example.test');
    assert.deepEqual(await lookup.nameServers('sub.example.test', never), [
      { name: 'ns.elsewhere.test', address: { host: '127.0.0.2', port: server.port } },
    ]);
  });

  test('without name servers says so', async (t) => {
    const { server, lookup } = await withServer(t);
    server.addZone('lonely.test');
    await assert.rejects(lookup.nameServers('lonely.test', never), /zone "lonely\.test": it has no NS records/);
    server.add('lonely.test', 'NS', 'gone.example.test');
    await assert.rejects(lookup.nameServers('lonely.test', never), /no address is known of gone\.example\.test/);
  });
});

suite('aliases of a challenge name', () => {
  test('are followed to where the record has to be', async (t) => {
    const { server, lookup } = await withServer(t);
    server.add('_acme-challenge.a.example.test', 'CNAME', 'One.Example.Test');
    server.add('one.example.test', 'CNAME', 'two.example.test');
    assert.equal(await followAliases('_acme-challenge.a.example.test', lookup, never), 'two.example.test');
    assert.equal(
      await followAliases('_acme-challenge.b.example.test', lookup, never),
      '_acme-challenge.b.example.test',
    );
  });

  test('that go in a circle, or on for ever, are refused', async (t) => {
    const { server, lookup } = await withServer(t);
    server.add('a.example.test', 'CNAME', 'b.example.test');
    server.add('b.example.test', 'CNAME', 'a.example.test');
    const message =
      'cannot follow the CNAME records of "a.example.test": they go in a circle (a.example.test → b.example.test → a.example.test); correct them';
    await assert.rejects(followAliases('a.example.test', lookup, never), { code: 'dns_alias_astray', message });
    for (let each = 0; each < 20; each++) server.add(`n${each}.example.test`, 'CNAME', `n${each + 1}.example.test`);
    await assert.rejects(followAliases('n0.example.test', lookup, never), /there are more than 8/);
  });

  test('that lead to what is no name are refused, and printed safely', async (t) => {
    const { server, lookup } = await withServer(t);
    server.add('a.example.test', 'CNAME', 'x \u001b[2J.example.test');
    const message =
      'cannot follow the CNAME record of "a.example.test": "x \\u001b[2j.example.test" is no name for a record';
    await assert.rejects(followAliases('a.example.test', lookup, never), { code: 'dns_alias_astray', message });
  });

  test('that only a wildcard makes are not followed: the record itself ends them', async (t) => {
    const { server, lookup } = await withServer(t);
    server.add('*.example.test', 'CNAME', 'web.elsewhere.test');
    assert.equal(await followAliases('_acme-challenge.example.test', lookup, never), '_acme-challenge.example.test');
  });
});
