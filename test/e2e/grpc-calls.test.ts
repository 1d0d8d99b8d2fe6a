// gRPC's four kinds of calls through the proxy, by @grpc/grpc-js on both sides, to a server in the clear and to one with TLS.
import { deepStrictEqual, match, ok, strictEqual } from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Metadata, type MetadataValue, status } from '@grpc/grpc-js';
import { CLEAR, type GrpcRig, SEALED, startGrpcRig } from '../support/grpc-rig.ts';

const EVERY_BYTE = Buffer.from(Array.from({ length: 256 }, (_, i) => i));

function metadataOf(fields: readonly (readonly [string, MetadataValue])[]): Metadata {
  const metadata = new Metadata();
  for (const [key, value] of fields) metadata.add(key, value);
  return metadata;
}

const texts = (messages: readonly Buffer[]): string[] => messages.map(String);

describe('gRPC calls', () => {
  let rig: GrpcRig;
  before(async () => {
    rig = await startGrpcRig();
  });
  after(() => rig?.stop());

  for (const [site, how] of [
    [CLEAR, 'server in the clear'],
    [SEALED, 'server by TLS'],
  ] as const) {
    test(`${how}: a unary call: message, metadata and what the proxy says about the client arrive, and the answer’s come back`, async (t) => {
      let received: Metadata | null = null;
      let host = '';
      rig.serve({
        say: (call, answer) => {
          received = call.metadata;
          host = call.getHost();
          call.sendMetadata(
            metadataOf([
              ['x-head', 'early'],
              ['x-head-bin', EVERY_BYTE],
            ]),
          );
          const trailers = metadataOf([
            ['x-end', 'late'],
            ['x-end-bin', EVERY_BYTE],
            ['x-end-bin', Buffer.from([0])],
          ]);
          answer(null, Buffer.concat([call.request, EVERY_BYTE]), trailers);
        },
      });
      const asked = metadataOf([
        ['x-text', 'a, b'],
        ['x-raw-bin', EVERY_BYTE],
        ['x-raw-bin', Buffer.alloc(0)],
      ]);
      const { messages, head, status: end } = await rig.client(t, site).say('hello', asked).outcome;
      strictEqual(end.code, status.OK);
      deepStrictEqual(messages, [Buffer.concat([Buffer.from('hello'), EVERY_BYTE])]);
      deepStrictEqual(received!.get('x-text'), ['a, b']);
      deepStrictEqual(received!.get('x-raw-bin'), [EVERY_BYTE, Buffer.alloc(0)]);
      deepStrictEqual(received!.get('x-forwarded-for'), ['127.0.0.1']);
      deepStrictEqual(received!.get('x-forwarded-proto'), ['https']);
      match(String(received!.get('user-agent')), /^grpc-node-js/);
      strictEqual(host, `${site}:${rig.proxy.httpsPort}`);
      deepStrictEqual(head?.get('x-head'), ['early']);
      deepStrictEqual(head?.get('x-head-bin'), [EVERY_BYTE]);
      deepStrictEqual(end.metadata.get('x-end'), ['late']);
      deepStrictEqual(end.metadata.get('x-end-bin'), [EVERY_BYTE, Buffer.from([0])]);
    });

    test(`${how}: an empty message is a message`, async (t) => {
      rig.serve({ say: (call, answer) => answer(null, call.request) });
      const { messages, status: end } = await rig.client(t, site).say('').outcome;
      deepStrictEqual([messages, end.code], [[Buffer.alloc(0)], status.OK]);
    });

    test(`${how}: client streaming: every message arrives in order, then one answer`, async (t) => {
      const received: string[] = [];
      rig.serve({
        gather: (call, answer) => {
          call.on('data', (message: Buffer) => received.push(String(message)));
          call.on('end', () => answer(null, Buffer.from(`${received.length} messages`)));
        },
      });
      const { call, outcome } = rig.client(t, site).gather();
      const sent = Array.from({ length: 200 }, (_, i) => `message ${i}`);
      for (const message of sent) call.write(Buffer.from(message));
      call.end();
      const { messages, status: end } = await outcome;
      strictEqual(end.code, status.OK);
      deepStrictEqual(texts(messages), ['200 messages']);
      deepStrictEqual(received, sent);
    });

    test(`${how}: server streaming: the head comes before the first message, each message when it is sent, and all in order`, async (t) => {
      const heard = Promise.withResolvers<void>();
      rig.serve({
        spread: async (call) => {
          call.sendMetadata(metadataOf([['x-head', String(call.request)]]));
          await headCame.promise;
          call.write(Buffer.from('first'));
          await heard.promise;
          for (let i = 0; i < 200; i++) call.write(Buffer.from(`message ${i}`));
          call.end(metadataOf([['x-end', 'done']]));
        },
      });
      const headCame = Promise.withResolvers<void>();
      const { call, outcome } = rig.client(t, site).spread('go');
      call.once('metadata', () => headCame.resolve());
      call.once('data', () => heard.resolve());
      const { messages, head, status: end } = await outcome;
      deepStrictEqual(head?.get('x-head'), ['go']);
      deepStrictEqual(texts(messages), ['first', ...Array.from({ length: 200 }, (_, i) => `message ${i}`)]);
      deepStrictEqual([end.code, end.metadata.get('x-end')], [status.OK, ['done']]);
    });

    test(`${how}: bidirectional streaming: each side answers the other, a hundred times, and both end`, async (t) => {
      let ended = false;
      rig.serve({
        talk: (call) => {
          call.on('data', (message: Buffer) => void call.write(Buffer.from(`${message}!`)));
          call.on('end', () => {
            ended = true;
            call.end();
          });
        },
      });
      const { call, outcome } = rig.client(t, site).talk();
      let said = 0;
      call.on('data', (message: Buffer) => {
        strictEqual(String(message), `${said}!`);
        if (++said < 100) call.write(Buffer.from(String(said)));
        else call.end();
      });
      call.write(Buffer.from('0'));
      const { messages, status: end } = await outcome;
      deepStrictEqual([messages.length, end.code, ended], [100, status.OK, true]);
    });

    test(`${how}: a server that has heard enough answers early, and the client that is still sending hears it`, async (t) => {
      rig.serve({
        gather: (call, answer) => void call.once('data', () => answer(null, Buffer.from('enough'))),
      });
      const { call, outcome } = rig.client(t, site).gather();
      call.write(Buffer.from('a'));
      const { messages, status: end } = await outcome;
      deepStrictEqual([texts(messages), end.code], [['enough'], status.OK]);
    });

    test(`${how}: an error without a message arrives with its code, text, details and metadata, in one head`, async (t) => {
      const details = Buffer.concat([EVERY_BYTE, EVERY_BYTE]);
      const metadata = metadataOf([
        ['x-why', 'lost'],
        ['grpc-status-details-bin', details],
      ]);
      rig.serve({
        say: (_call, answer) => answer({ code: status.NOT_FOUND, details: 'nothing: 100 % grüße', metadata }, null),
      });
      const { messages, head, status: end } = await rig.client(t, site).say('x').outcome;
      deepStrictEqual([messages, head], [[], null], 'a head that is also the end');
      deepStrictEqual([end.code, end.details], [status.NOT_FOUND, 'nothing: 100 % grüße']);
      deepStrictEqual(end.metadata.get('x-why'), ['lost']);
      deepStrictEqual(end.metadata.get('grpc-status-details-bin'), [details]);
    });

    test(`${how}: an error after messages leaves these whole`, async (t) => {
      const metadata = metadataOf([['x-why', 'tired']]);
      rig.serve({
        spread: (call) => {
          call.write(Buffer.from('one'));
          call.write(Buffer.from('two'));
          call.emit('error', { code: status.RESOURCE_EXHAUSTED, details: 'no more', metadata });
        },
      });
      const { messages, status: end } = await rig.client(t, site).spread('x').outcome;
      deepStrictEqual([texts(messages), end.code, end.details], [['one', 'two'], status.RESOURCE_EXHAUSTED, 'no more']);
      deepStrictEqual(end.metadata.get('x-why'), ['tired']);
    });

    test(`${how}: the deadline is told to the server`, async (t) => {
      const { promise: told, resolve } = Promise.withResolvers<number>();
      rig.serve({
        say: (call, answer) => {
          resolve(Number(call.getDeadline()) - Date.now());
          answer(null, call.request);
        },
      });
      const { outcome } = rig.client(t, site).say('x', new Metadata(), { deadline: Date.now() + 3_600_000 });
      strictEqual((await outcome).status.code, status.OK);
      const left = await told;
      ok(left > 3_000_000 && left <= 3_600_000, `${left} ms of an hour`);
    });
  }
});
