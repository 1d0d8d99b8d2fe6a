// What becomes of requests and responses between a client of HTTP/2 and an origin of HTTP/1.1 (RFC 9113 section 8).
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type BareProxy, startBareProxy } from '../support/bare-proxy.ts';
import { openH2 } from '../support/h2-client.ts';
import { DATA, END_STREAM, HEADERS, PADDED, padded } from '../support/h2-frames.ts';
import { type FieldPair, requestFields } from '../support/h2-headers.ts';
import type { H2Peer } from '../support/h2-peer.ts';
import { type Origin, ok, type Script, startOrigin } from '../support/origin.ts';

interface Rig {
  readonly origin: Origin;
  readonly proxy: BareProxy;
  readonly peer: H2Peer;
}

async function start(t: TestContext, script?: Script): Promise<Rig> {
  const origin = await startOrigin(t, script);
  const proxy = await startBareProxy(t, origin.port, undefined, 'h2c');
  return { origin, proxy, peer: await openH2(t, proxy.port, { carrier: 'plain' }) };
}

/** Nothing went wrong inside, and nothing stays when both sides go. */
async function isClean({ origin, proxy, peer }: Rig): Promise<void> {
  await peer.roundTrip();
  peer.destroy();
  for (const one of origin.peers) one.destroy();
  await proxy.idle();
  assert.deepEqual(proxy.faults, []);
  assert.equal(proxy.target.inflight, 0);
}

const DATE: FieldPair = ['date', 'x'];
const fieldsOf = (fields: readonly FieldPair[] | null, ...names: string[]): FieldPair[] =>
  (fields ?? []).filter(([name]) => names.includes(name));

test('responses without content have none, and end with their head', async (t) => {
  const answers: Record<string, string> = {
    '/head': 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n',
    '/head-chunked': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
    '/204': 'HTTP/1.1 204 No Content\r\nX-A: b\r\n\r\n',
    '/304': 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nETag: "x"\r\n\r\n',
    '/empty': 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
  };
  const rig = await start(t, ({ startLine }, peer) => peer.send(answers[startLine.split(' ')[1]!]!));
  const { peer } = rig;
  const lengths: Record<string, string | undefined> = { '/head': '5', '/304': '5', '/empty': '0' };
  for (const [i, path] of Object.keys(answers).entries()) {
    const stream = 2 * i + 1;
    peer.headers(stream, requestFields(path, path.startsWith('/head') ? 'HEAD' : 'GET'), END_STREAM);
    const answer = await peer.response(stream);
    assert.equal(answer.value('content-length'), lengths[path], path);
    const frames = peer.frames.filter((came) => came.stream === stream);
    assert.deepEqual(
      frames.map(({ type, flags }) => [type, flags]),
      [[HEADERS, END_STREAM | 4]],
      path,
    );
  }
  await isClean(rig);
});

test('trailers pass both ways, hop-by-hop ones do not', async (t) => {
  const rig = await start(t, async (_asked, peer) => {
    const { body, trailers, head } = await peer.message();
    assert.match(head, /\r\nTransfer-Encoding: chunked\r\n/);
    assert.deepEqual([body, trailers], ['hello', ['x-sum: 7']]);
    await peer.send(
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: Grpc-Status\r\n\r\n',
      '3\r\nabc\r\n0\r\nGrpc-Status: 0\r\nConnection: close\r\nContent-Length: 9\r\n\r\n',
    );
  });
  const { peer } = rig;
  peer.headers(1, requestFields('/', 'POST', [['te', 'trailers']]));
  peer.data(1, 'hel');
  peer.data(1, 'lo');
  const trailers: FieldPair[] = [
    ['x-sum', '7'],
    ['content-length', '5'],
    ['x_under', 'x'],
  ];
  peer.headers(1, trailers, END_STREAM);
  const answer = await peer.response(1);
  assert.deepEqual([answer.body, answer.trailers], ['abc', [['grpc-status', '0']]]);
  assert.match(rig.origin.requests[0]!.head, /\r\nTE: trailers\r\n/i);
  await isClean(rig);
});

test('100 and 103 pass as they come, 102 does not, and the request waits for none of them', async (t) => {
  const rig = await start(t, async (_asked, peer) => {
    await peer.send('HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n');
    await peer.send('HTTP/1.1 100 Continue\r\n\r\n');
    const { body } = await peer.message();
    await peer.send(ok(body));
  });
  const { peer } = rig;
  peer.headers(1, requestFields('/', 'POST', [['expect', '100-continue']]));
  await peer.when(() => peer.stream(1).informational.length === 2);
  const [hints, go] = peer.stream(1).informational;
  assert.deepEqual(
    [hints!.flat(), go!.flat()],
    [
      [':status', '103', 'link', '</a>'],
      [':status', '100'],
    ],
  );
  assert.match(rig.origin.requests[0]!.head, /\r\nExpect: 100-continue\r\n/i);
  peer.data(1, 'late', END_STREAM);
  assert.equal((await peer.response(1)).body, 'late');
  await isClean(rig);
});

test('cookie crumbs get to the origin as one field, in their order', async (t) => {
  const rig = await start(t);
  const { peer } = rig;
  const crumbs: FieldPair[] = [
    ['cookie', 'a=1'],
    ['x-between', 'x'],
    ['cookie', 'b=2; c=3'],
    ['cookie', 'd=4'],
  ];
  peer.headers(1, requestFields('/', 'GET', crumbs), END_STREAM);
  await peer.response(1);
  assert.deepEqual(rig.origin.requests[0]!.fields('cookie'), ['a=1; b=2; c=3; d=4']);
  await isClean(rig);
});

