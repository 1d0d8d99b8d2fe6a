// One request whose upstream misbehaves, and everything that must hold afterwards whatever it did: the next requests get
// their own answers, the connection is not used again, and nothing is left behind.
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { type Carrier, startBareProxy } from '../support/bare-proxy.ts';
import { post, request } from '../support/chain.ts';
import { handlesBackTo, liveHandles } from '../support/handles.ts';
import { ok, startOrigin } from '../support/origin.ts';
import type { Peer } from '../support/peer.ts';
import type { ReceivedMessage } from '../support/raw-message.ts';

export interface FaultOptions {
  /** Default plain. */
  readonly carrier?: Carrier;
  /** What the client sends; its path must be /bad. Default a GET. */
  readonly sends?: string;
  /** What is still missing of that in the end, sent ahead of the next request when the connection goes on. */
  readonly rest?: string;
  /** Called as soon as the origin has accepted the connection. */
  readonly onConnection?: (peer: Peer) => unknown;
  /** Called when the head of the request has come. */
  readonly onRequest?: (peer: Peer) => unknown;
}

export interface Outcome {
  /** The final response if it came whole, else null. */
  readonly answer: ReceivedMessage | null;
  /** Everything the client got in this exchange. */
  readonly text: string;
  /** How its connection ended; 'no' when it goes on. */
  readonly ended: Peer['ended'];
  /** Everything the origin got on the connection. */
  readonly asked: string;
}

export async function afterFault(t: TestContext, options: FaultOptions): Promise<Outcome> {
  const { carrier = 'plain', sends = request('/bad'), rest = '', onConnection, onRequest } = options;
  const origin = await startOrigin(t, (received, peer) =>
    received.startLine.includes('/bad') ? onRequest?.(peer) : peer.send(ok(received.startLine)),
  );
  const proxy = await startBareProxy(t, origin.port, undefined, carrier);
  const before = liveHandles();
  const client = await proxy.connect();
  const accepted = origin.connection(0).then((peer) => onConnection?.(peer));
  await client.send(sends);
  await accepted;
  let answer = await client.message().catch(() => null);
  while (answer !== null && answer.status < 200 && answer.status !== 101)
    answer = await client.message().catch(() => null);
  const isLast = answer === null || answer.status === 101 || answer.fields('connection').includes('close');
  if (isLast) await client.end();
  const { text, ended } = client;

  if (isLast) client.destroy();
  await origin.peers[0]!.end();
  const next = isLast ? await proxy.connect() : client;
  await next.send(isLast ? '' : rest, request('/next'), post('/next', 'x'));
  assert.equal((await next.message()).body, 'GET /next HTTP/1.1');
  assert.equal((await next.message()).body, 'POST /next HTTP/1.1');
  assert.equal(next.rest, '');
  assert.ok(origin.requests.filter(({ startLine }) => startLine.includes('/bad')).length <= 1, 'it is not repeated');
  assert.equal(origin.peers.length, 2, 'the connection is not used again, the next one is');
  assert.doesNotMatch(origin.peers[1]!.text, /bad/);
  assert.equal(proxy.target.inflight, 0);
  assert.equal(proxy.target.connections, 1);

  next.destroy();
  proxy.target.closeIdle();
  await proxy.idle();
  assert.deepEqual(proxy.faults, []);
  for (const peer of origin.peers) peer.destroy();
  await handlesBackTo(before);
  return { answer, text, ended, asked: origin.peers[0]!.text };
}
