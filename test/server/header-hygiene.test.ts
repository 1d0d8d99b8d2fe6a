import assert from 'node:assert/strict';
import { test } from 'node:test';
import { post, request, startChain } from '../support/chain.ts';
import { ok } from '../support/origin.ts';

const OURS = {
  'x-forwarded-for': ['127.0.0.1'],
  'x-forwarded-proto': ['https'],
  'x-forwarded-host': ['app.localhost'],
  forwarded: ['for=127.0.0.1;host=app.localhost;proto=https'],
  via: ['1.1 perantara'],
  host: ['app.localhost'],
};

test('the upstream gets the fields of the client as written, and ours', async (t) => {
  const { exchange, origin } = await startChain(t);
  const lines = ['X-Custom: a', 'x-custom: b', 'Accept: */*', 'Cookie: a=b', 'Authorization: Basic eDp5', 'Empty:'];
  await exchange(request('/', [...lines, '__proto__: x', 'constructor: y', 'Connection: close']));
  const asked = origin.requests[0]!;
  assert.match(
    asked.head,
    /\r\nX-Custom: a\r\nx-custom: b\r\nAccept: \*\/\*\r\nCookie: a=b\r\nAuthorization: Basic eDp5\r\nEmpty: \r\n/,
  );
  assert.deepEqual(asked.fields('constructor'), ['y']);
  assert.deepEqual(asked.fields('__proto__'), [], 'an underscore');
  for (const [name, values] of Object.entries(OURS)) assert.deepEqual(asked.fields(name), values, name);
});

test('fields that Connection names are removed, ours stay, and framing is unharmed (CVE-2024-45410, CVE-2026-29054)', async (t) => {
  const { connect, origin } = await startChain(t, {
    script: async (_asked, peer) => void peer.send(ok((await peer.message()).body)),
  });
  const named =
    'X-Forwarded-For, x-real-ip, AUTHORIZATION, Host, content-length, x-forwarded-proto, Forwarded, via, transfer-encoding';
  const client = await connect();
  for (const option of [named, named.toUpperCase(), named.toLowerCase()]) {
    await client.send(post('/', 'body', [`Connection: ${option}`, 'Authorization: x', 'X-Custom: kept']));
    assert.equal((await client.message()).body, 'body');
    const asked = origin.requests.at(-1)!;
    for (const [name, values] of Object.entries(OURS)) assert.deepEqual(asked.fields(name), values, name);
    assert.deepEqual(asked.fields('content-length'), ['4']);
    assert.deepEqual(asked.fields('authorization'), []);
    assert.deepEqual(asked.fields('connection'), []);
    assert.deepEqual(asked.fields('x-custom'), ['kept']);
  }
});

test("the client's own claims of who it is are replaced, in every spelling (CVE-2026-39858, CVE-2026-52845)", async (t) => {
  const { exchange, origin } = await startChain(t);
  const claims = [
    'X-Forwarded-For: 6.6.6.6',
    'x-forwarded-for: 6.6.6.7',
    'X_Forwarded_For: 6.6.6.6',
    'X.Forwarded.For: 6.6.6.6',
    'X-Forwarded_For: 6.6.6.6',
    'X_Forwarded_User: 6.6.6.6',
    'X-Forwarded-Prefix: //6.6.6.6',
    'X-Forwarded-Port: 6666',
    'X-Forwarded-Host: 6.6.6.6',
    'X-Forwarded-Proto: 6.6.6.6',
    'X-Forwarded-Server: 6.6.6.6',
    'Forwarded: for=6.6.6.6',
    'X-Real-IP: 6.6.6.6',
    'X_REAL_IP: 6.6.6.6',
    'Proxy: http://6.6.6.6',
    'Content_Length: 6666',
    'Transfer_Encoding: 6666',
  ];
  await exchange(request('/', [...claims, 'Connection: close']));
  const asked = origin.requests[0]!;
  assert.doesNotMatch(asked.head, /6\.6\.6|6666/);
  for (const [name, values] of Object.entries(OURS)) assert.deepEqual(asked.fields(name), values, name);
});