test('content that is not as long as declared is refused and never complete for the origin', async (t) => {
  const rig = await start(t, () => {});
  const { peer, origin } = rig;
  const declared: FieldPair[] = [['content-length', '5']];
  const wrong: (readonly [sent: () => void, what: string])[] = [
    [() => peer.data(1, 'abcdef'), 'more'],
    [() => peer.data(3, 'abcd', END_STREAM), 'less'],
    [() => peer.headers(5, [['x-trailer', 'x']], END_STREAM), 'less, with trailers'],
    [() => peer.frame(DATA, PADDED | END_STREAM, 7, padded('abcd', 1)), 'padding is no content'],
  ];
  for (const [i, [send, what]] of wrong.entries()) {
    const stream = 2 * i + 1;
    peer.headers(stream, requestFields(`/${stream}`, 'POST', declared));
    await origin.request(i);
    send();
    assert.equal(await peer.resetOf(stream), 'PROTOCOL_ERROR', what);
    await origin.peers[i]!.end();
    assert.equal(origin.peers[i]!.text.endsWith('abcdef'), false);
  }
  peer.headers(9, requestFields('/9', 'POST', declared));
  peer.frame(DATA, PADDED, 9, padded('abc', 200));
  peer.frame(DATA, PADDED | END_STREAM, 9, padded('de', 0));
  await origin.request(4);
  assert.equal((await origin.peers[4]!.message()).body, 'abcde');
  await isClean(rig);
});

test('a client that cancels ends the connection to the origin, and nobody else’s', async (t) => {
  const rig = await start(t, async ({ startLine }, peer) => {
    if (startLine.includes('/other')) await peer.message().then(({ body }) => peer.send(ok(body)));
    else if (startLine.includes('/started')) await peer.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello');
  });
  const { peer, origin, proxy } = rig;
  peer.headers(1, requestFields('/other', 'POST'));
  await origin.request(0);
  for (const [i, path] of ['/waiting', '/started'].entries()) {
    const stream = 2 * i + 3;
    peer.headers(stream, requestFields(path), END_STREAM);
    await origin.request(i + 1);
    if (path === '/started') await peer.when(() => peer.stream(stream).received === 5);
    peer.send(Buffer.from([0, 0, 4, 3, 0, 0, 0, 0, stream, 0, 0, 0, 8]));
    await origin.peers[i + 1]!.end();
  }
  assert.equal(proxy.target.inflight, 1);
  peer.data(1, 'still here', END_STREAM);
  assert.equal((await peer.response(1)).body, 'still here');
  await isClean(rig);
});

test('an origin that breaks off in the middle breaks off the stream, which never looks complete', async (t) => {
  const cuts: Record<string, string> = {
    '/length': 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello',
    '/chunked': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n',
    '/malformed': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nx\r\n',
  };
  for (const how of ['finish', 'reset'] as const) {
    const rig = await start(t, async ({ startLine }, peer) => {
      await peer.send(cuts[startLine.split(' ')[1]!]!);
      peer[how]();
    });
    const { peer } = rig;
    for (const [i, path] of Object.keys(cuts).entries()) {
      const stream = 2 * i + 1;
      peer.headers(stream, requestFields(path), END_STREAM);
      const message = peer.stream(stream);
      await peer.when(() => message.ended || message.reset !== null);
      // A reset may overtake what was sent before it.
      if (how === 'reset' && message.status === 502) continue;
      assert.deepEqual([message.ended, message.reset], [false, 'INTERNAL_ERROR'], path);
    }
    await isClean(rig);
  }
});

test('an answer before the end of its request gets to the client, which is then told to stop', async (t) => {
  const rig = await start(t, (_asked, peer) => peer.send('HTTP/1.1 413 No\r\nContent-Length: 2\r\n\r\nno'));
  const { peer, origin } = rig;
  peer.headers(1, requestFields('/', 'POST'));
  const answer = await peer.response(1);
  assert.deepEqual([answer.status, answer.body], [413, 'no']);
  await origin.peers[0]!.end();
  for (let sent = 0; sent < 3 && peer.rst(1) === null; sent++) {
    peer.data(1, 'x'.repeat(10_000));
    await peer.roundTrip();
  }
  assert.equal(peer.rst(1), 'NO_ERROR');
  peer.data(1, 'x'.repeat(10_000), END_STREAM); // on its way: no error
  await isClean(rig);
  assert.equal(peer.goaway, null);
});

test('a response keeps its fields but for what belongs to its connection', async (t) => {
  const rig = await start(t, (_asked, peer) =>
    peer.send(
      'HTTP/1.1 200 Fine\r\nDate: x\r\nSet-Cookie: a=1\r\nX-A:  b \r\nSet-Cookie: b=2\r\nConnection: X-Own\r\nX-Own: 1\r\n',
      'Keep-Alive: timeout=5\r\nTransfer-Encoding: chunked\r\nX-Bytes: \xe9\r\n\r\n0\r\n\r\n',
    ),
  );
  const { peer } = rig;
  peer.headers(1, requestFields(), END_STREAM);
  const { fields } = await peer.response(1);
  assert.deepEqual(fields, [
    [':status', '200'],
    DATE,
    ['set-cookie', 'a=1'],
    ['x-a', 'b'],
    ['set-cookie', 'b=2'],
    ['x-bytes', '\xe9'],
  ]);
  assert.deepEqual(fieldsOf(fields, 'connection', 'keep-alive', 'transfer-encoding'), []);
  await isClean(rig);
});
