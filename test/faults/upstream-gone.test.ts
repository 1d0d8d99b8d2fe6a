// An upstream that leaves, in every phase, by FIN and by RST, with a client in the clear and under TLS. See upstream-fault.ts
// for what is checked in every case besides what the client got.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Carrier, startBareProxy } from '../support/bare-proxy.ts';
import { post, request } from '../support/chain.ts';
import { handlesBackTo, liveHandles } from '../support/handles.ts';
import { ok } from '../support/origin.ts';
import type { Peer } from '../support/peer.ts';
import { refusedPort } from '../support/refused-port.ts';
import { afterFault, type FaultOptions, type Outcome } from './upstream-fault.ts';

/** What the client must get: an error page, a response that it can tell is not whole, or all of it. */
type Result = 502 | 'cut off' | 'whole';

interface Phase {
  readonly when: string;
  readonly sends?: string;
  readonly rest?: string;
  /** Said before leaving. */
  readonly says?: string;
  /** What of the request is awaited before that. Default its head. */
  readonly awaits?: RegExp | 'nothing';
  readonly result: Result;
  /** After a reset, where that is another. */
  readonly afterReset?: Result;
}

const HEAD = 'HTTP/1.1 200 OK\r\n';
const SIZED = `${HEAD}Content-Length: 10\r\n\r\n`;
const CHUNKED = `${HEAD}Transfer-Encoding: chunked\r\n\r\n`;
const UPLOAD = request('/bad', ['Content-Length: 100'], 'POST');
/** What is missing of UPLOAD with `half`. */
const REST = 'x'.repeat(96);
const UPGRADE = request('/bad', ['Connection: Upgrade', 'Upgrade: x']);
const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n';

const PHASES: readonly Phase[] = [
  { when: 'as soon as it has accepted', awaits: 'nothing', result: 502 },
  { when: 'with the head of a GET', result: 502 },
  { when: 'with the head of an upload', sends: UPLOAD, rest: `half${REST}`, result: 502 },
  { when: 'in an upload', sends: `${UPLOAD}half`, rest: REST, awaits: /half$/, result: 502 },
  {
    when: 'in a chunked upload',
    sends: `${request('/bad', ['Transfer-Encoding: chunked'], 'POST')}5\r\nhel`,
    rest: 'lo\r\n0\r\n\r\n',
    awaits: /hel\r\n$/,
    result: 502,
  },
  { when: 'after a whole upload', sends: post('/bad', 'all of it'), awaits: /all of it$/, result: 502 },
  { when: 'before it answers an upgrade', sends: UPGRADE, result: 502 },
  { when: 'in its start line', says: 'HTTP/1.1 20', result: 502 },
  { when: 'in its head', says: `${HEAD}Content-`, result: 502 },
  { when: 'after an interim head', says: 'HTTP/1.1 100 Continue\r\n\r\n', result: 502 },
  { when: 'in an interim head', says: 'HTTP/1.1 103 Early Hints\r\nLink: <', result: 502 },
  { when: 'after its head', says: SIZED, result: 'cut off' },
  { when: 'in its content', says: `${SIZED}short`, result: 'cut off' },
  { when: 'after the head of a chunked response', says: CHUNKED, result: 'cut off' },
  { when: 'in a chunk size', says: `${CHUNKED}5\r\nshort\r\n5`, result: 'cut off' },
  { when: 'in a chunk', says: `${CHUNKED}10\r\nshort`, result: 'cut off' },
  { when: 'after a chunk', says: `${CHUNKED}5\r\nshort\r\n`, result: 'cut off' },
  { when: 'in the last chunk', says: `${CHUNKED}5\r\nshort\r\n0\r\n`, result: 'cut off' },
  { when: 'in the trailers', says: `${CHUNKED}5\r\nshort\r\n0\r\nA: b\r\n`, result: 'cut off' },
  { when: 'at the end of content until close', says: `${HEAD}\r\nshort`, result: 'whole', afterReset: 'cut off' },
  {
    when: 'in an early response to an upload',
    sends: `${UPLOAD}half`,
    says: `${SIZED}short`,
    awaits: /half$/,
    result: 'cut off',
  },
  { when: 'after its response', says: ok('short'), result: 'whole' },
  { when: 'after its chunked response', says: `${CHUNKED}5\r\nshort\r\n0\r\n\r\n`, result: 'whole' },
  { when: 'after a response without content', says: 'HTTP/1.1 204 No Content\r\n\r\n', result: 'whole' },
  {
    when: 'after an early response to an upload',
    sends: `${UPLOAD}half`,
    rest: REST,
    says: ok('short'),
    awaits: /half$/,
    result: 'whole',
  },
  { when: 'in a tunnel', sends: UPGRADE, says: `${SWITCH}short`, result: 'whole' },
];

