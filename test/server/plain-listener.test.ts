import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { type TestContext, test } from 'node:test';
import { connect as tlsConnect } from 'node:tls';
import { respondHandler } from '../../src/handlers/respond.ts';
import { HostTable } from '../../src/router/host-table.ts';
import { PathTable } from '../../src/router/path-table.ts';
import { plainHandler, secureHandler } from '../../src/server/dispatch.ts';
import type { Route } from '../../src/server/snapshot.ts';
import { startBareProxy } from '../support/bare-proxy.ts';
import { request } from '../support/chain.ts';
import { connectPlain } from '../support/peer.ts';
import { startProxy } from '../support/proxy-rig.ts';

async function start(t: TestContext) {
  const rig = await startProxy({
    sites: { 'app.localhost': { respond: 'secret' }, '*.dev.localhost': { respond: 'x' } },
  });
  t.after(() => rig.stop());
  const client = await connectPlain(rig.httpPort);
  t.after(() => client.destroy());
  const ask = async (text: string) => {
    await client.send(text);
    return client.message(text.startsWith('HEAD'));
  };
  return { ...rig, client, ask };
}

test('a configured host is sent to https with 308, its path and query kept, over one kept connection', async (t) => {
  const { ask, httpsPort } = await start(t);
  const base = `https://app.localhost:${httpsPort}`;
  const table: readonly (readonly [asked: string, location: string])[] = [
    [request('/'), `${base}/`],
    [request('/a/b?c=d&e'), `${base}/a/b?c=d&e`],
    [request('/a%2fb/%7e'), `${base}/a%2Fb/~`],
    [request('http://app.localhost/x'), `${base}/x`],
    [request('/', ['X: y']).replace('app.localhost', 'APP.localhost.:8080'), `${base}/`],
    [request('/').replace('app.localhost', 'a.dev.localhost'), `https://a.dev.localhost:${httpsPort}/`],
    [request('*', [], 'OPTIONS'), `${base}/`],
    [`${request('/', ['Content-Length: 5'], 'POST')}hello`, `${base}/`],
    [request('/', [], 'HEAD'), `${base}/`],
    // Not one of these may lead to another host.
    [request('//evil.example/'), `${base}//evil.example/`],
    [request('//evil.example/..'), `${base}//`],
    [request('/@evil.example/'), `${base}/@evil.example/`],
    [request('/?//evil.example'), `${base}/?//evil.example`],
    [request('/%0d%0aLocation:%20x'), `${base}/%0D%0ALocation:%20x`],
  ];
  for (const [asked, location] of table) {
    const response = await ask(asked);
    assert.equal(response.status, 308, asked);
    assert.deepEqual(response.fields('location'), [location]);
    assert.doesNotMatch(response.body, /secret/);
  }
});

test('a host that is not configured gets 404 and no Location', async (t) => {
  const { ask } = await start(t);
  for (const host of [
    'evil.example',
    'localhost',
    '127.0.0.1',
    'a.b.dev.localhost',
    'dev.localhost',
    'app.localhost.evil',
  ]) {
    const response = await ask(request().replace('app.localhost', host));
    assert.equal(response.status, 404, host);
    assert.deepEqual(response.fields('location'), [], host);
  }
});

test('hosts and targets that are doubtful are refused without a Location', async (t) => {
  const { httpPort } = await start(t);
  for (const text of [
    'GET / HTTP/1.1\r\n\r\n',
    request().replace('app.localhost', 'evil@app.localhost'),
    request().replace('app.localhost', 'app.localhost/evil'),
    request().replace('app.localhost', 'app.localhost#evil'),
    request().replace('app.localhost', 'evil\\app.localhost'),
    request('http://evil.example/'),
    request('http:/\\evil.example/'),
    request('/\\evil.example/'),
    request('\\\\evil.example'),
    request('app.localhost:443', [], 'CONNECT'),
  ]) {
    const client = await connectPlain(httpPort);
    t.after(() => client.destroy());
    await client.send(text);
    const response = await client.message();
    assert.ok(response.status === 400 || response.status === 501, text);
    assert.deepEqual(response.fields('location'), []);
  }
});

test('TLS on the plain port is refused', async (t) => {
  const { httpPort } = await start(t);
  const socket = tlsConnect({ port: httpPort, host: '127.0.0.1', servername: 'app.localhost' });
  const code = await new Promise((resolve) => socket.once('error', (error: { code?: string }) => resolve(error.code)));
  assert.match(String(code), /SSL|ECONNRESET|EPIPE/);
});

