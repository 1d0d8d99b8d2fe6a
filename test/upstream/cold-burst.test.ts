// Many requests with content at once to a target that nobody has spoken to yet, and that takes few at a time: content cannot be
// sent twice, so it is not taken from its client before it is known which connection takes it.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createSecureServer, createServer, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { TargetAddress } from '../../src/config/config.ts';
import { startBareProxy } from '../support/bare-proxy.ts';
import { openH2 } from '../support/h2-client.ts';
import { data, END_STREAM, HEADERS, MAX_CONCURRENT_STREAMS, settings, settingsAck } from '../support/h2-frames.ts';
import { headers, requestFields } from '../support/h2-headers.ts';
import { answerHello, type H2OriginOptions, type H2Script, startH2Origin } from '../support/h2-origin.ts';
import type { H2Peer } from '../support/h2-peer.ts';
import { originTls, secureTarget } from '../support/secure-origin.ts';

const BURST = 50;
const LIMIT = 5;

/** Says nothing by itself: an acknowledgement is not what a server begins with. */
const UNGREETED: H2OriginOptions = { settings: null, habits: { acknowledge: false } };

const clear = (port: number): TargetAddress => ({ kind: 'tcp', host: '127.0.0.1', port, protocol: 'h2c' });

/** A client that sends requests in one write, on streams 1, 3, …. Each: its content, or null for GET. */
async function start(t: TestContext, target: TargetAddress) {
  const proxy = await startBareProxy(t, target, undefined, 'h2c');
  const client = await openH2(t, proxy.port, { carrier: 'plain' });
  const ask = (contents: readonly (string | null)[]): number[] => {
    const streams = contents.map((_, i) => 2 * i + 1);
    const frames = contents.map((content, i) =>
      content === null
        ? headers(streams[i]!, requestFields(`/${i}`), END_STREAM)
        : Buffer.concat([headers(streams[i]!, requestFields(`/${i}`, 'POST')), data(streams[i]!, content, END_STREAM)]),
    );
    void client.send(...frames);
    return streams;
  };
  return { ...proxy, client, ask };
}

for (const scheme of ['h2c', 'https'] as const)
  test(`every upload of a cold burst is done once, however few a server takes at a time (node:http2, ${scheme})`, async (t) => {
    const done: string[] = [];
    const held: (() => void)[] = [];
    const sessions = new Set<unknown>();
    const serve = async (asked: Http2ServerRequest, answer: Http2ServerResponse): Promise<void> => {
      let content = '';
      for await (const chunk of asked.setEncoding('latin1')) content += chunk;
      done.push(content);
      sessions.add(asked.stream.session);
      // None makes room for another.
      held.push(() => answer.end(content));
      if (held.length === BURST) for (const each of held) each();
    };
    const options = { settings: { maxConcurrentStreams: LIMIT } };
    const server =
      scheme === 'h2c' ? createServer(options, serve) : createSecureServer({ ...options, ...originTls() }, serve);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    t.after(() => server.close());
    const { port } = server.address() as AddressInfo;
    const { client, ask, target, faults } = await start(t, scheme === 'h2c' ? clear(port) : secureTarget(port));
    const contents = Array.from({ length: BURST }, (_, i) => `content ${i}`);
    const answers = await Promise.all(ask(contents).map((stream) => client.response(stream)));
    assert.deepEqual(
      answers.map(({ status, body }) => `${status} ${body}`),
      contents.map((content) => `200 ${content}`),
    );
    assert.deepEqual(done.toSorted(), contents.toSorted());
    assert.equal(sessions.size, BURST / LIMIT);
    assert.equal(target.inflight, 0);
    assert.deepEqual(faults, []);
  });

test('what has content waits for SETTINGS, what has none does not', async (t) => {
  const held: (() => void)[] = [];
  const hold: H2Script = (...asked) => void held.push(() => answerHello(...asked));
  const origin = await startH2Origin(t, hold, UNGREETED);
  const { client, ask } = await start(t, clear(origin.port));
  const streams = ask(['content', null, null]);
  await origin.request(1);
  assert.deepEqual(
    origin.requests.map((asked) => asked.value(':path')),
    ['/1', '/2'],
  );
  void origin.peers[0]!.send(settings(), settingsAck());
  await origin.request(2);
  for (const answer of held) answer();
  for (const stream of streams) assert.equal((await client.response(stream)).status, 200);
  assert.equal(origin.requests[2]!.body, 'content');
  assert.equal(origin.peers.length, 1);
});

test('those that a connection turns out not to take go to others, as many to each as it takes', async (t) => {
  const origin = await startH2Origin(
    t,
    async (asked, peer, connection) => {
      if (asked.value(':method') === 'GET') return; // takes its place
      await peer.message(asked.stream);
      answerHello(asked, peer, connection);
    },
    UNGREETED,
  );
  const { client, ask } = await start(t, clear(origin.port));
  const [, , ...uploads] = ask([null, null, 'a', 'b', 'c', 'd', 'e']);
  await origin.request(1);
  for (let i = 0; i < 3; i++)
    void (await origin.connection(i)).send(settings([MAX_CONCURRENT_STREAMS, 3]), settingsAck());
  for (const stream of uploads) assert.equal((await client.response(stream)).status, 200);
  const heads = ({ frames }: H2Peer): number => frames.filter(({ type }) => type === HEADERS).length;
  assert.deepEqual(origin.peers.map(heads), [3, 3, 1]);
  assert.equal(origin.requests.map(({ body }) => body).join(''), 'abcde');
});

test('an upload is not begun on a target whose connections take nothing', async (t) => {
  const origin = await startH2Origin(t, answerHello, { settings: [[MAX_CONCURRENT_STREAMS, 0]] });
  const { client, ask, target, logged } = await start(t, clear(origin.port));
  const [stream] = ask(['content']);
  assert.equal((await client.response(stream!)).status, 502);
  assert.match(logged.join(), /takes no more requests on this connection/);
  assert.deepEqual([origin.peers.length, origin.requests.length, target.inflight], [3, 0, 0]);
  for (const peer of origin.peers) {
    await peer.end();
    peer.finish();
  }
  while (target.connections > 0) await new Promise(setImmediate);
});
