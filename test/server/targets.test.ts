import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { post, request, startChain } from '../support/chain.ts';
import { ok, type Script, startOrigin } from '../support/origin.ts';
import { connectSecure } from '../support/peer.ts';
import { startProxy } from '../support/proxy-rig.ts';
import { refusedPort } from '../support/refused-port.ts';
import { ORIGIN_AUTHORITY, ORIGIN_NAME, originTls } from '../support/secure-origin.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

async function connectThrough(t: TestContext, targets: readonly (number | string)[]) {
  const proxy = targets.map((target) => (typeof target === 'number' ? `http://127.0.0.1:${target}` : target));
  const rig = await startProxy({ sites: { 'app.localhost': { proxy } } });
  t.after(() => rig.stop());
  const client = await connectSecure(rig.httpsPort);
  t.after(() => client.destroy());
  return { client, rig };
}

const named =
  (name: string): Script =>
  (_asked, peer) =>
    void peer.send(ok(name));

test('targets are used in turn, each over its own kept connection', async (t) => {
  const origins = [
    await startOrigin(t, named('a')),
    await startOrigin(t, named('b')),
    await startOrigin(t, named('c')),
  ];
  const { client } = await connectThrough(t, [...origins.map(({ port }) => port)]);
  let answers = '';
  for (let i = 0; i < 7; i++) {
    await client.send(request());
    answers += (await client.message()).body;
  }
  assert.equal(answers, 'abcabca');
  assert.deepEqual(
    origins.map(({ peers }) => peers.length),
    [1, 1, 1],
  );
});

test('a target that refuses is passed over, also for POST with content, which arrives once and whole', async (t) => {
  const origin = await startOrigin(t, async (_asked, peer) => void peer.send(ok((await peer.message()).body)));
  const { client } = await connectThrough(t, [await refusedPort(t), origin.port]);
  for (const body of ['one', 'two', 'three']) {
    await client.send(post('/', body));
    assert.equal((await client.message()).body, body);
  }
  assert.equal(origin.requests.length, 3);
});

test('when all targets refuse, the answer is 502 and the client connection goes on', async (t) => {
  const { client, rig } = await connectThrough(t, [await refusedPort(t), await refusedPort(t)]);
  for (let i = 0; i < 2; i++) {
    await client.send(request());
    assert.equal((await client.message()).status, 502);
  }
  assert.equal(rig.logged.filter((line) => line.includes('ECONNREFUSED')).length, 4);
});

test('a name that does not resolve is 502', async (t) => {
  const { client } = await connectThrough(t, ['http://does-not-exist.invalid:80']);
  await client.send(request());
  assert.equal((await client.message()).status, 502);
});

test('a unix socket is a target', async (t) => {
  const path = join(await temporaryFolder(t), 'app.sock');
  const origin = await startOrigin(t, named('over unix'), { path });
  const { client } = await connectThrough(t, [`http://unix:${path}`]);
  for (let i = 0; i < 2; i++) {
    await client.send(request());
    assert.equal((await client.message()).body, 'over unix');
  }
  assert.equal(origin.peers.length, 1);
});

test('one address is as many targets as it has settings for TLS', async (t) => {
  const trust = join(await temporaryFolder(t), 'ca.pem');
  writeFileSync(trust, ORIGIN_AUTHORITY.certPem);
  const origin = await startOrigin(t, named('over TLS'), { tls: originTls([ORIGIN_NAME]) });
  const to = `https://127.0.0.1:${origin.port}`;
  const routes = {
    '/good/*': { proxy: { to, trust, servername: ORIGIN_NAME } },
    '/again/*': { proxy: [{ to, trust, servername: ORIGIN_NAME }] },
    '/name/*': { proxy: { to, trust, servername: 'other.test' } },
    '/usual/*': to,
    '/any/*': { proxy: { to, verify: false, http: 1.1 } },
  };
  const rig = await startProxy({ sites: { 'app.localhost': { routes } } });
  t.after(() => rig.stop());
  const client = await connectSecure(rig.httpsPort);
  t.after(() => client.destroy());
  const statuses: number[] = [];
  for (const path of ['/good/', '/name/', '/usual/', '/any/', '/again/', '/name/']) {
    await client.send(request(path));
    statuses.push((await client.message()).status);
  }
  assert.deepEqual(statuses, [200, 502, 502, 200, 200, 502]);
  assert.equal(origin.requests.length, 3);
});

