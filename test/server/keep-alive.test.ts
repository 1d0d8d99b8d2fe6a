import assert from 'node:assert/strict';
import { test } from 'node:test';
import { post, request, startChain } from '../support/chain.ts';
import { ok } from '../support/origin.ts';

test('one client connection and one upstream connection serve request after request', async (t) => {
  const { connect, origin } = await startChain(t, {
    script: (asked, peer) => void peer.send(ok(asked.startLine)),
  });
  const client = await connect();
  for (const target of ['/1', '/2', '/3']) {
    await client.send(request(target));
    const response = await client.message();
    assert.equal(response.body, `GET ${target} HTTP/1.1`);
    assert.deepEqual(response.fields('connection'), []);
  }
  assert.equal(origin.peers.length, 1);
});

test('the upstream connection of one client serves the next client', async (t) => {
  const { connect, origin } = await startChain(t);
  for (let i = 0; i < 3; i++) {
    const client = await connect();
    await client.send(request());
    assert.equal((await client.message()).body, 'hello');
    client.destroy();
  }
  assert.equal(origin.peers.length, 1);
});

test('a connection ends after the response when either side asks for it', async (t) => {
  const { exchange, connect, origin } = await startChain(t, {
    script: (_asked, peer) => void peer.send('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok'),
  });
  for (const option of ['close', 'Close', 'keep-alive, close']) {
    const response = await (await exchange(request('/', [`Connection: ${option}`]))).message();
    assert.deepEqual(response.fields('connection'), ['close']);
  }
  // What the upstream wants of its connection is no business of the client's.
  const client = await connect();
  for (let i = 0; i < 2; i++) {
    await client.send(request());
    assert.deepEqual((await client.message()).fields('connection'), []);
  }
  assert.equal(origin.peers.length, 5);
});

test('pipelined requests are answered in order, one at a time, however slow the answers are', async (t) => {
  const waiting: (() => void)[] = [];
  const { connect, origin } = await startChain(t, {
    script: (asked, peer) => void waiting.push(() => void peer.send(ok(asked.startLine.split(' ')[1]))),
  });
  const client = await connect();
  await client.send(request('/1') + request('/2') + request('/3'));
  for (const [index, target] of ['/1', '/2', '/3'].entries()) {
    await origin.request(index);
    assert.equal(origin.requests.length, index + 1, 'the next one waits');
    waiting[index]!();
    assert.equal((await client.message()).body, target);
  }
});

test('pipelined requests with content are kept apart, whole or in single bytes', async (t) => {
  const bodies: string[] = [];
  const { connect, origin } = await startChain(t, {
    script: (asked, peer) => void peer.send(ok(asked.startLine)),
  });
  const chunked = `${request('/2', ['Transfer-Encoding: chunked'], 'POST')}3\r\nabc\r\n0\r\n\r\n`;
  const wire = post('/1', 'hello') + chunked + request('/3') + post('/4', 'GET /evil HTTP/1.1\r\nHost: a\r\n\r\n');
  for (const pieces of [[wire], [...wire]]) {
    const client = await connect();
    await client.send(...pieces);
    for (const line of ['POST /1', 'POST /2', 'GET /3', 'POST /4']) {
      bodies.push((await client.message()).body);
      assert.equal(bodies.at(-1), `${line} HTTP/1.1`);
    }
    client.destroy();
  }
  assert.equal(origin.requests.length, 8);
});

test('pipelined requests beyond what is worth holding wait in the network, not in memory, and lose nothing', async (t) => {
  let isFirst = true;
  const { promise: held, resolve: hold } = Promise.withResolvers<() => void>();
  const { connect } = await startChain(t, {
    script: (asked, peer) => {
      const answer = () => void peer.send(ok(asked.startLine.split(' ')[1]));
      if (isFirst) hold(answer);
      else answer();
      isFirst = false;
    },
  });
  const count = 1_000;
  const client = await connect();
  const sent = client.send(
    Array.from({ length: count }, (_, i) => request(`/${i}`, ['Pad: '.padEnd(150, 'x')])).join(''),
  );
  (await held)();
  for (let i = 0; i < count; i++) assert.equal((await client.message()).body, `/${i}`);
  await sent;
});

test('an empty line between two requests is skipped, wherever it is cut', async (t) => {
  const { connect } = await startChain(t);
  const client = await connect();
  for (const gap of [['\r\n'], ['\r', '\n'], []]) {
    await client.send(...gap, request());
    assert.equal((await client.message()).status, 200);
  }
});

test('a client that closes its side still gets the answers to what it has sent', async (t) => {
  const { connect } = await startChain(t, { script: (asked, peer) => void peer.send(ok(asked.startLine)) });
  const client = await connect();
  await client.send(request('/1') + post('/2', 'body'));
  client.finish();
  assert.equal((await client.message()).body, 'GET /1 HTTP/1.1');
  assert.equal((await client.message()).body, 'POST /2 HTTP/1.1');
  await client.end();
  assert.equal(client.ended, 'fin');
});
