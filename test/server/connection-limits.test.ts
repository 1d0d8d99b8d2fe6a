// How many connections there may be, in all and from one address, and that each one that goes makes room, however it goes.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { request, startChain } from '../support/chain.ts';
import { connectPlain, connectSecure, type Peer } from '../support/peer.ts';
import { retry } from '../support/retry.ts';

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

const HALF_HELLO = Buffer.from('16030100c8010000c40303', 'hex');

test('every way of going makes room again', async (t) => {
  const chain = await startChain(t, {
    config: { limits: { connections: 4, connectionsPerAddress: 4 } },
    timeouts: { handshake: '200ms', keepAlive: '100ms', head: '100ms' },
    script: (asked, peer) => (asked.startLine.includes('/silent') ? null : peer.send('HTTP/1.1 200 OK\r\n\r\nhalf')),
  });
  const { httpsPort, httpPort } = chain;
  const leavesAs = async (peer: Peer, how: 'destroy' | 'reset'): Promise<void> => {
    peer[how]();
    await once(peer.socket, 'close');
  };
  const isCutOff = async (peer: Peer): Promise<void> => {
    await peer.end();
    peer.destroy();
  };
  const ways: Readonly<Record<string, () => Promise<unknown>>> = {
    'FIN before its handshake': async () => leavesAs(await connectPlain(httpsPort), 'destroy'),
    'RST before its handshake': async () => leavesAs(await connectPlain(httpsPort), 'reset'),
    'RST in its handshake': async () => {
      const peer = await connectPlain(httpsPort);
      await peer.send(HALF_HELLO);
      await leavesAs(peer, 'reset');
    },
    'a handshake that is never finished': async () => isCutOff(await connectPlain(httpsPort)),
    'an unknown name': () => assert.rejects(connectSecure(httpsPort, { servername: 'unknown.localhost' })),
    'no protocol in common': () => assert.rejects(connectSecure(httpsPort, { ALPNProtocols: ['h3'] })),
    'garbage in place of TLS': async () => {
      const peer = await connectPlain(httpsPort);
      await peer.send('\xff'.repeat(100));
      await isCutOff(peer);
    },
    'HTTP on the TLS port': async () => {
      const peer = await connectPlain(httpsPort);
      await peer.send(request());
      await isCutOff(peer);
    },
    'idling after the handshake': async () => isCutOff(await retryConnect(httpsPort)),
    'FIN while it waits': async () => {
      const peer = await retryConnect(httpsPort);
      await peer.send(request('/silent'));
      await leavesAs(peer, 'destroy');
    },
    'RST in its response': async () => {
      const peer = await retryConnect(httpsPort);
      await peer.send(request());
      await peer.until('half');
      await leavesAs(peer, 'reset');
    },
    'a redirect': async () => {
      const peer = await connectPlain(httpPort);
      await peer.send(request('/', ['Connection: close']));
      await isCutOff(peer);
    },
  };
  for (const [way, go] of Object.entries(ways)) {
    // Three at once, twice: if each kept its place, there would be none left.
    for (let times = 1; times <= 2; times++) {
      await Promise.all([go(), go(), go()]);
      await roomFor(httpPort, `after ${way}`);
    }
  }
});

test('behind a load balancer it is the clients that are counted, not the balancer', async (t) => {
  const listen = { http: { address: '127.0.0.1:0', proxyProtocol: true }, https: '127.0.0.1:0' };
  const config = { listen, trustedProxies: ['127.0.0.1'], limits: { connectionsPerAddress: 2 } };
  const { httpPort } = await startChain(t, { config });
  const from = async (address: string): Promise<Peer> => {
    const peer = await connectPlain(httpPort);
    t.after(() => peer.destroy());
    await peer.send(`PROXY TCP4 ${address} 203.0.113.9 1 2\r\n${request()}`);
    return peer;
  };
  const isServed = (peer: Peer): Promise<boolean> =>
    peer.message().then(
      ({ status }) => status === 308,
      () => false,
    );
  const open: Peer[] = [];
  for (const address of ['192.0.2.1', '192.0.2.1', '192.0.2.2', '192.0.2.2', '192.0.2.3']) {
    open.push(await from(address));
    assert.equal(await isServed(open.at(-1)!), true, address);
  }
  assert.equal(await isServed(await from('192.0.2.1')), false);
  open[0]!.destroy();
  for (let tries = 0; !(await isServed(await from('192.0.2.1'))); tries++) assert.ok(tries < 100, 'no room was made');
  assert.equal(await isServed(await from('192.0.2.2')), false);
});

/** Resolves once a connection is served. */
async function roomFor(port: number, when: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    const peer = await connectPlain(port);
    await peer.send(request('/', ['Connection: close'])).catch(() => {});
    const text = await peer.end();
    peer.destroy();
    if (text.startsWith('HTTP/1.1 308 ')) return;
    assert.ok(tries < 500, `no room ${when}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** The server learns of a closed connection a moment after the client closed it. */
function retryConnect(port: number): Promise<Peer> {
  return retry(() => connectSecure(port), { deadlineMs: 10_000 });
}
