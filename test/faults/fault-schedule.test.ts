// Random requests against random faults of two upstreams, and a third that refuses every connection: whatever happens, nothing
// that may have been acted on is sent again, and every client gets its own answer or none.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isIdempotent } from '../../src/http/message.ts';
import { startBareProxy } from '../support/bare-proxy.ts';
import { request } from '../support/chain.ts';
import { type Origin, ok, startOrigin } from '../support/origin.ts';
import type { Peer } from '../support/peer.ts';
import { messageEnd } from '../support/raw-message.ts';
import { refusedPort } from '../support/refused-port.ts';

const RUNS = 80;

const FAULTS = [
  'none',
  'answers and closes',
  'answers and resets',
  'closes at the head',
  'resets at the head',
  'closes after all',
  'resets after all',
  'says 100 and closes',
  'closes in its head',
  'resets in its content',
  'answers early and closes',
] as const;
type Fault = (typeof FAULTS)[number];

interface Asked {
  readonly method: string;
  readonly content: 'none' | 'sized' | 'chunked';
  /** One for each time that an origin sees it. */
  readonly faults: readonly Fault[];
}

/** One time that an origin saw a request. */
interface Sighting {
  readonly isReused: boolean;
  readonly isComplete: boolean;
  readonly isAnswered: boolean;
}

async function act(fault: Fault, id: string, peer: Peer, answered: Set<string>): Promise<void> {
  if (!peer.socket.writable) return; // it left after the request before this one, which was on its way then
  const say = (text: string): Promise<void> => {
    answered.add(id);
    return peer.send(text);
  };
  if (fault === 'closes at the head') return peer.finish();
  if (fault === 'resets at the head') return peer.reset();
  if (fault !== 'answers early and closes') await peer.message();
  switch (fault) {
    case 'closes after all':
      return peer.finish();
    case 'resets after all':
      return peer.reset();
    case 'says 100 and closes':
      await say('HTTP/1.1 100 Continue\r\n\r\n');
      return peer.finish();
    case 'closes in its head':
      await say('HTTP/1.1 200 OK\r\nContent-');
      return peer.finish();
    case 'resets in its content':
      await say('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf');
      return peer.reset();
    default:
      await say(ok(id));
      if (fault === 'answers and resets') peer.reset();
      else if (fault !== 'none') peer.finish();
  }
}

/** What the origin saw of each request, by its id, in order. */
function sightings(origin: Origin, answered: ReadonlyMap<Peer, ReadonlySet<string>>): Map<string, Sighting[]> {
  const all = new Map<string, Sighting[]>();
  for (const peer of origin.peers) {
    for (let at = 0, count = 0; at !== -1 && at < peer.text.length; count++) {
      const id = /^[A-Z]+ \/(\d+) /.exec(peer.text.slice(at))?.[1];
      const end = messageEnd(peer.text, at, false, false);
      if (id !== undefined) {
        const isAnswered = answered.get(peer)?.has(id) === true;
        all.set(id, [...(all.get(id) ?? []), { isReused: count > 0, isComplete: end !== -1, isAnswered }]);
      }
      at = end;
    }
  }
  return all;
}

const mayRepeat = ({ method, content }: Asked): boolean => isIdempotent(method) && content === 'none';

function text({ method, content }: Asked, id: number): string {
  if (content === 'none') return request(`/${id}`, [], method);
  if (content === 'sized') return `${request(`/${id}`, ['Content-Length: 3'], method)}pay`;
  return `${request(`/${id}`, ['Transfer-Encoding: chunked'], method)}3\r\npay\r\n0\r\n\r\n`;
}

const asked = fc.record({
  method: fc.constantFrom('GET', 'PUT', 'DELETE', 'POST', 'PATCH'),
  content: fc.constantFrom<Asked['content']>('none', 'none', 'sized', 'chunked'),
  faults: fc.array(fc.constantFrom(...FAULTS, 'none' as const, 'none' as const), { minLength: 3, maxLength: 3 }),
});

test('under any schedule of faults, what may have been acted on is sent once, and answers go to those who asked', async () => {
  let repeated = 0;
  const run = async (clients: readonly (readonly Asked[])[]): Promise<void> => {
    const ends: (() => unknown)[] = [];
    const t = { after: (end: () => unknown) => void ends.push(end) };
    const all = clients.flat();
    const left = all.map(({ faults }) => [...faults]);
    const answered = new Map<Peer, Set<string>>();
    const script = (received: { readonly startLine: string }, peer: Peer): Promise<void> => {
      const id = /\/(\d+) /.exec(received.startLine)![1]!;
      if (!answered.has(peer)) answered.set(peer, new Set());
      return act(left[Number(id)]!.shift() ?? 'none', id, peer, answered.get(peer)!);
    };
    try {
      const origins = [await startOrigin(t, script), await startOrigin(t, script)];
      const proxy = await startBareProxy(t, [origins[0]!.port, await refusedPort(t), origins[1]!.port]);
      await Promise.all(
        clients.map(async (requests, index) => {
          const firstId = clients.slice(0, index).flat().length;
          let client = await proxy.connect();
          for (const [i, one] of requests.entries()) {
            const id = firstId + i;
            await client.send(text(one, id)).catch(() => {});
            let answer = await client.message().catch(() => null);
            while (answer?.status === 100) answer = await client.message().catch(() => null);
            assert.ok(answer !== null || client.ended !== 'no', 'neither an answer nor an end');
            if (answer?.status === 200) assert.equal(answer.body, String(id), 'an answer went astray');
            else if (answer !== null) assert.equal(answer.status, 502);
            // Others may meet a kept connection that its upstream has just closed, and must not be sent again.
            if (mayRepeat(one) && one.faults.every((fault) => fault === 'none')) assert.equal(answer?.status, 200);
            if (client.ended !== 'no' || answer === null || answer.fields('connection').includes('close')) {
              client.destroy();
              client = await proxy.connect();
            }
          }
          client.destroy();
        }),
      );
      const seen = origins.map((origin) => sightings(origin, answered));
      for (const [id, one] of all.entries()) {
        const mine = seen.flatMap((byId) => byId.get(String(id)) ?? []);
        if (!mayRepeat(one))
          assert.ok(mine.length <= 1, `${one.method} with ${one.content} was sent ${mine.length} times`);
        const doubtful = mine.filter(({ isReused, isAnswered }) => !isReused || isAnswered);
        assert.ok(doubtful.length <= 1, 'sent again after a new connection or an answer');
        assert.ok(mine.length <= 3);
        repeated += Math.max(0, mine.length - 1);
      }
      for (const { inflight } of proxy.targets) assert.equal(inflight, 0);
      assert.deepEqual(proxy.faults, []);
    } finally {
      for (const end of ends) await end();
    }
  };
  const clients = fc.array(fc.array(asked, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 3 });
  await fc.assert(fc.asyncProperty(clients, run), { numRuns: RUNS });
  assert.ok(repeated > 0, 'no request was ever repeated: nothing was tried');
});
