// Back-pressure through a tunnel, as WebSockets have it: 128 MiB each way past a reader that stops for a while, through a
// little memory. Read from /proc, so on Linux only. Downloads and uploads are in memory.test.ts.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { request } from '../support/chain.ts';
import { connectSecure } from '../support/peer.ts';
import { startPerantara } from '../support/perantara.ts';
import { retry } from '../support/retry.ts';

const NAME = 'app.localhost';
const MIB = 1024 * 1024;
const TOTAL = 128 * MIB;
const MOST_EXTRA_BYTES = 48 * MIB;
const PIECE = Buffer.alloc(64 * 1024, 'x');
const UPGRADE = request('/', ['Connection: Upgrade', 'Upgrade: x']);
const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n';
const OPTIONS = existsSync('/proc/self/status')
  ? {}
  : { skip: 'there is no /proc on this machine to read the memory of a process from' };

/** Resolves with both ends of a tunnel through a Perantara that has carried a little already. */
async function tunnel(t: TestContext) {
  const { promise: switched, resolve } = Promise.withResolvers<Socket>();
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      socket.write(SWITCH);
      resolve(socket);
    });
    t.after(() => socket.destroy());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => server.close());
  const proxy = await startPerantara({
    config: { sites: { [NAME]: `http://127.0.0.1:${(server.address() as AddressInfo).port}` } },
  });
  t.after(() => proxy.stop());
  await proxy.obtained(NAME);
  const client = await connectSecure(proxy.httpsPort);
  t.after(() => client.destroy());
  await client.send(UPGRADE);
  await client.until('\r\n\r\n');
  const ends = { client: client.socket, upstream: await switched };
  for (const end of Object.values(ends)) end.removeAllListeners('data').pause();
  return { ...ends, pid: proxy.pid };
}

async function peakBytes(pid: number): Promise<number> {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}

/** Writes `total` bytes as fast as they are taken; tells how many so far. */
function pour(socket: Socket, total: number): () => number {
  let sent = 0;
  const more = (): void => {
    while (sent < total) {
      sent += PIECE.length;
      if (!socket.write(PIECE)) return void socket.once('drain', more);
    }
  };
  more();
  return () => sent;
}

/** Resolves when so many bytes have come. */
function take(socket: Socket, total: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let received = 0;
  socket.on('data', (chunk: Buffer) => {
    received += chunk.length;
    if (received === total) resolve();
  });
  socket.resume();
  return promise;
}

/** Resolves when the value was the same at ten looks in a row: nothing moves any more. */
async function standstill(look: () => number): Promise<void> {
  let last = -1;
  let same = 0;
  await retry(
    async () => {
      const value = look();
      same = value === last ? same + 1 : 0;
      last = value;
      assert.ok(same >= 10, 'it never stands still');
    },
    { deadlineMs: 30_000 },
  );
}

for (const [from, to] of [
  ['upstream', 'client'],
  ['client', 'upstream'],
] as const) {
  test(`128 MiB through a tunnel whose ${to} stops reading for a while take little memory`, OPTIONS, async (t) => {
    const ends = await tunnel(t);
    const warm = take(ends[to], MIB);
    pour(ends[from], MIB);
    await warm;
    ends[to].removeAllListeners('data').pause();
    const before = await peakBytes(ends.pid);

    const sent = pour(ends[from], TOTAL);
    await standstill(sent);
    const held = sent();
    // The system's own buffers may be generous: four of them are on the way.
    assert.ok(held < TOTAL, `the ${from} could send ${held} bytes past a ${to} that does not read`);
    await take(ends[to], TOTAL);
    const extra = (await peakBytes(ends.pid)) - before;
    t.diagnostic(
      `${Math.round(held / MIB)} MiB on the way at the standstill, ${Math.round(extra / MIB)} MiB more memory`,
    );
    assert.ok(extra < MOST_EXTRA_BYTES, `${extra} bytes more`);
  });
}