for (const {
  when,
  sends = request('/bad'),
  rest = '',
  says = '',
  awaits = /\r\n\r\n$/,
  result,
  afterReset = result,
} of PHASES) {
  for (const how of ['finish', 'reset'] as const) {
    const expected = how === 'finish' ? result : afterReset;
    for (const carrier of ['plain', 'tls'] as const) {
      const named = `(${how === 'finish' ? 'FIN' : 'RST'}, client ${carrier})`;
      const leave = async (peer: Peer): Promise<void> => {
        if (awaits !== 'nothing') await peer.until(awaits);
        await peer.send(says);
        peer[how]();
      };
      test(`when an upstream leaves ${when}, its client gets ${expected} ${named}`, async (t) => {
        const act: FaultOptions = awaits === 'nothing' ? { onConnection: leave } : { onRequest: leave };
        check(await afterFault(t, { carrier, sends, rest, ...act }), expected, carrier);
      });
    }
  }
}

function check({ answer, text, ended }: Outcome, expected: Result, carrier: Carrier): void {
  if (expected === 'cut off') {
    assert.equal(answer, null);
    assert.match(text, /^HTTP\/1\.1 200 OK\r\n/);
    assert.doesNotMatch(text, /\r\n0\r\n\r\n$/);
    assert.equal(text.split('HTTP/1.1 ').length, 2, 'nothing that could be taken for another response');
    // Under TLS what is missing is the close_notify (RFC 9112 section 9.8), which Node does not tell.
    if (carrier === 'plain') assert.equal(ended, 'reset');
    else assert.notEqual(ended, 'no');
  } else if (expected === 'whole') {
    assert.match(answer!.startLine, / (200|204|101) /);
    if (answer!.status === 200) assert.equal(answer!.body, 'short');
    if (answer!.status === 101) assert.match(text, /\r\n\r\nshort$/);
  } else {
    assert.equal(answer?.status, expected);
    assert.match(answer!.body, /did not answer properly/);
  }
}

test('when nobody listens there, it is 502', async (t) => {
  const proxy = await startBareProxy(t, await refusedPort(t));
  const before = liveHandles();
  const client = await proxy.connect();
  for (const text of [request(), post('/', 'body')]) {
    await client.send(text);
    assert.equal((await client.message()).status, 502);
    assert.equal(proxy.target.inflight, 0);
  }
  while (proxy.target.connections > 0) await new Promise(setImmediate);
  client.destroy();
  await proxy.idle();
  assert.deepEqual(proxy.faults, []);
  await handlesBackTo(before);
});

for (const [what, stray] of [
  ['another response', ok('poison')],
  ['a single byte', '\0'],
  ['an empty line', '\r\n'],
] as const) {
  test(`${what} behind a complete response is dropped with the connection it came on`, async (t) => {
    const { answer, text } = await afterFault(t, { onRequest: (peer) => peer.send(ok('short') + stray) });
    assert.equal(answer?.body, 'short');
    assert.ok(text.endsWith('short'));
  });

  test(`${what} that comes on an idle connection is dropped with it`, async (t) => {
    const { answer, text } = await afterFault(t, {
      onRequest: async (peer) => {
        await peer.send(ok('short'));
        for (let i = 0; i < 20; i++) await new Promise(setImmediate);
        await peer.send(stray);
      },
    });
    assert.equal(answer?.body, 'short');
    assert.ok(text.endsWith('short'));
  });
}

for (const [method, head] of [
  ['HEAD', `${HEAD}Content-Length: 6\r\n\r\n`],
  ['GET', 'HTTP/1.1 204 No Content\r\n\r\n'],
  ['GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 6\r\n\r\n'],
] as const) {
  test(`content after a response that has none is dropped with its connection (${method}, ${head.slice(9, 12)})`, async (t) => {
    const { text } = await afterFault(t, {
      sends: request('/bad', ['Connection: close'], method),
      onRequest: (peer) => peer.send(`${head}poison`),
    });
    assert.doesNotMatch(text, /poison/);
    assert.match(text, /\r\n\r\n$/);
  });
}
