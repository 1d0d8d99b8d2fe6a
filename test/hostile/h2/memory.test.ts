// Items 23 and 38: what clients of HTTP/2 can make a Perantara hold. Each of some connections uses all of its streams for
// what costs most, takes nothing, and stays; memory is read from /proc, so on Linux only. A normal client is served beside.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { CONCURRENT_STREAMS } from '../../../src/http2/limits.ts';
import { type H2Options, openH2 } from '../../support/h2-client.ts';
import { data, END_STREAM, INITIAL_WINDOW_SIZE } from '../../support/h2-frames.ts';
import { headers, indexed, literal, requestFields } from '../../support/h2-headers.ts';
import type { H2Peer } from '../../support/h2-peer.ts';
import { startPerantara } from '../../support/perantara.ts';
import { retry } from '../../support/retry.ts';
import { BYSTANDER_PATH, startBystander } from './bystander.ts';

const OPTIONS = existsSync('/proc/self/status')
  ? {}
  : { skip: 'there is no /proc on this machine to read the memory of a process from' };

const KIB = 1024;
const MIB = 1024 * KIB;
const OFFENDERS = 3;
/** What one connection may make the process grow by, whatever it does: 128 streams of a window and a head each, and garbage. */
const CONNECTION_BYTES = 48 * MIB;

/** What the origin does behind a path. */
const BEHAVIOURS: Readonly<Record<string, (request: IncomingMessage, response: ServerResponse) => void>> = {
  /** Content without end, as fast as it is taken. */
  '/endless': (_request, response) => {
    const piece = Buffer.alloc(64 * KIB, 'x');
    const write = (): void => {
      while (response.write(piece));
    };
    response.on('drain', write);
    write();
  },
  /** A head of about 30 KiB that compresses badly. */
  '/heads': (_request, response) => {
    for (let i = 0; i < 50; i++)
      response.setHeader(`x-${i}`, Buffer.alloc(300, Math.random().toString()).toString('hex'));
    response.end('x');
  },
  /** Neither reads nor answers. */
  '/silent': (request) => void request.pause(),
};

async function serve(t: TestContext) {
  const asked = new Map<string, number>();
  const origin = createServer({ maxHeaderSize: 64 * KIB }, (request, response) => {
    request.on('error', () => {});
    response.on('error', () => {});
    const path = request.url!;
    asked.set(path, (asked.get(path) ?? 0) + 1);
    if (path === BYSTANDER_PATH) response.end('hello');
    else BEHAVIOURS[path]!(request, response);
  });
  await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    origin.closeAllConnections();
    origin.close();
  });
  const target = `http://127.0.0.1:${(origin.address() as AddressInfo).port}`;
  const proxy = await startPerantara({ config: { sites: { 'app.localhost': target } } });
  t.after(() => proxy.stop());
  await proxy.obtained('app.localhost');
  const residentBytes = (): number =>
    Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${proxy.pid}/status`, 'utf8'))![1]) * KIB;
  return { proxy, residentBytes, asked };
}

/** Resolves when the value was about the same for a second: nothing moves any more. */
async function standstill(look: () => number): Promise<void> {
  let last = 0;
  let same = 0;
  const isStill = async (): Promise<void> => {
    const value = look();
    same = Math.abs(value - last) < 64 * KIB ? same + 1 : 0;
    last = value;
    assert.ok(same >= 12);
  };
  await retry(isStill, { deadlineMs: 30_000, pauseMs: 50 });
}

const SHUT: H2Options = { settings: [[INITIAL_WINDOW_SIZE, 0]], habits: { returnWindow: false } };

/** The most expensive of a request that is accepted: seven references to a field of 4 KiB, a byte each. */
function bomb(client: H2Peer, id: number, path: string, ends: boolean): Promise<void> {
  const field = id === 1 ? literal('a', 'x'.repeat(3_900), 'incremental') : indexed(62);
  const fields = [...requestFields(path, 'POST'), field, Buffer.alloc(6, indexed(62))];
  return client.send(headers(id, fields, ends ? END_STREAM : 0));
}

interface Weight {
  readonly what: string;
  readonly path: string;
  readonly options?: H2Options;
  /** Sends what is to be sent on one of the streams. */
  readonly load: (client: H2Peer, id: number) => unknown;
}

const WEIGHTS: readonly Weight[] = [
  {
    what: 'downloads without end into windows that are shut (HTTP/2 Bomb: CVE-2026-49975)',
    path: '/endless',
    options: SHUT,
    load: (client, id) => client.send(headers(id, requestFields('/endless'), END_STREAM)),
  },
  {
    what: 'heads of answers, which go by no window, to a client that does not read',
    path: '/heads',
    options: SHUT,
    load: (client, id) => {
      client.socket.pause();
      client.send(headers(id, requestFields('/heads'), END_STREAM));
    },
  },
  {
    what: 'header bombs, with content that nobody takes (HTTP/2 Bomb: CVE-2026-47774)',
    path: '/silent',
    load: (client, id) => {
      bomb(client, id, '/silent', false);
      for (let sent = 0; sent < 60 * KIB; sent += 15 * KIB) client.send(data(id, Buffer.alloc(15 * KIB)));
    },
  },
];

for (const { what, path, options, load } of WEIGHTS)
  test(`${what}: a connection holds so much and no more, and what it held is used again`, OPTIONS, async (t) => {
    const { proxy, residentBytes, asked } = await serve(t);
    const warm = await startBystander(t, proxy.httpsPort);
    await warm.leave({ diagnostic: () => {} });
    const before = residentBytes();
    const bystander = await startBystander(t, proxy.httpsPort);
    const grownBytes: number[] = [];
    for (let wave = 1; wave <= 2; wave++) {
      const clients: H2Peer[] = [];
      for (let i = 0; i < OFFENDERS; i++) {
        const client = await openH2(t, proxy.httpsPort, { ...options, isJudged: false });
        for (let stream = 0; stream < CONCURRENT_STREAMS; stream++) load(client, 2 * stream + 1);
        clients.push(client);
      }
      const all = OFFENDERS * CONCURRENT_STREAMS * wave;
      await retry(async () => assert.equal(asked.get(path), all), { deadlineMs: 30_000, pauseMs: 50 });
      await standstill(residentBytes);
      grownBytes.push(residentBytes() - before);
      for (const client of clients) {
        assert.equal(client.goaway, null);
        client.destroy();
      }
    }
    await bystander.leave(t);
    const [first, second] = grownBytes.map((bytes) => bytes / OFFENDERS) as [number, number];
    t.diagnostic(
      `${(first / MIB).toFixed(1)} MiB for each connection, ${(second / MIB).toFixed(1)} after as many again`,
    );
    assert.ok(first < CONNECTION_BYTES, `it grew by ${first} bytes for each connection`);
    assert.ok(second < CONNECTION_BYTES, `it grew to ${second} bytes for each connection`);
  });
