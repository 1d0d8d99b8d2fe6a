// How gRPC calls through the proxy end when something goes wrong: each side hears of it, and nothing hangs.
import { deepStrictEqual, match, ok, strictEqual } from 'node:assert/strict';
import { once } from 'node:events';
import http2 from 'node:http2';
import { after, before, describe, test } from 'node:test';
import { Metadata, status } from '@grpc/grpc-js';
import { freePort } from '../support/free-port.ts';
import { type Gate, startGate } from '../support/gate.ts';
import { CLEAR, type GrpcRig, SEALED, startGrpcRig } from '../support/grpc-rig.ts';
import { startGrpcServer } from '../support/grpc-server.ts';

/** Its server stands behind a gate that can be shut, and may not be there. */
const FRAIL = 'frail.localhost';

describe('the ends of gRPC calls', () => {
  let rig: GrpcRig;
  let gate: Gate;
  /** Where the server behind the gate listens, when it does. */
  let frailPort: number;
  before(async () => {
    frailPort = await freePort();
    const gatePort = await freePort();
    gate = await startGate(gatePort);
    rig = await startGrpcRig({ [FRAIL]: `h2c://127.0.0.1:${gatePort}` });
  });
  after(async () => {
    await rig?.stop();
    await gate?.close();
  });

  /** Shuts the gate, cutting who went through, and opens it again. */
  const cut = async (): Promise<void> => {
    const { port } = gate;
    await gate.close();
    gate = await startGate(port);
    gate.open(frailPort);
  };

  for (const site of [CLEAR, SEALED]) {
    test(`${site}: a deadline that passes ends the call on both sides`, async (t) => {
      const begun = Promise.withResolvers<void>();
      const cancelled = Promise.withResolvers<void>();
      rig.serve({
        talk: (call) => {
          call.on('cancelled', () => cancelled.resolve());
          begun.resolve();
        },
      });
      const { call, outcome } = rig.client(t, site).talk(new Metadata(), { deadline: Date.now() + 1_000 });
      call.write(Buffer.from('x'));
      await begun.promise;
      strictEqual((await outcome).status.code, status.DEADLINE_EXCEEDED);
      await cancelled.promise;
    });

    test(`${site}: the server hears when the client gives up a call of any kind, and others go on`, async (t) => {
      const client = rig.client(t, site);
      let served = 0;
      let cancelled = 0;
      const changed = new EventTarget();
      const tell = (): void => void changed.dispatchEvent(new Event('change'));
      const hold = (call: NodeJS.EventEmitter): void => {
        served++;
        tell();
        call.on('cancelled', () => {
          cancelled++;
          tell();
        });
      };
      rig.serve({
        say: hold,
        gather: hold,
        spread: (call) => {
          hold(call);
          call.write(Buffer.from('begun'));
        },
        talk: (call) => {
          hold(call);
          call.on('data', (message: Buffer) => void call.write(message));
        },
      });
      const steady = client.talk();
      const calls = [client.say('x'), client.gather(), client.spread('x'), client.talk()];
      while (served < 5) await once(changed, 'change', { signal: AbortSignal.timeout(20_000) });
      for (const { call } of calls) call.cancel();
      for (const { outcome } of calls) strictEqual((await outcome).status.code, status.CANCELLED);
      while (cancelled < 4) await once(changed, 'change', { signal: AbortSignal.timeout(20_000) });

      const answer = once(steady.call, 'data');
      steady.call.write(Buffer.from('still there'));
      strictEqual(String((await answer)[0]), 'still there');
      strictEqual(cancelled, 4);
      steady.call.cancel();
    });
  }

  test('nobody listens: UNAVAILABLE with a message, at once; when somebody does, the same channel works', async (t) => {
    const client = rig.client(t, FRAIL);
    await gate.close();
    for (const { outcome } of [client.say('x'), client.spread('x'), client.talk()]) {
      const { head, status: end } = await outcome;
      strictEqual(end.code, status.UNAVAILABLE);
      match(end.details, /^The service behind this site did not answer properly\. Request id: \w+$/);
      strictEqual(head, null, 'a head that is also the end');
    }
    const server = await startGrpcServer(t, {
      methods: { say: (call, answer) => answer(null, call.request) },
      port: frailPort,
    });
    await cut();
    strictEqual((await client.say('hello').outcome).status.code, status.OK);
    server.stop();
  });

  test('a server that is killed before it answered is UNAVAILABLE, one in the middle of a stream a status, never silence', async (t) => {
    const client = rig.client(t, FRAIL);
    const begun = Promise.withResolvers<void>();
    const methods = {
      say: () => begun.resolve(),
      spread: (call: { write(message: Buffer): unknown }) => void call.write(Buffer.from('first')),
      talk: (call: { write(message: Buffer): unknown }) => void call.write(Buffer.from('first')),
    };
    const server = await startGrpcServer(t, { methods, port: frailPort });
    gate.open(frailPort);
    const unanswered = client.say('x');
    const streams = [client.spread('x'), client.talk()];
    await Promise.all([begun.promise, ...streams.map(({ call }) => once(call, 'data'))]);
    await cut();
    server.stop();
    strictEqual((await unanswered.outcome).status.code, status.UNAVAILABLE);
    for (const { outcome } of streams) {
      const { messages, status: end } = await outcome;
      deepStrictEqual(messages.map(String), ['first']);
      ok([status.INTERNAL, status.UNAVAILABLE].includes(end.code), `${end.code} ${end.details}`);
    }
  });

  test('each of the pings by which a client makes sure that the proxy is there is answered', async (t) => {
    const answered = Promise.withResolvers<void>();
    let pings = 0;
    const connect = http2.connect;
    t.mock.method(http2, 'connect', (...args: Parameters<typeof connect>) => {
      const session = connect(...args);
      const ping = session.ping.bind(session) as (answer: (error: Error | null) => void) => boolean;
      session.ping = ((answer: (error: Error | null, ...rest: unknown[]) => void) =>
        ping((error, ...rest: unknown[]) => {
          if (error !== null) answered.reject(error);
          else if (++pings === 10) answered.resolve();
          answer(error, ...rest);
        })) as typeof session.ping;
      return session;
    });
    rig.serve({
      talk: (call) => {
        call.on('data', (message: Buffer) => void call.write(message));
        call.on('end', () => call.end());
      },
    });
    const client = rig.client(t, CLEAR, { 'grpc.keepalive_time_ms': 20, 'grpc.keepalive_timeout_ms': 20_000 });
    const { call, outcome } = client.talk();
    call.write(Buffer.from('x'));
    await answered.promise;
    call.end();
    strictEqual((await outcome).status.code, status.OK);
  });

  test('SIGTERM: calls under way go on to their end, new ones are not taken, and the program ends with 0', async (t) => {
    rig.serve({
      talk: (call) => {
        call.on('data', (message: Buffer) => void call.write(message));
        call.on('end', () => call.end());
      },
    });
    const { call, outcome } = rig.client(t).talk();
    const echo = async (text: string): Promise<void> => {
      const answer = once(call, 'data');
      call.write(Buffer.from(text));
      strictEqual(String((await answer)[0]), text);
    };
    await echo('before');
    rig.proxy.signal('SIGTERM');
    await rig.proxy.logged(({ msg }) => msg.startsWith('stopping'));
    for (let i = 0; i < 20; i++) await echo(`after ${i}`);
    const late = rig.client(t).say('x', new Metadata(), { deadline: Date.now() + 20_000 });
    strictEqual((await late.outcome).status.code, status.UNAVAILABLE);
    strictEqual(rig.proxy.ended(), false);
    call.end();
    strictEqual((await outcome).status.code, status.OK);
    strictEqual(await rig.proxy.exited, 0);
  });
});