test('names with an underscore pass only when the config names them, and never as a claim', async (t) => {
  const config = { underscoreHeaders: ['x_request_id', 'X_Forwarded_For'] };
  const { exchange, origin } = await startChain(t, { config });
  await exchange(request('/', ['X_Request_ID: 1', 'x_other: 2', 'X_Forwarded_For: 6.6.6.6', 'Connection: close']));
  const asked = origin.requests[0]!;
  assert.deepEqual(asked.fields('x_request_id'), ['1']);
  assert.deepEqual(asked.fields('x_other'), []);
  assert.deepEqual(asked.fields('x_forwarded_for'), []);
});

test('hop-by-hop fields are removed both ways, and what a response says of itself is passed on', async (t) => {
  const hop = [
    'Keep-Alive: timeout=5',
    'Proxy-Connection: x',
    'Proxy-Authorization: x',
    'Proxy-Authenticate: x',
    'X-Hop: x',
  ];
  const { exchange, origin } = await startChain(t, {
    script: (_asked, peer) =>
      void peer.send(
        `HTTP/1.1 299 Quite Fine\r\nServer: theirs\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nx_under: score\r\n` +
          `Connection: X-Hop\r\nUpgrade: h2c\r\n${hop.join('\r\n')}\r\nContent-Length: 0\r\n\r\n`,
      ),
  });
  const client = await exchange(request('/', [...hop, 'TE: gzip', 'Upgrade: h2c', 'Connection: X-Hop, close']));
  const response = await client.message();
  const asked = origin.requests[0]!;
  for (const line of [...hop, 'TE: x', 'Upgrade: x']) {
    const name = line.split(':')[0]!;
    assert.deepEqual(asked.fields(name), [], `request ${name}`);
    assert.deepEqual(response.fields(name), [], `response ${name}`);
  }
  assert.equal(response.startLine, 'HTTP/1.1 299 Quite Fine');
  assert.deepEqual(response.fields('server'), ['theirs']);
  assert.deepEqual(response.fields('set-cookie'), ['a', 'b']);
  assert.deepEqual(response.fields('x_under'), ['score']);
  assert.deepEqual(response.fields('connection'), ['close']);
  assert.doesNotMatch(response.head, /perantara/i);
});

test('the path that the upstream gets is the one that was matched', async (t) => {
  const { exchange, origin } = await startChain(t, {
    site: { proxy: undefined, routes: { '/admin/*': { respond: 'guarded' } } },
  });
  const guarded = await startChain(t, {
    site: { proxy: undefined, routes: { '/admin/*': { respond: 'guarded' }, '/*': `http://127.0.0.1:${origin.port}` } },
  });
  assert.ok(exchange);
  const expected: readonly (readonly [target: string, seen: string])[] = [
    ['/admin/x', 'guarded'],
    ['/a/../admin/x', 'guarded'],
    ['/a/%2e%2e/admin/x', 'guarded'],
    ['/%61dmin/x', 'guarded'],
    ['/./admin/', 'guarded'],
    ['http://app.localhost/admin/x', 'guarded'],
    ['//admin/x', '//admin/x'],
    ['/a/..;/admin/x', '/a/..;/admin/x'],
    ['/%2561dmin/x', '/%2561dmin/x'],
    ['/a%2fb?q=%2e%2e/', '/a%2Fb?q=%2e%2e/'],
    ['http://app.localhost/x?y', '/x?y'],
    ['/..%2fadmin/x', '400'],
    ['/%2e%2e%5cadmin', '400'],
    ['/admin\\x', '400'],
    ['/a#/admin/x', '400'],
    ['/%00', '400'],
  ];
  for (const [target, seen] of expected) {
    const before = origin.requests.length;
    const { status, body } = await (await guarded.exchange(request(target, ['Connection: close']))).message();
    const outcome = origin.requests[before]?.startLine.split(' ')[1] ?? (status === 200 ? body : String(status));
    assert.equal(outcome, seen, target);
  }
});

test('a response without a date gets one, and a date that is there stays (RFC 9110 section 6.6.1)', async (t) => {
  const { exchange, origin } = await startChain(t, {
    script: (_asked, peer) =>
      void peer.send(
        `HTTP/1.1 200 OK\r\n${origin.requests.length === 1 ? '' : 'date: then\r\n'}Content-Length: 0\r\n\r\n`,
      ),
  });
  const undated = await (await exchange(request('/', ['Connection: close']))).message();
  assert.match(undated.fields('date')[0] ?? '', /^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/);
  const dated = await (await exchange(request('/', ['Connection: close']))).message();
  assert.deepEqual(dated.fields('date'), ['then']);
});
