// HTTP/2 by node:http2: everything a request and its answer may have.
import { deepStrictEqual, match, rejects, strictEqual } from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ClientHttp2Session } from 'node:http2';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { answerOf, ask, openSession } from '../support/node-h2-client.ts';
import { type Perantara, startPerantara } from '../support/perantara.ts';
import { type SampleUpstream, startSampleUpstream } from '../support/sample-upstream.ts';

const NAME = 'app.localhost';
const MIB = 1024 * 1024;

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: readonly string[];
}

const digest = (body: Buffer): string => createHash('sha256').update(body).digest('hex');
const uploaded = (body: Buffer): unknown => ({ bytes: body.length, sha256: digest(body) });
const json = (body: Buffer): unknown => JSON.parse(String(body));

/** Paths of this file's own. */
const ANSWERS: Readonly<Record<string, (request: IncomingMessage, response: ServerResponse) => void>> = {
  '/request-trailers': (request, response) => {
    request.resume().on('end', () => response.end(JSON.stringify(request.rawTrailers)));
  },
  '/cookies': (_request, response) => {
    response.writeHead(
      200,
      [
        ['set-cookie', 'a=1'],
        ['set-cookie', 'b=2'],
        ['x-twice', '1'],
        ['x-twice', '2'],
      ].flat(),
    );
    response.end();
  },
  '/cut': (_request, response) => {
    response.writeHead(200, { 'content-length': 1_000 });
    response.write('half', () => response.socket?.resetAndDestroy());
  },
  '/cut-chunked': (_request, response) => {
    response.writeHead(200);
    response.write('half', () => response.socket?.destroy());
  },
};

