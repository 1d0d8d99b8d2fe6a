import assert from 'node:assert/strict';
import { test } from 'node:test';
import { post, startChain } from '../support/chain.ts';
import { refusedPort } from '../support/refused-port.ts';

const CALL = ['Content-Type: application/grpc+proto', 'TE: trailers'];
const WEB_CALL = ['Content-Type: application/grpc-web-text'];
/** One empty message. */
const MESSAGE = '\0\0\0\0\0';

test('a call whose target is down is answered with UNAVAILABLE in the head and no content', async (t) => {
  const site = { proxy: `http://127.0.0.1:${await refusedPort(t)}` };
  const chain = await startChain(t, { site });
  const client = await chain.connect();
  for (const [fields, type] of [
    [CALL, 'application/grpc+proto'],
    [WEB_CALL, 'application/grpc-web-text'],
  ] as const) {
    await client.send(post('/test.Echo/Say', MESSAGE, fields));
    const answer = await client.message();
    assert.equal(answer.status, 200);
    assert.equal(answer.body, '');
    assert.deepEqual(answer.fields('content-type'), [type]);
    assert.deepEqual(answer.fields('grpc-status'), ['14']);
    assert.match(
      answer.fields('grpc-message').join(),
      /^The service behind this site did not answer properly\. Request id: \w+$/,
    );
  }
});

test('a call that no target answers in time is UNAVAILABLE', async (t) => {
  const chain = await startChain(t, { script: () => {}, timeouts: { responseHead: '200ms' } });
  const client = await chain.connect();
  await client.send(post('/', MESSAGE, CALL));
  const answer = await client.message();
  assert.deepEqual([answer.status, answer.fields('grpc-status')], [200, ['14']]);
});

test('a call for a path without a route is UNIMPLEMENTED, one over maxBody RESOURCE_EXHAUSTED', async (t) => {
  const chain = await startChain(t, {
    site: { proxy: undefined, maxBody: '8B', routes: { '/test.Echo/*': `http://127.0.0.1:1` } },
  });
  const lost = await chain.exchange(post('/other.Echo/Say', MESSAGE, [...CALL, 'Connection: close']));
  assert.match(lost.text, /^HTTP\/1\.1 200 OK\r\n(.*\r\n)*grpc-status: 12\r\n/);
  const large = await chain.exchange(post('/test.Echo/Say', `${MESSAGE}12345`, CALL));
  assert.match(large.text, /^HTTP\/1\.1 200 OK\r\n(.*\r\n)*grpc-status: 8\r\n/);
});

test('for a host that is not served, a call is UNIMPLEMENTED and a browser’s gets the 421 itself', async (t) => {
  const chain = await startChain(t);
  const stranger = (fields: readonly string[]): string =>
    post('/', MESSAGE, [...fields, 'Connection: close']).replace('app.localhost', 'stranger.example');
  assert.match((await chain.exchange(stranger(CALL))).text, /^HTTP\/1\.1 200 OK\r\n(.*\r\n)*grpc-status: 12\r\n/);
  assert.match((await chain.exchange(stranger(WEB_CALL))).text, /^HTTP\/1\.1 421 /);
});

test('an answer of the upstream passes as it is, whatever its status', async (t) => {
  const chain = await startChain(t, {
    script: (_request, peer) => void peer.send('HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy'),
  });
  const client = await chain.connect();
  await client.send(post('/', MESSAGE, CALL));
  const answer = await client.message();
  assert.deepEqual([answer.status, answer.body, answer.fields('grpc-status')], [503, 'busy', []]);
});