test('a challenge is answered before anything else, for its host and token only, on either listener', async (t) => {
  const sites = new HostTable(
    new Map([
      [
        'a.example',
        {
          host: 'a.example',
          tlsTerms: 'local',
          tally: null,
          routes: new PathTable([
            { path: '/*', value: { path: '/*', tally: null, handler: respondHandler(200, '', 'site') } },
          ]),
        },
      ],
    ]),
  );
  const challenges = {
    find: async () => null,
    answer: (host: string, token: string) => (host === 'a.example' && token === 'token-1' ? 'token-1.key' : null),
  };
  const services = { snapshot: () => ({ sites }), challenges };
  const path = '/.well-known/acme-challenge/';
  for (const handler of [plainHandler(services, () => 443), secureHandler(services)]) {
    const proxy = await startBareProxy(t, 1, handler);
    const client = await proxy.connect();
    const table: readonly (readonly [method: string, host: string, target: string, status: number])[] = [
      ['GET', 'a.example', `${path}token-1`, 200],
      ['HEAD', 'a.example', `${path}token-1`, 200],
      ['GET', 'A.example:80', `/x/..${path}token-1`, 200],
      ['POST', 'a.example', `${path}token-1`, 404],
      ['GET', 'b.example', `${path}token-1`, 404],
      ['GET', 'a.example', `${path}token-2`, 404],
      ['GET', 'a.example', `${path}token-1/`, 404],
      ['GET', 'a.example', path, 404],
      ['GET', 'a.example', `${path}..%2ftoken-1`, 400],
    ];
    for (const [method, host, target, status] of table) {
      await client.send(request(target, [], method).replace('app.localhost', host));
      const response = await client.message(method === 'HEAD');
      assert.equal(response.status, status, `${method} ${host}${target}`);
      assert.deepEqual(response.fields('location'), []);
      assert.equal(response.body === 'token-1.key', status === 200 && method === 'GET');
    }
  }
});

test('the redirect names the port that clients see, where that is another', async (t) => {
  const rig = await startProxy({
    listen: { http: '127.0.0.1:0', https: '127.0.0.1:0', redirectPort: 443 },
    sites: { 'app.localhost': { respond: 'secret' } },
  });
  t.after(() => rig.stop());
  const client = await connectPlain(rig.httpPort);
  t.after(() => client.destroy());
  await client.send(request('/x'));
  assert.deepEqual((await client.message()).fields('location'), ['https://app.localhost/x']);
});

test('without a port in the way, the redirect names none', async (t) => {
  const sites = new HostTable(
    new Map([['a.example', { host: 'a.example', tlsTerms: 'local', tally: null, routes: new PathTable<Route>([]) }]]),
  );
  const challenges = { find: async () => null, answer: () => null };
  const proxy = await startBareProxy(
    t,
    1,
    plainHandler({ snapshot: () => ({ sites }), challenges }, () => 443),
  );
  const client = await proxy.connect();
  await client.send(request('/x').replace('app.localhost', 'a.example'));
  assert.deepEqual((await client.message()).fields('location'), ['https://a.example/x']);
});

test('HTTP/2 with prior knowledge is spoken on a plain listener that says so, beside HTTP/1.1, and on no other', async (t) => {
  const sites = { 'app.localhost': { respond: 'secret' } };
  const speaking = await startProxy({
    sites,
    listen: { http: { address: '127.0.0.1:0', h2c: true }, https: '127.0.0.1:0' },
  });
  const plain = await startProxy({ sites });
  t.after(() => Promise.all([speaking.stop(), plain.stop()]));
  const session = connectHttp2(`http://127.0.0.1:${speaking.httpPort}`);
  t.after(() => session.destroy());
  const stream = session.request({ ':authority': 'app.localhost', ':path': '/a?b' });
  const [head] = await once(stream, 'response');
  assert.deepEqual([head[':status'], head.location], [308, `https://app.localhost:${speaking.httpsPort}/a?b`]);
  for (const { httpPort } of [speaking, plain]) {
    const client = await connectPlain(httpPort);
    await client.send('GE');
    await client.send('T / HTTP/1.1\r\nHost: app.localhost\r\n\r\n');
    assert.equal((await client.message()).status, 308);
    client.destroy();
  }
  // Bytes that could still become the preface, in pieces; elsewhere it is a version that is not spoken.
  const client = await connectPlain(plain.httpPort);
  await client.send('PRI * HTTP/2.0\r\n');
  await client.send('\r\nSM\r\n\r\n');
  assert.equal((await client.message()).status, 505);
  client.destroy();
});

test('whoever says nothing on a plain listener that waits for HTTP/2 is let go', async (t) => {
  const sites = { 'app.localhost': { respond: 'secret' } };
  const listen = { http: { address: '127.0.0.1:0', h2c: true }, https: '127.0.0.1:0' };
  const rig = await startProxy({ sites, listen, timeouts: { head: '100ms' } });
  t.after(() => rig.stop());
  for (const sent of ['', 'PRI * HTTP', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n']) {
    const client = await connectPlain(rig.httpPort);
    await client.send(sent);
    await client.end();
    client.destroy();
  }
});
