import assert from 'node:assert/strict';
import { test } from 'node:test';
import { request, startChain } from '../support/chain.ts';

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
