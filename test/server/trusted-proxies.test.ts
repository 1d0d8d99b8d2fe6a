// Whose word about the client is taken, over real sockets: what reaches the upstream. The rules themselves are in
// test/http/trusted-proxies.test.ts, the PROXY header in gate.test.ts.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { connect as tlsConnect } from 'node:tls';
import { type Chain, request, startChain } from '../support/chain.ts';
import { Peer } from '../support/peer.ts';

interface Told {
  readonly for: string;
  readonly proto: string;
  readonly host: string;
  readonly forwarded: string;
}

/** What the upstream is told of a request with these fields, sent behind `header` to the TLS listener. */
async function told(t: TestContext, chain: Chain, fields: readonly string[], header = ''): Promise<Told> {
  const raw = connect({ port: chain.httpsPort, host: '127.0.0.1' });
  t.after(() => raw.destroy());
  await once(raw, 'connect');
  if (header !== '') raw.write(header);
  const socket = tlsConnect({ socket: raw, servername: 'app.localhost', rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const client = new Peer(socket);
  await client.send(request('/', [...fields, 'Connection: close']));
  assert.equal((await client.message()).status, 200);
  client.destroy();
  const asked = chain.origin.requests.at(-1)!;
  const only = (name: string): string => {
    const values = asked.fields(name);
    assert.equal(values.length, 1, name);
    return values[0]!;
  };
  return {
    for: only('x-forwarded-for'),
    proto: only('x-forwarded-proto'),
    host: only('x-forwarded-host'),
    forwarded: only('forwarded'),
  };
}

const trusting = (t: TestContext, ...trustedProxies: readonly string[]): Promise<Chain> =>
  startChain(t, { config: { trustedProxies } });

test('a chain is read from the right, over as many fields as it comes in, up to the first stranger', async (t) => {
  const chain = await trusting(t, '127.0.0.0/8', '10.0.0.0/8', '2001:db8::/32');
  const table: readonly (readonly [fields: readonly string[], expected: string])[] = [
    [[], '127.0.0.1'],
    [['X-Forwarded-For: 198.51.100.1'], '198.51.100.1, 127.0.0.1'],
    [['X-Forwarded-For: 6.6.6.6, 198.51.100.1, 10.1.1.1'], '198.51.100.1, 10.1.1.1, 127.0.0.1'],
    [
      ['X-Forwarded-For: 6.6.6.6', 'X-Forwarded-For: 198.51.100.1', 'x-forwarded-for: 10.1.1.1'],
      '198.51.100.1, 10.1.1.1, 127.0.0.1',
    ],
    [['X-Forwarded-For: 6.6.6.6, ::ffff:10.1.1.1'], '6.6.6.6, 10.1.1.1, 127.0.0.1'],
    [['X-Forwarded-For: 6.6.6.6, [2001:DB8::5]:443'], '6.6.6.6, 2001:db8::5, 127.0.0.1'],
    [['X-Forwarded-For: 6.6.6.6, unknown, 10.1.1.1'], '10.1.1.1, 127.0.0.1'],
    [['X-Forwarded-For: 6.6.6.6, 10.1.1.1, <script>'], '127.0.0.1'],
    [['Forwarded: for=6.6.6.6, for=198.51.100.1, for=10.1.1.1'], '198.51.100.1, 10.1.1.1, 127.0.0.1'],
  ];
  for (const [fields, expected] of table) assert.equal((await told(t, chain, fields)).for, expected, fields.join());
});

test('protocol and host are taken from a trusted proxy, where they can be ones', async (t) => {
  const chain = await trusting(t, '127.0.0.1');
  const ours = { for: '198.51.100.1, 127.0.0.1', proto: 'https', host: 'app.localhost' };
  const from = 'X-Forwarded-For: 198.51.100.1';
  assert.deepEqual(await told(t, chain, [from, 'X-Forwarded-Proto: http', 'X-Forwarded-Host: shop.example:8443']), {
    ...ours,
    proto: 'http',
    host: 'shop.example:8443',
    forwarded: 'for=198.51.100.1, for=127.0.0.1;host="shop.example:8443";proto=http',
  });
  const forwarded = 'for=198.51.100.1, for=127.0.0.1;host=app.localhost;proto=https';
  const nonsense = ['X-Forwarded-Proto: gopher', 'X-Forwarded-Host: a b', 'X-Forwarded-Port: 1'];
  assert.deepEqual(await told(t, chain, [from, ...nonsense]), { ...ours, forwarded });
});

test('whoever is not trusted is believed nothing, and trust in IPv6 is none in IPv4', async (t) => {
  const forwarded = 'for=127.0.0.1;host=app.localhost;proto=https';
  const ours = { for: '127.0.0.1', proto: 'https', host: 'app.localhost', forwarded };
  for (const networks of [[], ['10.0.0.0/8'], ['127.0.0.2/32'], ['2000::/3']] as const) {
    const chain = await trusting(t, ...networks);
    for (const claims of [
      ['X-Forwarded-For: 10.0.0.1', 'X-Forwarded-Proto: http', 'X-Forwarded-Host: evil.example'],
      ['Forwarded: for=10.0.0.1;proto=http;host=evil.example'],
    ]) {
      assert.deepEqual(await told(t, chain, claims), ours, networks.join());
    }
  }
});

test('an IPv4 network may be written as IPv4-mapped', async (t) => {
  const chain = await trusting(t, '::ffff:127.0.0.0/104');
  assert.equal((await told(t, chain, ['X-Forwarded-For: 198.51.100.1'])).for, '198.51.100.1, 127.0.0.1');
});

test('the client that a PROXY header names is believed no more than its own address is', async (t) => {
  const listen = { http: '127.0.0.1:0', https: ['127.0.0.1:0', { address: '127.0.0.1:0', proxyProtocol: true }] };
  const whole = await startChain(t, { config: { listen, trustedProxies: ['127.0.0.1', '10.0.0.0/8'] } });
  const chain = { ...whole, httpsPort: whole.server.addresses.https[1]!.port };
  const claims = ['X-Forwarded-For: 198.51.100.1'];
  const stranger = 'PROXY TCP4 192.0.2.1 203.0.113.9 56324 443\r\n';
  const known = 'PROXY TCP4 10.1.1.1 203.0.113.9 56324 443\r\n';
  assert.equal((await told(t, chain, claims, stranger)).for, '192.0.2.1');
  assert.equal((await told(t, chain, claims, known)).for, '198.51.100.1, 10.1.1.1');
  assert.equal((await told(t, chain, claims, 'PROXY UNKNOWN\r\n')).for, '198.51.100.1, 127.0.0.1');
});
