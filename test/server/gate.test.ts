import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { connect as tlsConnect } from 'node:tls';
import { request, startChain } from '../support/chain.ts';
import { connectPlain, Peer } from '../support/peer.ts';

const LISTEN = {
  http: ['127.0.0.1:0', { address: '127.0.0.1:0', proxyProtocol: true }],
  https: ['127.0.0.1:0', { address: '127.0.0.1:0', proxyProtocol: true }],
};
const V1 = 'PROXY TCP4 192.0.2.1 203.0.113.9 56324 443\r\n';
const V2 = Buffer.from('0d0a0d0a000d0a515549540a2111000cc0000201cb007109dc0401bb', 'hex');
const SIGNATURE = '0d0a0d0a000d0a515549540a';
const v2 = (rest: string): Buffer => Buffer.from(SIGNATURE + rest.replaceAll(' ', ''), 'hex');
const V2_LOCAL = Buffer.from('0d0a0d0a000d0a515549540a20000000', 'hex');

const startGated = async (t: TestContext, trustedProxies: readonly string[], timeouts: Record<string, string> = {}) => {
  const chain = await startChain(t, { config: { listen: LISTEN, trustedProxies }, timeouts });
  const { http, https } = chain.server.addresses;
  return { chain, plainPort: http[1]!.port, securePort: https[1]!.port };
};

/** TLS after `header`, which is sent alone or together with the ClientHello. */
async function connectBehind(t: TestContext, port: number, header: string | Buffer, together: boolean): Promise<Peer> {
  const raw = connect({ port, host: '127.0.0.1', noDelay: true });
  await once(raw, 'connect');
  if (together) raw.cork();
  raw.write(header);
  const socket = tlsConnect({ socket: raw, servername: 'app.localhost', rejectUnauthorized: false });
  if (together) raw.uncork();
  t.after(() => raw.destroy());
  await once(socket, 'secureConnect');
  return new Peer(socket);
}

test('behind a load balancer the client is who the PROXY header names, under TLS and in the clear', async (t) => {
  const { chain, plainPort, securePort } = await startGated(t, ['127.0.0.0/8']);
  for (const [header, client] of [
    [V1, '192.0.2.1'],
    [V2, '192.0.2.1'],
    [V2_LOCAL, '127.0.0.1'],
    ['PROXY UNKNOWN\r\n', '127.0.0.1'],
  ] as const) {
    for (const together of [false, true]) {
      const peer = await connectBehind(t, securePort, header, together);
      await peer.send(request('/'));
      assert.equal((await peer.message()).body, 'hello');
      assert.deepEqual(chain.origin.requests.at(-1)!.fields('x-forwarded-for'), [client]);
      peer.destroy();
    }
  }
  const peer = await connectPlain(plainPort);
  t.after(() => peer.destroy());
  await peer.send(V1 + request('/a'));
  assert.match((await peer.message()).head, /^HTTP\/1\.1 308 /);
});

test('without its header, with a broken one or a slow one, a connection is cut off unanswered', async (t) => {
  const { plainPort } = await startGated(t, ['127.0.0.1'], { handshake: '1s' });
  for (const start of [request('/'), 'PROXY TCP4 nonsense\r\n', '\x16\x03\x01', 'PROXY TCP4 192.0.2.1 ']) {
    const peer = await connectPlain(plainPort);
    await peer.send(start);
    assert.equal(await peer.end(), '');
  }
});

test('a sender that is not trusted is cut off, whatever it says', async (t) => {
  const { plainPort } = await startGated(t, ['10.0.0.0/8']);
  const peer = await connectPlain(plainPort);
  await peer.send(V1 + request('/')).catch(() => {});
  assert.equal(await peer.end(), '');
});

test('a PROXY header may be cut anywhere, and the ClientHello may come in the same segment as its last byte', async (t) => {
  const { chain, securePort } = await startGated(t, ['127.0.0.1']);
  for (const header of [Buffer.from(V1), V2]) {
    for (let cut = 1; cut < header.length; cut++) {
      const raw = connect({ port: securePort, host: '127.0.0.1', noDelay: true });
      t.after(() => raw.destroy());
      await once(raw, 'connect');
      raw.write(header.subarray(0, cut));
      for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate); // in this process the proxy has read it by then
      raw.cork();
      raw.write(header.subarray(cut));
      const socket = tlsConnect({ socket: raw, servername: 'app.localhost', rejectUnauthorized: false });
      raw.uncork();
      await once(socket, 'secureConnect');
      const peer = new Peer(socket);
      await peer.send(request());
      assert.equal((await peer.message()).body, 'hello');
      assert.deepEqual(chain.origin.requests.at(-1)!.fields('x-forwarded-for'), ['192.0.2.1'], `${cut}`);
      peer.destroy();
    }
  }
});

