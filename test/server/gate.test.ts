import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { connect as tlsConnect } from 'node:tls';
import { request, startChain } from '../support/chain.ts';
import { connectPlain, connectSecure, Peer } from '../support/peer.ts';

const LISTEN = {
  http: ['127.0.0.1:0', { address: '127.0.0.1:0', proxyProtocol: true }],
  https: ['127.0.0.1:0', { address: '127.0.0.1:0', proxyProtocol: true }],
};
const V1 = 'PROXY TCP4 192.0.2.1 203.0.113.9 56324 443\r\n';
const V2 = Buffer.from('0d0a0d0a000d0a515549540a2111000cc0000201cb007109dc0401bb', 'hex');
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

test('connections from one address are limited, and one that goes makes room', async (t) => {
  const chain = await startChain(t, { config: { limits: { connectionsPerAddress: 2 } } });
  const first = await chain.connect();
  const second = await chain.connect();
  await assert.rejects(connectSecure(chain.httpsPort));
  first.destroy();
  const third = await retryConnect(chain.httpsPort);
  t.after(() => third.destroy());
  for (const peer of [second, third]) {
    await peer.send(request('/'));
    assert.equal((await peer.message()).body, 'hello');
  }
});

test('connections in all are limited', async (t) => {
  const chain = await startChain(t, { config: { limits: { connections: 1 } } });
  const only = await retryConnect(chain.httpsPort);
  t.after(() => only.destroy());
  await assert.rejects(connectSecure(chain.httpsPort));
  await only.send(request('/'));
  assert.equal((await only.message()).body, 'hello');
});

/** The server learns of a closed connection a moment after the client closed it. */
async function retryConnect(port: number): Promise<Peer> {
  for (let tries = 0; tries < 100; tries++) {
    const peer = await connectSecure(port).catch(() => null);
    if (peer !== null) return peer;
  }
  throw new Error('no room was made');
}
