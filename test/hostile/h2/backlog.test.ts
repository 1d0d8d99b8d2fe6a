// What goes by no window, to a client that reads nothing: heads of answers, hints, answers to PING. Item 23.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeaderList } from '../../../src/http/header-list.ts';
import { sendPlain } from '../../../src/http/plain-response.ts';
import { startBareProxy } from '../../support/bare-proxy.ts';
import { NETWORK_BYTES } from '../../support/flood.ts';
import { openH2 } from '../../support/h2-client.ts';
import { END_STREAM } from '../../support/h2-frames.ts';
import { headers, indexed, literal, requestFields } from '../../support/h2-headers.ts';

const ASKED = 20_000;
/** What Huffman coding does not shorten. */
const long = (bytes: number): string => '~'.repeat(bytes);
const SILENT_TURNS = 200;

test('a client that asks on and on and reads nothing is not read any more, and is served when it reads again', async (t) => {
  let answered = 0;
  const proxy = await startBareProxy(
    t,
    0,
    (exchange) => {
      answered++;
      sendPlain(exchange, 404, 'text/plain', 'no', ['X-Long', `${answered}${long(2_000)}`]);
    },
    'h2c',
  );
  const client = await openH2(t, proxy.port, { carrier: 'plain', isJudged: false });
  const head = [...requestFields('/', 'HEAD').slice(0, 3), literal(1, 'app.localhost', 'incremental')];
  client.send(headers(1, head, END_STREAM));
  await client.response(1);
  client.socket.pause();
  const more = [...requestFields('/', 'HEAD').slice(0, 3), indexed(62), ['x-long', long(1_000)] as const];
  let sent = 1;
  for (let still = 0, before = 0; still < SILENT_TURNS; before = answered) {
    if (client.socket.writableLength < 256 * 1024 && sent < ASKED) {
      const asks = Array.from({ length: 100 }, (_, i) => headers(2 * (sent + i) + 1, more, END_STREAM));
      sent += asks.length;
      client.socket.write(Buffer.concat(asks));
    }
    await new Promise(setImmediate);
    still = answered === before ? still + 1 : 0;
  }
  assert.ok(sent < ASKED, 'all was read');
  // The systems' buffers hold some of them.
  assert.ok(answered * 2_000 < NETWORK_BYTES + 2 * 1024 * 1024, `${answered} requests were answered`);
  t.diagnostic(`${answered} of ${sent} requests were answered before nothing moved`);
  client.socket.resume();
  assert.equal((await client.response(2 * (sent - 1) + 1)).status, 404);
  assert.equal(client.goaway, null);
  client.destroy();
  await proxy.idle();
});

test('hints are left out for a client that does not read; its answer is not', async (t) => {
  const HINTS = 1_500;
  const { promise: hinted, resolve: hint } = Promise.withResolvers<void>();
  const link = long(20_000);
  const proxy = await startBareProxy(
    t,
    0,
    async (exchange) => {
      if (exchange.request.path !== '/hints') return sendPlain(exchange, 200, 'text/plain', 'ok');
      for (let i = 0; i < HINTS; i++) {
        exchange.inform({ status: 103, reason: '', headers: new HeaderList(['Link', `${i}${link}`]) });
        if (i % 20 === 0) await new Promise(setImmediate);
      }
      sendPlain(exchange, 200, 'text/plain', 'ok');
      hint();
    },
    'h2c',
  );
  const client = await openH2(t, proxy.port, { carrier: 'plain' });
  client.send(headers(1, requestFields('/hints'), END_STREAM));
  await client.roundTrip();
  client.socket.pause();
  await hinted;
  client.socket.resume();
  const { status, informational } = await client.response(1);
  assert.equal(status, 200);
  assert.ok(informational.length < HINTS, `${informational.length} hints came`);
  t.diagnostic(`${informational.length} of ${HINTS} hints came`);
});
