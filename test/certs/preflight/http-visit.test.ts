import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { type TestContext, test } from 'node:test';
import { visit } from '../../../src/certs/preflight/http-visit.ts';
import { refusedPort } from '../../support/refused-port.ts';
import { makeServerCertificate } from '../../support/server-certificate.ts';

async function listening(t: TestContext, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

const plain = (t: TestContext, answer: RequestListener): Promise<number> => listening(t, createServer(answer));
const go = async (http: number, https = http, timeoutMs = 10_000) => {
  const options = { name: 'a.example', address: '127.0.0.1', token: 'tok', expected: 'tok.secret' };
  const addressOf = async (host: string) => (host === 'nowhere.example' ? null : '127.0.0.1');
  const { outcome, redirects } = await visit({ ...options, ports: { http, https }, addressOf, timeoutMs });
  return { outcome, redirects };
};
const to =
  (location: string): RequestListener =>
  (_request, response) =>
    void response.writeHead(302, { location }).end();

test('asks as an authority does: the name as Host, the token in the path', async (t) => {
  const port = await plain(t, ({ url, headers }, response) => {
    const isRight = url === '/.well-known/acme-challenge/tok' && headers.host === 'a.example';
    response.end(isRight ? 'tok.secret\n' : `${headers.host} ${url}`);
  });
  assert.deepEqual(await go(port), { outcome: { kind: 'ours' }, redirects: [] });
});

test('another answer is another program, however long it is', async (t) => {
  const port = await plain(t, (_request, response) =>
    response.writeHead(200, { server: 'nginx' }).end('x'.repeat(1e6)),
  );
  assert.deepEqual((await go(port)).outcome, { kind: 'other', status: 200, server: 'nginx' });
});

test('a redirect to HTTPS is followed, whatever its certificate', async (t) => {
  const { certPem, keyPem } = await makeServerCertificate(['localhost']);
  const secure = createTlsServer({ cert: certPem, key: keyPem }, (_request, response) => response.end('tok.secret'));
  const https = await listening(t, secure);
  const http = await plain(t, to('https://www.a.example/tok'));
  assert.deepEqual(await go(http, https), { outcome: { kind: 'ours' }, redirects: ['https://www.a.example/tok'] });
});

test('redirects that authorities do not follow are told', async (t) => {
  const outcomes: string[] = [];
  for (const location of [
    'http://a.example:8080/',
    'ftp://a.example/',
    'http://[',
    'http://nowhere.example/',
    '/again',
  ])
    outcomes.push(JSON.stringify((await go(await plain(t, to(location)))).outcome));
  assert.match(
    outcomes.join('\n'),
    /port other than.*\n.*is not HTTP.*\n.*is no URL.*\n.*has no address.*\n.*more than ten redirects/,
  );
});

test('nobody there, silence, and a connection that is cut are told apart', async (t) => {
  assert.deepEqual((await go(await refusedPort(t))).outcome, {
    kind: 'silent',
    code: 'ECONNREFUSED',
    reason: 'the connection is refused: nothing listens there, or a firewall says no',
  });
  const silent = await listening(
    t,
    createTcpServer((socket) => void t.after(() => socket.destroy())),
  );
  assert.match(JSON.stringify(await go(silent, silent, 50)), /"ETIMEDOUT","reason":"no answer within 0\.05 s"/);
  const cutting = await listening(
    t,
    createTcpServer((socket) => socket.destroy()),
  );
  assert.match(JSON.stringify(await go(cutting)), /"silent"/);
});
