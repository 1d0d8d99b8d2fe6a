// The kinds of traffic of a soak, each checked to the byte. A kind rejects when the answer is not what it has to be.
import { strictEqual as is, match, ok, deepStrictEqual as same } from 'node:assert/strict';
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { connectPlain } from '../support/peer.ts';
import { HOST, head, pattern, type SoakClient, sha256, tls } from './client.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;

export interface Kind {
  readonly name: string;
  /** Share among all, relative to the others. */
  readonly weight: number;
  readonly run: (client: SoakClient) => Promise<void>;
}

const download = (path: string, bytes: number) => async (client: SoakClient) => {
  const { status, body } = await client.ask(path);
  is(status, 200);
  ok(body.equals(pattern(bytes)), `${body.length} bytes`);
};

const upload =
  (path: string, sizes: readonly number[], fields = {}) =>
  async (client: SoakClient) => {
    const pieces = sizes.map(pattern);
    const { status, body } = await client.ask(path, { method: 'POST', pieces, headers: fields });
    is(status, 200);
    same(JSON.parse(`${body}`), { bytes: sizes.reduce((a, b) => a + b), sha256: sha256(pieces) });
  };

const status =
  (path: string, wanted: number, fields = {}) =>
  async (client: SoakClient) => {
    is((await client.ask(path, { headers: fields })).status, wanted);
  };

/** Bytes on a connection of its own, answered with this status; the connection then ends. */
const refused = (bytes: string, wanted: number) => async (client: SoakClient) => {
  const peer = await client.connect();
  await peer.send(bytes);
  match(await peer.end(), new RegExp(`^HTTP/1\\.1 ${wanted} `));
};

/** Breaks the connection when `sent` has been sent and `seen` has come. */
const aborted = (sent: string | Buffer, seen: RegExp | null, how: 'reset' | 'finish') => async (client: SoakClient) => {
  const peer = await client.connect();
  await peer.send(sent);
  if (seen !== null) await peer.until(seen);
  if (how === 'reset') peer.reset();
  else peer.destroy();
};

async function close(client: SoakClient, options: Parameters<SoakClient['connect']>[0]): Promise<boolean> {
  const peer = await client.connect(options);
  const isResumed = tls(peer).isSessionReused();
  await peer.send(head('/bytes/64', ['Connection: close']));
  const { status: code, body } = await peer.message();
  is(code, 200);
  is(body, `${pattern(64)}`);
  await peer.end();
  peer.destroy();
  return isResumed;
}

async function resumed(client: SoakClient): Promise<void> {
  const version = VERSIONS[client.sessions.size > 1 ? Math.floor(Math.random() * 2) : client.sessions.size]!;
  const session = client.sessions.get(version);
  const isResumed = await close(client, {
    minVersion: version,
    maxVersion: version,
    ...(session === undefined ? {} : { session }),
  });
  if (session !== undefined) ok(isResumed, `${version} session not resumed`);
}

async function pipelined(client: SoakClient): Promise<void> {
  const sizes = [10, 20_000, 1, 64, 3_000];
  const peer = await client.connect();
  await peer.send(sizes.map((size) => head(`/bytes/${size}`)).join(''));
  for (const size of sizes) is((await peer.message()).body, `${pattern(size)}`);
  peer.finish();
  await peer.end();
}

async function slowReader(client: SoakClient): Promise<void> {
  const peer = await client.connect();
  await peer.send(head(`/bytes/${MIB}`));
  await peer.until(/^HTTP\/1\.1 200 /);
  peer.socket.pause();
  await new Promise((resolve) => setTimeout(resolve, 300));
  peer.socket.resume();
  is((await peer.message()).body.length, MIB);
  peer.destroy();
}

const webSocket = (end: 'close' | 'terminate') => async (client: SoakClient) => {
  const options = { servername: HOST, rejectUnauthorized: false, headers: { host: HOST } };
  const socket = new WebSocket(`wss://127.0.0.1:${client.port}/echo`, options);
  const signal = AbortSignal.timeout(15_000);
  await once(socket, 'open', { signal });
  for (const size of [1, 125, 5_000, 70_000]) {
    socket.send(pattern(size));
    const [data] = (await once(socket, 'message', { signal })) as [Buffer];
    ok(data.equals(pattern(size)));
  }
  const closed = once(socket, 'close', { signal });
  socket[end]();
  await closed;
};

async function trailers(client: SoakClient): Promise<void> {
  const answer = await client.ask('/trailers', { headers: { te: 'trailers' } });
  is(answer.trailers['x-checksum'], sha256([answer.body]));
}

async function cutOff(client: SoakClient): Promise<void> {
  const peer = await client.connect();
  await peer.send(head('/cut'));
  const text = await peer.end();
  ok(text.endsWith('x'.repeat(100)) && text.includes('1000'), text.slice(0, 200));
}

