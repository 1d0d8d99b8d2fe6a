// gRPC through the proxy when there is much of it: large messages, and many calls over one channel.
import { deepStrictEqual, ok, strictEqual } from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { ANY_LENGTH, CLEAR, type GrpcRig, SEALED, startGrpcRig } from '../support/grpc-rig.ts';
import { type GrpcServer, startGrpcServer } from '../support/grpc-server.ts';

const LARGE_BYTES = 20 * 1024 * 1024;
const CALLS = 1_000;
/** So many calls are held until all of them have reached the server. */
const AT_ONCE = 100;
/** A site whose server takes few calls on each connection, and how many come at once. */
const NARROW = 'narrow.localhost';
const NARROW_CALLS = 5;
const BURST = 50;

const digest = (message: Buffer): string => createHash('sha256').update(message).digest('hex');

describe('much gRPC', () => {
  let rig: GrpcRig;
  let narrow: GrpcServer;
  const called: string[] = [];
  before(async () => {
    const held: (() => void)[] = [];
    narrow = await startGrpcServer(
      { after: () => {} },
      {
        options: { 'grpc.max_concurrent_streams': NARROW_CALLS },
        methods: {
          say: (call, answer) => {
            called.push(String(call.request));
            held.push(() => answer(null, call.request));
            if (held.length === BURST) for (const each of held) each();
          },
        },
      },
    );
    rig = await startGrpcRig({ [NARROW]: `h2c://127.0.0.1:${narrow.port}` });
  });
  after(async () => {
    await rig?.stop();
    narrow?.stop();
  });

  test('a burst of calls to a server that nobody has called yet is made whole, each once, however few it takes', async (t) => {
    const client = rig.client(t, NARROW);
    const calls = Array.from({ length: BURST }, (_, i) => `call ${i}`);
    const deadline = Date.now() + 20_000;
    const outcomes = await Promise.all(calls.map((call) => client.say(call, undefined, { deadline }).outcome));
    deepStrictEqual(
      outcomes.map(({ messages, status: end }) => [end.code, String(messages[0])]),
      calls.map((call) => [status.OK, call]),
    );
    deepStrictEqual(called.toSorted(), calls.toSorted());
  });

  for (const site of [CLEAR, SEALED]) {
    test(`${site}: messages of 20 MiB pass whole both ways`, async (t) => {
      rig.serve({ say: (call, answer) => answer(null, call.request) });
      const message = randomBytes(LARGE_BYTES);
      const { messages, status: end } = await rig.client(t, site, ANY_LENGTH).say(message).outcome;
      strictEqual(end.code, status.OK, end.details);
      strictEqual(digest(messages[0]!), digest(message));
    });
  }

  test('streams of large messages pass each other in both directions at once', async (t) => {
    rig.serve({
      talk: (call) => {
        call.on('data', (message: Buffer) => void call.write(message));
        call.on('end', () => call.end());
      },
    });
    const client = rig.client(t, CLEAR, ANY_LENGTH);
    const sent = Array.from({ length: 4 }, () => Array.from({ length: 8 }, () => randomBytes(512 * 1024)));
    const outcomes = sent.map((messages) => {
      const { call, outcome } = client.talk();
      for (const message of messages) call.write(message);
      call.end();
      return outcome;
    });
    for (const [i, { messages, status: end }] of (await Promise.all(outcomes)).entries()) {
      strictEqual(end.code, status.OK, end.details);
      deepStrictEqual(messages.map(digest), sent[i]!.map(digest));
    }
  });

  test('a thousand calls over one channel, many at once, each get their own answer over few connections', async (t) => {
    const connections = new Set<string>();
    const held: (() => void)[] = [];
    rig.serve({
      say: (call, answer) => {
        connections.add(call.getPeer());
        const go = (): void => answer(null, Buffer.from(`${call.request}!`));
        if (held.length >= AT_ONCE) go();
        else if (held.push(go) === AT_ONCE) for (const each of held) each();
      },
    });
    const client = rig.client(t);
    const outcomes = await Promise.all(Array.from({ length: CALLS }, (_, i) => client.say(`call ${i}`).outcome));
    for (const [i, { messages, status: end }] of outcomes.entries())
      deepStrictEqual([end.code, String(messages[0])], [status.OK, `call ${i}!`], end.details);
    ok(connections.size <= 8, `${connections.size} connections to the server`);
  });
});
