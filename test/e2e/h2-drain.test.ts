// How HTTP/2 connections end when the server is told to stop: nothing that it took is lost, nothing new is taken.
import { deepStrictEqual, ok, strictEqual } from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { type ClientHttp2Session, constants } from 'node:http2';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { answerOf, ask, openSession } from '../support/node-h2-client.ts';
import { type Perantara, startPerantara } from '../support/perantara.ts';
import { type SampleUpstream, startSampleUpstream } from '../support/sample-upstream.ts';

const NAME = 'app.localhost';
const MIB = 1024 * 1024;

interface Site {
  readonly proxy: Perantara;
  readonly upstream: SampleUpstream;
  readonly open: () => Promise<ClientHttp2Session>;
  /** Resolves with the answer to give to a request for /held that has reached the upstream. */
  readonly held: Promise<ServerResponse>;
}

async function serve(t: TestContext): Promise<Site> {
  const { promise: held, resolve: hold } = Promise.withResolvers<ServerResponse>();
  const upstream = await startSampleUpstream({
    handle: (_request, response) => {
      hold(response);
      return true;
    },
  });
  t.after(() => upstream.close());
  const proxy = await startPerantara({ config: { sites: { [NAME]: upstream.url } } });
  t.after(() => proxy.stop());
  await proxy.obtained(NAME);
  const ca = await readFile(join(proxy.storage, 'local-ca/root.pem'), 'utf8');
  return { proxy, upstream, held, open: () => openSession(t, { port: proxy.httpsPort, name: NAME, ca }) };
}

/** The error code of the GOAWAY that comes. */
const goaway = (session: ClientHttp2Session): Promise<number> => once(session, 'goaway').then(([code]) => code);

test('SIGTERM: idle sessions end at once; an upload, a download and an answer under way are brought to their end', async (t) => {
  const { proxy, open, held } = await serve(t);
  const [idle, busy] = [await open(), await open()];
  strictEqual((await ask(idle, { ':path': '/status/200' })).status, 200);
  const body = randomBytes(16 * MIB);
  const download = busy.request({ ':path': `/bytes/${16 * MIB}` });
  await once(download, 'response');
  const upload = busy.request({ ':method': 'POST', ':path': '/upload' });
  upload.write(body.subarray(0, MIB));
  const late = ask(busy, { ':path': '/held' });
  const response = await held;

  const farewells = [goaway(idle), goaway(busy)];
  const closed = once(idle, 'close');
  proxy.signal('SIGTERM');
  deepStrictEqual(await Promise.all(farewells), [constants.NGHTTP2_NO_ERROR, constants.NGHTTP2_NO_ERROR]);
  await closed;
  strictEqual(proxy.ended(), false);

  upload.end(body.subarray(MIB));
  const sha256 = createHash('sha256').update(body).digest('hex');
  deepStrictEqual(JSON.parse(String((await answerOf(upload)).body)), { bytes: body.length, sha256 });
  strictEqual((await answerOf(download)).body.length, 16 * MIB);
  strictEqual(proxy.ended(), false);
  response.end('finished after the signal\n');
  strictEqual(String((await late).body), 'finished after the signal\n');
  strictEqual(await proxy.exited, 0);
});

test('SIGTERM amid many requests: each that reached the upstream is answered, the others may be sent again', async (t) => {
  const { proxy, upstream, open } = await serve(t);
  const sessions = await Promise.all(Array.from({ length: 4 }, open));
  const before = upstream.requests();
  let answered = 0;
  const lost: string[] = [];
  const send = async (session: ClientHttp2Session): Promise<void> => {
    while (!session.closed && !session.destroyed) {
      const stream = session.request({ ':path': '/bytes/1000' });
      try {
        const { status, body } = await answerOf(stream);
        deepStrictEqual([status, body.length], [200, 1_000]);
        if (++answered === 400) proxy.signal('SIGTERM');
      } catch (error) {
        // Closed without having been sent, or told that it was not looked at.
        if (stream.pending || stream.id === undefined || stream.rstCode === constants.NGHTTP2_REFUSED_STREAM) return;
        lost.push(`stream ${stream.id}, code ${stream.rstCode}: ${error}`);
      }
    }
  };
  await Promise.all(sessions.flatMap((session) => Array.from({ length: 20 }, () => send(session))));
  deepStrictEqual(lost, []);
  ok(answered >= 400);
  strictEqual(upstream.requests() - before, answered);
  strictEqual(await proxy.exited, 0);
});