async function swapped(client: SoakClient): Promise<void> {
  const peer = await client.connect({ servername: 'swap.localhost' });
  const { subjectaltname, fingerprint256 } = tls(peer).getPeerCertificate();
  is(subjectaltname, 'DNS:swap.localhost');
  client.fingerprints.add(fingerprint256);
  await peer.send(head('/bytes/64', ['Connection: close'], 'GET', 'swap.localhost'));
  match(await peer.end(), /^HTTP\/1\.1 200 /);
}

/** Plain TCP to the TLS port, which is left in the middle of a handshake, or answered. */
const plain = (bytes: string, wanted: RegExp | null) => async (client: SoakClient) => {
  const peer = await connectPlain(client.port);
  await peer.send(Buffer.from(bytes, 'latin1'));
  if (wanted !== null) match(await peer.end(), wanted);
  peer.reset();
};

async function redirected(client: SoakClient): Promise<void> {
  const peer = await connectPlain(client.httpPort);
  await peer.send(head('/x', ['Connection: close']));
  match(await peer.end(), new RegExp(`^HTTP/1\\.1 308 [\\s\\S]*location: https://${HOST}:${client.port}/x\\r\\n`, 'i'));
  peer.destroy();
}

async function unknownName(client: SoakClient): Promise<void> {
  const outcome = await client.connect({ servername: 'nobody.localhost' }).then(
    () => 'connected',
    (error: Error) => error.message,
  );
  match(outcome, /unrecognized name/i);
}

export const KINDS: readonly Kind[] = [
  { name: 'GET 64 bytes', weight: 300, run: download('/bytes/64', 64) },
  { name: 'GET 10 KiB', weight: 100, run: download(`/bytes/${10 * KIB}`, 10 * KIB) },
  { name: 'GET 1 MiB', weight: 20, run: download(`/bytes/${MIB}`, MIB) },
  { name: 'GET chunked', weight: 50, run: download('/chunked/50000', 50_000) },
  {
    name: 'HEAD',
    weight: 50,
    run: async (client) => {
      const { headers, body } = await client.ask('/bytes/1000', { method: 'HEAD' });
      is(headers['content-length'], '1000');
      is(body.length, 0);
    },
  },
  { name: '304', weight: 30, run: status('/etag', 304, { 'if-none-match': '"v1"' }) },
  { name: '204', weight: 20, run: status('/status/204', 204) },
  { name: 'early hints', weight: 20, run: status('/early-hints', 200) },
  { name: 'trailers', weight: 20, run: trailers },
  { name: 'upload 64 KiB', weight: 50, run: upload('/upload', [64 * KIB]) },
  { name: 'upload chunked', weight: 30, run: upload('/upload', [100, 30_000, 1, 64 * KIB]) },
  { name: 'upload 1 MiB', weight: 10, run: upload('/upload', [MIB]) },
  { name: 'upload expecting 100', weight: 10, run: upload('/expect', [10_000], { expect: '100-continue' }) },
  { name: 'WebSocket', weight: 20, run: webSocket('close') },
  { name: 'WebSocket cut off', weight: 10, run: webSocket('terminate') },
  { name: 'full handshake', weight: 40, run: async (client) => ok(!(await close(client, {}))) },
  { name: 'resumed handshake', weight: 40, run: resumed },
  { name: 'certificate swapped', weight: 10, run: swapped },
  { name: 'pipelined', weight: 30, run: pipelined },
  { name: 'slow reader', weight: 10, run: slowReader },
  { name: 'client gone in head', weight: 10, run: aborted('GET / HT', null, 'reset') },
  { name: 'client gone waiting', weight: 20, run: aborted(head('/late?ms=400'), null, 'finish') },
  { name: 'client reset waiting', weight: 20, run: aborted(head('/slow?ms=400'), /^HTTP\/1\.1 200 /, 'reset') },
  { name: 'client gone in download', weight: 20, run: aborted(head(`/bytes/${MIB}`), /200 OK/, 'reset') },
  {
    name: 'client gone in upload',
    weight: 20,
    run: aborted(`${head('/upload', ['Content-Length: 100000'], 'POST')}${'x'.repeat(9_000)}`, null, 'reset'),
  },
  { name: 'client gone in handshake', weight: 10, run: plain('\x16\x03\x01\x02\x00', null) },
  { name: 'plain HTTP to the TLS port', weight: 10, run: plain('GET / HTTP/1.1\r\n\r\n', /^HTTP\/1\.1 400 /) },
  { name: 'unknown server name', weight: 10, run: unknownName },
  { name: 'redirect to https', weight: 20, run: redirected },
  { name: 'malformed head', weight: 20, run: refused(head('/', ['Bad : x']), 400) },
  { name: 'oversized head', weight: 10, run: refused(head('/', [`X: ${'x'.repeat(40_000)}`]), 431) },
  { name: 'misdirected', weight: 10, run: status('/', 421, { host: 'nobody.localhost' }) },
  { name: 'upstream refuses', weight: 20, run: status('/', 502, { host: 'dead.localhost' }) },
  { name: 'upstream gone before the head', weight: 10, run: status('/gone', 502) },
  { name: 'upstream gone in the body', weight: 10, run: cutOff },
  { name: 'upstream too late', weight: 5, run: status('/late?ms=4000', 504) },
];
