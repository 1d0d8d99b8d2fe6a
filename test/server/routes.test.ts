import assert from 'node:assert/strict';
import { test } from 'node:test';
import { post, request, startChain } from '../support/chain.ts';
import { ok } from '../support/origin.ts';

test('content over maxBody is 413: told by its length before it is read, or by count', async (t) => {
  const { exchange, connect, origin } = await startChain(t, {
    site: { maxBody: '10B' },
    script: async (_asked, peer) => void peer.send(ok((await peer.message()).body)),
  });
  const told = await exchange(request('/', ['Content-Length: 11', 'Expect: 100-continue'], 'POST'));
  assert.match(told.text, /^HTTP\/1\.1 413 /);
  assert.equal(origin.requests.length, 0);
  const chunked = request('/', ['Transfer-Encoding: chunked'], 'POST');
  for (const pieces of [[`${chunked}b\r\nhello world\r\n`], [chunked, ...'6\r\nhello \r\n5\r\nworld\r\n']]) {
    const counted = await exchange(...pieces);
    assert.match(counted.text, /^HTTP\/1\.1 413 /);
    await origin.peers.at(-1)!.end();
  }
  const client = await connect();
  await client.send(post('/', '10 bytes!!'));
  assert.equal((await client.message()).body, '10 bytes!!');
  await client.send(`${chunked}a\r\n10 bytes!!\r\n0\r\n\r\n`);
  assert.equal((await client.message()).body, '10 bytes!!');
});

test('redirects and fixed answers come from Perantara itself, with GET, HEAD and POST', async (t) => {
  const routes = {
    '/old': { redirect: '/new' },
    '/moved': { redirect: { to: 'https://other.example/x', status: 301 } },
    '/text': { respond: 'héllo' },
    '/gone': { respond: { status: 410, body: '<p>gone', type: 'text/html' } },
    '/empty': { respond: { status: 204 } },
  };
  const { connect, origin } = await startChain(t, { site: { proxy: undefined, routes } });
  const client = await connect();
  const expected: readonly (readonly [target: string, status: number, location: string[], body: string])[] = [
    ['/old', 302, ['/new'], 'Found: /new\n'],
    ['/moved?x', 301, ['https://other.example/x'], 'Moved Permanently: https://other.example/x\n'],
    ['/text', 200, [], 'h\xc3\xa9llo'],
    ['/gone', 410, [], '<p>gone'],
    ['/empty', 204, [], ''],
    ['/none', 404, [], ''],
  ];
  for (const [target, status, location, body] of expected) {
    await client.send(request(target));
    const response = await client.message();
    assert.equal(response.status, status, target);
    assert.deepEqual(response.fields('location'), location);
    if (status !== 404) assert.equal(response.body, body);
    const length = response.fields('content-length');
    await client.send(request(target, [], 'HEAD'), post(target, 'ignored'));
    const head = await client.message(true);
    assert.deepEqual(head.fields('content-length'), length);
    assert.equal((await client.message()).body.slice(0, 4), response.body.slice(0, 4));
  }
  assert.equal(origin.peers.length, 0);
});

test('a host that is not served is 421, a path without a route 404', async (t) => {
  const { connect } = await startChain(t, { site: { proxy: undefined, routes: { '/only/*': { respond: 'x' } } } });
  const client = await connect();
  for (const host of ['other.localhost', 'localhost', 'app.localhost.evil', '127.0.0.1', '[::1]']) {
    await client.send(request().replace('app.localhost', host));
    assert.equal((await client.message()).status, 421, host);
  }
  for (const host of ['APP.LocalHost', 'app.localhost.', 'app.localhost:8443', 'app.localhost:']) {
    await client.send(request('/only/').replace('app.localhost', host));
    assert.equal((await client.message()).status, 200, host);
  }
  for (const target of ['/', '/only', '/other/']) {
    await client.send(request(target));
    assert.equal((await client.message()).status, 404, target);
  }
  await client.send(request('*', [], 'OPTIONS'));
  assert.equal((await client.message()).status, 404);
});

test('the asterisk goes to the route of everything', async (t) => {
  const { exchange, origin } = await startChain(t);
  await exchange(request('*', ['Connection: close'], 'OPTIONS'));
  assert.equal(origin.requests[0]?.startLine, 'OPTIONS * HTTP/1.1');
});

test('an error page is HTML where HTML is asked for, else text, and carries the request id of the log', async (t) => {
  const { exchange, origin, logged } = await startChain(t);
  await origin.stop();
  for (const [accept, type] of [
    ['text/html,application/xhtml+xml,*/*;q=0.8', 'text/html; charset=utf-8'],
    ['*/*', 'text/plain; charset=utf-8'],
    ['application/json', 'text/plain; charset=utf-8'],
  ]) {
    const response = await (await exchange(request('/', [`Accept: ${accept}`, 'Connection: close']))).message();
    assert.equal(response.status, 502);
    assert.deepEqual(response.fields('content-type'), [type]);
    assert.deepEqual(response.fields('cache-control'), ['no-store']);
    const id = /Request id: ([0-9a-f]{16})/.exec(response.body)?.[1];
    assert.ok(
      logged.some((line) => JSON.parse(line).id === id),
      'the log has the id',
    );
    assert.doesNotMatch(response.body, /127\.0\.0\.1|ECONN/);
  }
});

test('every refusal of the codec is a small complete answer, after which the connection ends', async (t) => {
  const { exchange, origin } = await startChain(t);
  const host = 'Host: app.localhost\r\n';
  const expected: readonly (readonly [status: number, text: string])[] = [
    [400, 'GET / HTTP/1.1\r\n\r\n'],
    [400, `GET / HTTP/1.1\r\n${host}${host}\r\n`],
    [400, 'GET / HTTP/1.1\r\nHost: a b\r\n\r\n'],
    [400, 'GET / HTTP/1.1\r\nHost: user@app.localhost\r\n\r\n'],
    [400, 'GET / HTTP/1.1\r\nHost: app.localhost:99999\r\n\r\n'],
    [400, `GET http://other.localhost/ HTTP/1.1\r\n${host}\r\n`],
    [400, `GET http://app.localhost:1/ HTTP/1.1\r\n${host}\r\n`],
    [400, `GET http://user@app.localhost/ HTTP/1.1\r\n${host}\r\n`],
    [400, `GET app.localhost:443 HTTP/1.1\r\n${host}\r\n`],
    [400, `GET * HTTP/1.1\r\n${host}\r\n`],
    [501, `CONNECT app.localhost:443 HTTP/1.1\r\n${host}\r\n`],
    [501, `CONNECT / HTTP/1.1\r\n${host}\r\n`],
    [501, `POST / HTTP/1.1\r\n${host}Transfer-Encoding: gzip\r\n\r\n`],
    [505, `GET / HTTP/2.0\r\n${host}\r\n`],
    [414, `GET /${'a'.repeat(64 * 1024)} HTTP/1.1\r\n${host}\r\n`],
    [431, `GET / HTTP/1.1\r\n${host}a: ${'x'.repeat(40 * 1024)}\r\n\r\n`],
    [431, `GET / HTTP/1.1\r\n${host}${'a: b\r\n'.repeat(1000)}\r\n`],
  ];
  for (const [status, text] of expected) {
    const client = await exchange(text);
    const response = await client.message();
    assert.equal(response.status, status, text.slice(0, 80));
    assert.deepEqual(response.fields('connection'), ['close']);
    assert.match(response.body, /Request id: [0-9a-f]{16}\n$/);
    assert.equal(client.rest, '');
    assert.equal(client.ended, 'fin');
  }
  assert.equal(origin.peers.length, 0);
});