describe('HTTP/2 by node:http2', () => {
  let upstream: SampleUpstream;
  let proxy: Perantara;
  let ca: string;
  before(async () => {
    const handle = (request: IncomingMessage, response: ServerResponse): boolean => {
      const answer = ANSWERS[request.url ?? ''];
      answer?.(request, response);
      return answer !== undefined;
    };
    upstream = await startSampleUpstream({ handle });
    proxy = await startPerantara({ config: { sites: { [NAME]: upstream.url } } });
    await proxy.obtained(NAME);
    ca = await readFile(join(proxy.storage, 'local-ca/root.pem'), 'utf8');
  });
  after(async () => {
    await proxy?.stop();
    await upstream?.close();
  });

  const open = (t: TestContext): Promise<ClientHttp2Session> =>
    openSession(t, { port: proxy.httpsPort, name: NAME, ca });

  test('GET: every field arrives once and in order, cookie crumbs as one field', async (t) => {
    const session = await open(t);
    const fields = { 'x-b': '1', 'x-a': ['2', '3'], cookie: ['a=1', 'b=2', 'c=3'], 'x-empty': '' };
    const { status, headers, body } = await ask(session, { ':path': '/headers?a=%20b', ...fields });
    const seen = json(body) as Seen;
    strictEqual(status, 200);
    match(String(headers.date), /GMT$/);
    strictEqual(`${seen.method} ${seen.url}`, 'GET /headers?a=%20b');
    const pairs = seen.rawHeaders.flatMap((name, i) =>
      i % 2 === 0 ? [[name.toLowerCase(), seen.rawHeaders[i + 1]]] : [],
    );
    deepStrictEqual(
      pairs.filter(([name]) => name?.startsWith('x-') && !name.startsWith('x-forwarded')),
      [
        ['x-b', '1'],
        ['x-a', '2'],
        ['x-a', '3'],
        ['x-empty', ''],
      ],
    );
    deepStrictEqual(
      pairs.filter(([name]) => name === 'cookie'),
      [['cookie', 'a=1; b=2; c=3']],
    );
    deepStrictEqual(
      pairs.filter(([name]) => name === 'host'),
      [['host', `${NAME}:${proxy.httpsPort}`]],
    );
    deepStrictEqual(
      pairs.filter(([name]) => /^(transfer-encoding|content-length|te)$/.test(name ?? '')),
      [],
    );
  });

  test('fields that an answer has twice stay two, in order', async (t) => {
    const { headers } = await ask(await open(t), { ':path': '/cookies' });
    deepStrictEqual(headers['set-cookie'], ['a=1', 'b=2']);
    strictEqual(headers['x-twice'], '1, 2');
  });

  test('POST with a length, without one, of nothing, and with an empty end', async (t) => {
    const session = await open(t);
    const head = { ':method': 'POST', ':path': '/upload' };
    const body = randomBytes(70_000);
    deepStrictEqual(
      json((await ask(session, { ...head, 'content-length': body.length }, { body })).body),
      uploaded(body),
    );
    deepStrictEqual(json((await ask(session, head, { body })).body), uploaded(body));
    deepStrictEqual(json((await ask(session, head)).body), uploaded(Buffer.alloc(0)));
    deepStrictEqual(json((await ask(session, head, { body: '' })).body), uploaded(Buffer.alloc(0)));
    deepStrictEqual(json((await ask(session, { ...head, 'content-length': 0 })).body), uploaded(Buffer.alloc(0)));
  });

  test('trailers pass both ways', async (t) => {
    const session = await open(t);
    const head = { ':method': 'POST', ':path': '/request-trailers' };
    const sent = await ask(session, head, { body: 'content', trailers: { 'x-sum': 'abc', 'x-more': '1' } });
    deepStrictEqual(json(sent.body), ['x-sum', 'abc', 'x-more', '1']);
    const bare = await ask(session, head, { trailers: { 'x-sum': 'of nothing' } });
    deepStrictEqual(json(bare.body), ['x-sum', 'of nothing']);
    const { body, trailers } = await ask(session, { ':path': '/trailers', te: 'trailers' });
    strictEqual(trailers['x-checksum'], digest(body));
  });

  test('HEAD, 204 and 304 have a head and nothing else', async (t) => {
    const session = await open(t);
    const head = await ask(session, { ':method': 'HEAD', ':path': '/bytes/1000' });
    deepStrictEqual([head.status, head.headers['content-length'], head.body.length], [200, '1000', 0]);
    for (const status of [204, 304]) {
      const answer = await ask(session, { ':path': `/status/${status}` });
      deepStrictEqual([answer.status, answer.body.length], [status, 0]);
    }
  });

  test('103 comes before the answer', async (t) => {
    const { interim, status, body } = await ask(await open(t), { ':path': '/early-hints' });
    deepStrictEqual(
      interim.map((head) => [head[':status'], head.link]),
      [[103, '</logo.svg>; rel=preload; as=image']],
    );
    deepStrictEqual([status, String(body)], [200, 'after the hints\n']);
  });

  test('with Expect: 100-continue the content is sent after the upstream’s 100, or not at all', async (t) => {
    const session = await open(t);
    const head = { ':method': 'POST', expect: '100-continue' };
    const body = randomBytes(100_000);
    const stream = session.request({ ...head, ':path': '/expect' });
    await once(stream, 'continue');
    stream.end(body);
    deepStrictEqual(json((await answerOf(stream)).body), uploaded(body));
    const refused = session.request({ ...head, ':path': '/expect?refuse' });
    refused.on('continue', () => refused.destroy(new Error('100 came')));
    const { status } = await answerOf(refused);
    strictEqual(status, 417);
  });

  test('16 MiB up and 16 MiB down at once arrive whole, and small requests are answered meanwhile', async (t) => {
    const session = await open(t);
    const body = randomBytes(16 * MIB);
    const upload = session.request({ ':method': 'POST', ':path': '/upload' });
    upload.write(body.subarray(0, body.length - 1));
    const download = ask(session, { ':path': `/bytes/${16 * MIB}` });
    for (let i = 0; i < 20; i++) strictEqual((await ask(session, { ':path': '/bytes/100' })).body.length, 100);
    upload.end(body.subarray(body.length - 1));
    deepStrictEqual(json((await answerOf(upload)).body), uploaded(body));
    const direct = await fetch(`${upstream.url}/bytes/${16 * MIB}`);
    strictEqual(digest((await download).body), digest(Buffer.from(await direct.arrayBuffer())));
  });

  test('a stream that nobody reads does not hold up the others of its session', async (t) => {
    const session = await open(t);
    const stalled = session.request({ ':path': `/bytes/${20 * MIB}` });
    await once(stalled, 'response');
    for (let i = 0; i < 5; i++) {
      strictEqual((await ask(session, { ':path': `/bytes/${MIB}` })).body.length, MIB);
      strictEqual(
        (await ask(session, { ':method': 'POST', ':path': '/upload' }, { body: Buffer.alloc(MIB) })).status,
        200,
      );
    }
    strictEqual((await answerOf(stalled)).body.length, 20 * MIB);
  });

  for (const path of ['/cut', '/cut-chunked']) {
    test(`${path}: an answer that the upstream breaks off ends in INTERNAL_ERROR, and the session goes on`, async (t) => {
      const session = await open(t);
      const stream = session.request({ ':path': path });
      await rejects(answerOf(stream), /INTERNAL_ERROR/);
      strictEqual((await ask(session, { ':path': '/status/200' })).status, 200);
    });
  }

  test('pings are answered with what they carry', async (t) => {
    const session = await open(t);
    const payload = randomBytes(8);
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    session.ping(payload, (error, _ms, answer) => (error === null ? resolve(answer) : reject(error)));
    deepStrictEqual(await promise, payload);
  });

  test('a session that changes its settings in the middle goes on, with windows as they are then', async (t) => {
    const session = await open(t);
    const large = ask(session, { ':path': `/bytes/${2 * MIB}` });
    for (const initialWindowSize of [10_000, 200_000, 30_000]) {
      const told = once(session, 'localSettings');
      session.settings({ initialWindowSize, headerTableSize: initialWindowSize });
      await told;
    }
    strictEqual((await large).body.length, 2 * MIB);
    strictEqual((await ask(session, { ':path': '/bytes/50000' })).body.length, 50_000);
  });
});