/** Answers the first request of a connection, and ends the connection when the second has come. */
const closesOnSecond =
  (how: 'finish' | 'reset' | 'partial'): Script =>
  (asked, peer) => {
    if (asked.startLine.includes('/warm') || asked.fields('x-again').length > 0) void peer.send(ok('served'));
    else if (how === 'partial') void peer.send('HTTP').then(() => peer.finish());
    else peer[how]();
  };

for (const how of ['finish', 'reset'] as const) {
  test(`a GET whose kept connection ends without an answer is repeated once on a new one (${how})`, async (t) => {
    const { connect, origin } = await startChain(t, {
      script: (asked, peer, connection) => {
        if (asked.startLine.includes('/warm') || connection > 0) void peer.send(ok('served'));
        else peer[how]();
      },
    });
    const client = await connect();
    await client.send(request('/warm'));
    await client.message();
    await client.send(request('/again'));
    assert.equal((await client.message()).body, 'served');
    assert.deepEqual(
      origin.requests.map(({ startLine }) => startLine.split(' ')[1]),
      ['/warm', '/again', '/again'],
    );
  });

  test(`a GET is not repeated a second time, nor one that a new connection did not answer (${how})`, async (t) => {
    const { connect, origin } = await startChain(t, { script: closesOnSecond(how) });
    const client = await connect();
    await client.send(request('/warm'));
    await client.message();
    await client.send(request('/dead'));
    assert.equal((await client.message()).status, 502);
    assert.equal(origin.requests.length, 3, 'one on the kept connection, one on a new one');
    await client.send(request('/dead'));
    assert.equal((await client.message()).status, 502);
    assert.equal(origin.requests.length, 4, 'a new connection is not doubted');
    await client.send(request('/warm'));
    assert.equal((await client.message()).body, 'served');
  });

  for (const [what, text] of [
    ['POST', post('/dead', 'pay')],
    ['POST without content', request('/dead', [], 'POST')],
    ['PATCH', request('/dead', [], 'PATCH')],
    ['PUT with content', `${request('/dead', ['Content-Length: 3'], 'PUT')}pay`],
    ['GET with content', `${request('/dead', ['Content-Length: 3'])}pay`],
    ['GET with chunked content', `${request('/dead', ['Transfer-Encoding: chunked'])}0\r\n\r\n`],
  ] as const) {
    test(`a ${what} is never repeated (${how})`, async (t) => {
      const { connect, origin } = await startChain(t, { script: closesOnSecond(how) });
      const client = await connect();
      await client.send(request('/warm'));
      await client.message();
      await client.send(text);
      assert.equal((await client.message()).status, 502);
      assert.equal(origin.requests.length, 2);
      await client.send(request('/warm'));
      assert.equal((await client.message()).body, 'served');
    });
  }
}

test('nothing is repeated after a byte of an answer has come', async (t) => {
  const { connect, origin } = await startChain(t, { script: closesOnSecond('partial') });
  const client = await connect();
  await client.send(request('/warm'));
  await client.message();
  await client.send(request('/dead'));
  assert.equal((await client.message()).status, 502);
  assert.equal(origin.requests.length, 2);
});

test('a kept connection that the upstream closes while idle is not used again, not even for POST', async (t) => {
  const { connect, origin } = await startChain(t);
  const client = await connect();
  for (let i = 0; i < 3; i++) {
    await client.send(post('/', 'body'));
    assert.equal((await client.message()).body, 'hello');
    origin.peers[i]!.finish();
    await origin.peers[i]!.end();
  }
  assert.equal(origin.peers.length, 3);
});