test('a version 2 header may name IPv6, carry TLVs, or name nobody that could be a TCP client', async (t) => {
  const { chain, securePort } = await startGated(t, ['127.0.0.1']);
  const ipv6 = '20010db8000000000000000000000001 20010db8000000000000000000000002 dc04 01bb';
  const table: readonly (readonly [header: Buffer, client: string])[] = [
    [v2(`21 21 0024 ${ipv6}`), '2001:db8::1'],
    [v2(`21 21 0024 00000000000000000000ffffc0000201 ${'00'.repeat(16)} dc04 01bb`), '192.0.2.1'],
    [v2(`21 11 0018 c0000201 cb007109 dc04 01bb 01 0009 687474702f312e3100`), '192.0.2.1'], // PP2_TYPE_ALPN
    [v2(`21 11 0fec c0000201 cb007109 dc04 01bb 04 0fdd ${'00'.repeat(0xfdd)}`), '192.0.2.1'], // PP2_TYPE_NOOP, as large as may be
    [v2(`20 11 000c c0000201 cb007109 dc04 01bb`), '127.0.0.1'], // LOCAL: its addresses are to be ignored
    [v2(`21 31 00d8 ${'2f746d70'.padEnd(432, '0')}`), '127.0.0.1'], // AF_UNIX
    [v2(`21 00 0000`), '127.0.0.1'], // UNSPEC
    [v2(`21 12 000c c0000201 cb007109 dc04 01bb`), '127.0.0.1'], // datagram
  ];
  for (const [header, client] of table) {
    for (const together of [false, true]) {
      const peer = await connectBehind(t, securePort, header, together);
      await peer.send(request());
      assert.equal((await peer.message()).body, 'hello');
      assert.deepEqual(chain.origin.requests.at(-1)!.fields('x-forwarded-for'), [client], header.toString('hex', 12));
      peer.destroy();
    }
  }
});

test('a header that cannot be believed cuts the connection off unanswered, under TLS as in the clear', async (t) => {
  const { plainPort, securePort, chain } = await startGated(t, ['127.0.0.1']);
  const broken = [
    'PROXY TCP4 192.0.2.1 203.0.113.9 56324 443\n',
    'PROXY TCP4 192.0.2.1 203.0.113.9 65536 443\r\n',
    `PROXY TCP4 192.0.2.1 ${'1'.repeat(120)}`,
    V1.toLowerCase(),
    `\r\n${V1}`,
    v2('11 11 000c c0000201 cb007109 dc04 01bb'), // version 1 in the binary form
    v2('23 11 000c c0000201 cb007109 dc04 01bb'), // unknown command
    v2('21 11 0008 c0000201 cb007109'), // shorter than its addresses
    v2('21 21 0010 20010db8000000000000000000000001'),
    v2('21 11 ffff'), // longer than is sensible
    Buffer.concat([V2.subarray(0, 11), Buffer.from('\r'), V2.subarray(12)]),
  ];
  for (const port of [plainPort, securePort]) {
    for (const header of broken) {
      const peer = await connectPlain(port);
      await peer.send(header, request()).catch(() => {});
      assert.equal(await peer.end(), '', JSON.stringify(header.toString('latin1')));
      peer.destroy();
    }
  }
  assert.equal(chain.origin.requests.length, 0);
});

test('a header that dribbles has one deadline', async (t) => {
  const { plainPort } = await startGated(t, ['127.0.0.1'], { handshake: '300ms' });
  const peer = await connectPlain(plainPort);
  for (let i = 0; peer.ended === 'no'; i++) {
    await peer.send('PROXY TCP4 192.0.2.1 203.0.113.9 56324 '.charAt(i) || '1').catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.equal(peer.text, '');
});

test('who is trusted to speak for clients is judged as IPv4 also where the listener has both families', async (t) => {
  const both = { address: '[::]:0', proxyProtocol: true };
  const config = (trustedProxies: readonly string[]) => ({
    listen: { http: both, https: '127.0.0.1:0' },
    trustedProxies,
  });
  for (const [network, status] of [
    ['127.0.0.0/8', '308'],
    ['::ffff:127.0.0.1/128', '308'],
    ['10.0.0.0/8', ''],
    ['::1/128', ''],
  ] as const) {
    const chain = await startChain(t, { config: config([network]) }).catch((error: Error) => error);
    if (chain instanceof Error) {
      t.diagnostic(`not tried: this machine cannot listen on both families (${chain.message})`);
      return;
    }
    const peer = await connectPlain(chain.httpPort);
    await peer.send(V1 + request('/', ['Connection: close'])).catch(() => {});
    assert.equal((await peer.end()).slice(9, 12), status, network);
    peer.destroy();
  }
});

test('an untrusted sender is cut off on the TLS listener too, and learns nothing of the site', async (t) => {
  const { securePort } = await startGated(t, ['10.0.0.0/8', '2001:db8::/32']);
  for (const header of [V1, V2, ''])
    await assert.rejects(connectBehind(t, securePort, header, true), header.toString());
});
