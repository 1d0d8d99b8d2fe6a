import assert from 'node:assert/strict';
import { test } from 'node:test';
import { post, request, startChain } from '../support/chain.ts';
import { ok } from '../support/origin.ts';

const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n7;x=y\r\n, world\r\n0\r\n';

test('content of either framing arrives unchanged, both ways', async (t) => {
  const { connect, origin } = await startChain(t, {
    script: async (asked, peer) => {
      const body = (await peer.message()).body;
      if (asked.startLine.includes('/chunked')) await peer.send(`${CHUNKED}\r\n`);
      else await peer.send(ok(`got ${body}`));
    },
  });
  const client = await connect();
  await client.send(post('/', 'binary \x00\xff'));
  assert.equal((await client.message()).body, 'got binary \x00\xff');
  await client.send(`${request('/', ['Transfer-Encoding: chunked'], 'POST')}3\r\nabc\r\n2;ext\r\nde\r\n0\r\n\r\n`);
  assert.equal((await client.message()).body, 'got abcde');
  assert.deepEqual(origin.requests[1]!.fields('transfer-encoding'), ['chunked']);
  assert.deepEqual(origin.requests[1]!.fields('content-length'), []);
  await client.send(request('/chunked'));
  const response = await client.message();
  assert.equal(response.body, 'hello, world');
  assert.deepEqual(response.fields('content-length'), []);
  assert.equal(origin.peers.length, 1);
});

test('a request without content has no framing field, unless its method usually has content', async (t) => {
  const { connect, origin } = await startChain(t);
  const client = await connect();
  const lengths: string[] = [];
  for (const method of ['GET', 'HEAD', 'DELETE', 'OPTIONS', 'POST', 'PUT', 'PATCH']) {
    await client.send(request('/', [], method));
    await client.message(method === 'HEAD');
    const asked = origin.requests.at(-1)!;
    assert.deepEqual(asked.fields('transfer-encoding'), []);
    lengths.push(`${method} ${asked.fields('content-length')}`);
  }
  assert.deepEqual(lengths, ['GET ', 'HEAD ', 'DELETE ', 'OPTIONS ', 'POST 0', 'PUT 0', 'PATCH 0']);
});

test('trailers are passed on both ways, except those that must not come after content', async (t) => {
  const { connect, origin } = await startChain(t, {
    script: async (_asked, peer) => {
      await peer.message();
      await peer.send(`${CHUNKED}Checksum: 42\r\nContent-Length: 3\r\nSet-Cookie: a=b\r\n\r\n`);
    },
  });
  const client = await connect();
  const forged =
    'X-Forwarded-For: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\nX_Real_Ip: 6.6.6.6\r\nHost: evil\r\nmy_sum: 1\r\n';
  const head = request('/', ['Transfer-Encoding: chunked', 'TE: trailers', 'Connection: TE', 'Trailer: X-Sum'], 'POST');
  await client.send(`${head}2\r\nhi\r\n0\r\nX-Sum: 7\r\n${forged}\r\n`);
  const response = await client.message();
  assert.equal(response.body, 'hello, world');
  assert.deepEqual(response.trailers, ['Checksum: 42']);
  const asked = origin.requests[0]!;
  assert.deepEqual(asked.fields('te'), ['trailers']);
  assert.deepEqual(asked.fields('connection'), ['TE']);
  assert.match(origin.peers[0]!.text, /\r\n2\r\nhi\r\n0\r\nX-Sum: 7\r\n\r\n$/);
});

test('HEAD, 204 and 304 have no content, keep their declared length, and leave both connections in use', async (t) => {
  const answers: Readonly<Record<string, string>> = {
    '/length': 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n',
    '/chunked': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
    '/none': 'HTTP/1.1 200 OK\r\n\r\n',
    '/204': 'HTTP/1.1 204 No Content\r\n\r\n',
    '/304': 'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\n\r\n',
    '/304-length': 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n',
  };
  const { connect, origin } = await startChain(t, {
    script: (asked, peer) => void peer.send(answers[asked.startLine.split(' ')[1]!]!),
  });
  const client = await connect();
  for (const [method, target, length] of [
    ['HEAD', '/length', ['5']],
    ['HEAD', '/chunked', []],
    ['HEAD', '/none', []],
    ['GET', '/204', []],
    ['POST', '/204', []],
    ['GET', '/304', []],
    ['GET', '/304-length', ['5']],
  ] as const) {
    await client.send(request(target, [], method));
    const response = await client.message(true);
    assert.equal(response.status, Number(/\d+/.exec(target)?.[0] ?? 200));
    assert.deepEqual(response.fields('content-length'), length, `${method} ${target}`);
    assert.deepEqual(response.fields('transfer-encoding'), []);
    assert.equal(client.rest, '');
  }
  assert.equal(origin.peers.length, 1);
});

test('a client of HTTP/1.0 gets plain content until close, or a kept connection when it asks and the length is known', async (t) => {
  const { exchange, connect } = await startChain(t, {
    script: (asked, peer) => void peer.send(asked.startLine.includes('/chunked') ? `${CHUNKED}T: u\r\n\r\n` : ok()),
  });
  const alone = await (await exchange(request('/', [], 'GET', 'HTTP/1.0'))).message();
  assert.equal(alone.body, 'hello');
  assert.deepEqual(alone.fields('connection'), ['close']);

  const dechunked = await (
    await exchange(request('/chunked', ['Connection: keep-alive'], 'GET', 'HTTP/1.0'))
  ).message();
  assert.equal(dechunked.rawBody, 'hello, world');
  assert.deepEqual(dechunked.fields('transfer-encoding'), []);
  assert.deepEqual(dechunked.fields('connection'), ['close']);

  const client = await connect();
  for (let i = 0; i < 2; i++) {
    await client.send(request('/', ['Connection: Keep-Alive'], 'GET', 'HTTP/1.0'));
    const kept = await client.message();
    assert.equal(kept.body, 'hello');
    assert.deepEqual(kept.fields('connection'), ['keep-alive']);
  }
});

test('an upstream of HTTP/1.0, or one that ends content by closing, is understood', async (t) => {
  const { connect, origin } = await startChain(t, {
    script: async (asked, peer) => {
      const version = asked.startLine.includes('/1.0') ? '1.0' : '1.1';
      await peer.send(`HTTP/${version} 200 OK\r\nServer: old\r\n\r\nuntil close`);
      peer.finish();
    },
  });
  const client = await connect();
  for (const target of ['/1.0', '/1.1']) {
    await client.send(request(target));
    const response = await client.message();
    assert.equal(response.body, 'until close');
    assert.deepEqual(response.fields('server'), ['old']);
    assert.deepEqual(response.fields('transfer-encoding'), ['chunked']);
  }
  assert.equal(origin.peers.length, 2);
});

test('a request without a Host is served to HTTP/1.0 only when its target names the host', async (t) => {
  const { exchange, origin } = await startChain(t);
  assert.match((await exchange('GET / HTTP/1.0\r\n\r\n')).text, /^HTTP\/1\.1 400 /);
  assert.match((await exchange('GET http://app.localhost/ HTTP/1.0\r\n\r\n')).text, /^HTTP\/1\.1 200 /);
  assert.deepEqual(origin.requests[0]!.fields('host'), ['app.localhost']);
});
