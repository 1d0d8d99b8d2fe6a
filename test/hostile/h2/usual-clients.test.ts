// The limits on floods hit no client that means well: what the busiest browsers and libraries do, and more of it than they do.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { startBareProxy } from '../../support/bare-proxy.ts';
import { type H2Options, openH2 } from '../../support/h2-client.ts';
import {
  DATA,
  data,
  END_STREAM,
  type Frame,
  frame,
  INITIAL_WINDOW_SIZE,
  PING,
  ping,
  priority,
  rstStream,
  settings,
  uint32,
  windowUpdate,
} from '../../support/h2-frames.ts';
import { headers, requestFields } from '../../support/h2-headers.ts';
import type { H2Peer } from '../../support/h2-peer.ts';
import { ok, type Script, startOrigin } from '../../support/origin.ts';

const KIB = 1024;
const BIG = ok('x'.repeat(4 * 1024 * KIB));

async function open(t: TestContext, script: Script, options: H2Options = {}) {
  const origin = await startOrigin(t, script);
  const proxy = await startBareProxy(t, origin.port, undefined, 'h2c');
  const client = await openH2(t, proxy.port, { carrier: 'plain', ...options });
  return { client, origin, proxy };
}

const get = (id: number, path = '/'): Buffer => headers(id, requestFields(path), END_STREAM);

/** Acts on every frame of a type that comes. */
function on(client: H2Peer, type: number, act: (came: Frame) => void): void {
  let at = client.frames.length;
  client.socket.on('data', () => {
    for (; at < client.frames.length; at++) if (client.frames[at]!.type === type) act(client.frames[at]!);
  });
}

async function takesOn(client: H2Peer): Promise<void> {
  await client.roundTrip();
  assert.equal(client.goaway, null);
}

test('a download whose every 2 KiB are given back alone, for its stream and for the connection, is taken (Go reads by 4 KiB)', async (t) => {
  const { client } = await open(t, (_asked, peer) => peer.send(BIG), { habits: { returnWindow: false } });
  on(client, DATA, ({ payload }) => {
    for (let at = 0; at < payload.length; at += 2 * KIB) {
      const taken = Math.min(2 * KIB, payload.length - at);
      client.send(windowUpdate(1, taken), windowUpdate(0, taken));
    }
  });
  client.send(get(1));
  await client.message(1).catch((error) => assert.ok(client.stream(1).ended, error)); // its last updates come late
  assert.equal(client.stream(1).received, 4 * 1024 * KIB);
  await takesOn(client);
});

test('a PING in each round trip of a long download is no flood (grpc-go, hyper)', async (t) => {
  const { client } = await open(t, async (_asked, peer) => {
    await peer.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
    while (pings < 1_500 && peer.ended === 'no') {
      await peer.send('4\r\nping\r\n');
      await new Promise(setImmediate);
    }
    await peer.send('0\r\n\r\n');
  });
  let pings = 0;
  let isMeasuring = false;
  on(client, PING, () => {
    isMeasuring = false;
  });
  on(client, DATA, () => {
    if (isMeasuring) return;
    isMeasuring = true;
    pings++;
    client.send(ping());
  });
  client.send(get(1));
  await client.message(1);
  await takesOn(client);
});

test('PRIORITY for every open stream whenever a tab comes to the front, and PRIORITY_UPDATE for each image, is no flood', async (t) => {
  const { client } = await open(t, (_asked, peer) => peer.send(ok()));
  for (let image = 0; image < 1_000; image++) {
    const id = 2 * image + 1;
    client.send(get(id));
    for (const urgency of [5, 2, 5]) {
      const value = Buffer.from(`u=${urgency}`);
      client.send(frame(0x10, 0, 0, Buffer.concat([uint32(id), value])));
    }
    if (image % 50 === 49) await client.message(id);
  }
  for (let tab = 0; tab < 8; tab++) for (let i = 0; i < 128; i++) client.send(priority(2 * i + 1));
  await takesOn(client);
});

test('a page that is left five times with a hundred requests open is no rapid reset', async (t) => {
  const { client } = await open(t, () => {});
  for (let page = 0; page < 5; page++) {
    const ids = Array.from({ length: 100 }, (_, i) => 2 * (100 * page + i) + 1);
    client.send(...ids.map((id) => get(id)));
    client.send(...ids.map((id) => rstStream(id)));
  }
  await takesOn(client);
});

test('what is on its way when an upload is refused may be in tiny pieces, to the end of its window', async (t) => {
  const { client } = await open(t, (_asked, peer) =>
    peer.send('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n'),
  );
  client.send(headers(1, requestFields('/', 'POST')));
  await client.head(1);
  for (let sent = 0; sent < 60 * KIB; sent += 12) client.data(1, 'an event, ok');
  client.send(data(1, '', END_STREAM));
  await takesOn(client);
});

test('trailers, resets and updates that cross our own reset are no flood', async (t) => {
  const { client } = await open(t, (_asked, peer) => peer.send(ok()));
  for (let i = 0; i < 90; i++) {
    const id = 2 * i + 1;
    client.send(headers(id, [...requestFields('/', 'POST'), ['Upper', 'case']]), data(id, 'x'), windowUpdate(id, 1));
    client.send(headers(id, [['sum', '7']], END_STREAM), rstStream(id));
  }
  await takesOn(client);
});

test('a client that does not know our limit yet may open more streams than it allows, once', async (t) => {
  const { client } = await open(t, () => {}, { isJudged: false });
  const ids = Array.from({ length: 500 }, (_, i) => 2 * i + 1);
  client.send(...ids.map((id) => get(id)));
  await client.resetOf(999);
  await takesOn(client);
});

test('windows that are opened bit by bit as a slow reader takes its answer do not end it', async (t) => {
  const { client } = await open(t, (_asked, peer) => peer.send(ok('x'.repeat(512 * KIB))), {
    settings: [[INITIAL_WINDOW_SIZE, 1_000]],
    habits: { returnWindow: false },
  });
  client.send(get(1), windowUpdate(0, 512 * KIB));
  for (let taken = 1_000; taken < 512 * KIB; taken += 1_000) {
    await client.when(() => client.stream(1).received === taken);
    client.send(windowUpdate(1, Math.min(1_000, 512 * KIB - taken)));
  }
  await client.message(1);
  client.send(settings([INITIAL_WINDOW_SIZE, 65_535]));
  await takesOn(client);
});
