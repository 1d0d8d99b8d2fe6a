import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { startBareProxy } from '../support/bare-proxy.ts';
import { ok, startOrigin } from '../support/origin.ts';
import type { Peer } from '../support/peer.ts';

/** Sends the pieces so that each is read on its own. */
async function sendApart(peer: Peer, pieces: readonly string[]): Promise<void> {
  for (const piece of pieces) {
    await peer.send(piece);
    await turn();
    await turn();
  }
}

/** The text whole, in single bytes, and in two pieces at each byte. */
function cuts(text: string): string[][] {
  const inTwo = [...text].map((_, at) => [text.slice(0, at), text.slice(at)]);
  return [[text], [...text], ...inTwo.slice(1)];
}

const REQUESTS =
  'GET /1?a HTTP/1.1\r\nHost: a\r\n\r\n' +
  'POST /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2;x="y"\r\nhi\r\n1\r\n!\r\n0\r\nT: u\r\n\r\n' +
  'PUT /3 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n\r\n\r\n.';

test('pipelined requests get to the origin the same, and their answers back, wherever the connection cuts them', async (t) => {
  const origin = await startOrigin(t, async (asked, peer) => {
    const { body, trailers } = await peer.message();
    await peer.send(ok(JSON.stringify([asked.startLine, asked.fields('host'), body, trailers])));
  });
  const proxy = await startBareProxy(t, origin.port);
  for (const pieces of cuts(REQUESTS)) {
    const client = await proxy.connect();
    await sendApart(client, pieces);
    const answers = [await client.message(), await client.message(), await client.message()];
    assert.deepEqual(
      answers.map(({ status, body }) => [status, JSON.parse(body)]),
      [
        [200, ['GET /1?a HTTP/1.1', ['a'], '', []]],
        [200, ['POST /2 HTTP/1.1', ['a'], 'hi!', ['T: u']]],
        [200, ['PUT /3 HTTP/1.1', ['a'], '\r\n\r\n.', []]],
      ],
      JSON.stringify(pieces),
    );
    assert.equal(client.rest, '');
    client.destroy();
  }
  assert.deepEqual(proxy.faults, []);
  assert.equal(origin.peers.length, 1, 'the upstream connection stays clean');
});

const RESPONSE =
  'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n' +
  'HTTP/1.1 200 Fine\r\nDate: x\r\nTransfer-Encoding: chunked\r\n\r\n2;x="y"\r\nhi\r\n1\r\n!\r\n0\r\nT: u\r\n\r\n';

test('a response gets to the client the same wherever the upstream connection cuts it', async (t) => {
  const variants = cuts(RESPONSE);
  const origin = await startOrigin(t, (asked, peer) => sendApart(peer, variants[Number(/\d+/.exec(asked.startLine))]!));
  const proxy = await startBareProxy(t, origin.port);
  const client = await proxy.connect();
  for (const [index, pieces] of variants.entries()) {
    await client.send(`GET /${index} HTTP/1.1\r\nHost: a\r\nConnection: TE\r\nTE: trailers\r\n\r\n`);
    const [hints, answer] = [await client.message(), await client.message()];
    assert.equal(hints.head, 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n', JSON.stringify(pieces));
    const { head, body, trailers } = answer;
    const expected = ['HTTP/1.1 200 Fine\r\nDate: x\r\nTransfer-Encoding: chunked\r\n\r\n', 'hi!', ['T: u']];
    assert.deepEqual([head, body, trailers], expected, JSON.stringify(pieces));
    assert.equal(client.rest, '');
  }
  assert.deepEqual(proxy.faults, []);
  assert.equal(origin.peers.length, 1, 'the upstream connection stays clean');
});
