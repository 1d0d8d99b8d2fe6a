// HTTP/2 clients that change their mind: what they give up is given up at the upstream too, and their connection goes on.
import { deepStrictEqual, ok, strictEqual } from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type ClientHttp2Session, type ClientHttp2Stream, constants } from 'node:http2';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { ask, openSession } from '../support/node-h2-client.ts';
import { type Perantara, startPerantara } from '../support/perantara.ts';
import { retry } from '../support/retry.ts';
import { type SampleUpstream, startSampleUpstream } from '../support/sample-upstream.ts';

const NAME = 'app.localhost';
const PATIENCE = { deadlineMs: 20_000 };

/** A request at the upstream. */
interface Arrival {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Its connection ended before the response did. */
  readonly cut: Promise<unknown>;
}

interface Phase {
  readonly name: string;
  readonly path: string;
  readonly upload: boolean;
  /** Brings the exchange where it is to be given up. */
  readonly reach: (stream: ClientHttp2Stream, arrival: Promise<Arrival>) => Promise<unknown>;
}

const PHASES: readonly Phase[] = [
  {
    name: 'before the upstream has answered',
    path: '/held',
    upload: false,
    reach: (_stream, arrival) => arrival,
  },
  {
    name: 'in the middle of its content',
    path: '/held',
    upload: true,
    reach: async (stream, arrival) => {
      stream.write(Buffer.alloc(100_000));
      const { request } = await arrival;
      await once(request, 'data');
    },
  },
  {
    name: 'in the middle of content that the upstream does not take',
    path: '/held',
    upload: true,
    reach: async (stream, arrival) => {
      stream.write(Buffer.alloc(8 * 1024 * 1024));
      await arrival;
    },
  },
  {
    name: 'in the middle of the answer',
    path: '/begun',
    upload: false,
    reach: (stream) => once(stream, 'data'),
  },
  {
    name: 'in the middle of an answer that it does not read',
    path: '/flood',
    upload: false,
    reach: (stream) => once(stream, 'response'),
  },
  {
    name: 'in the middle of both',
    path: '/begun',
    upload: true,
    reach: (stream) => {
      stream.write(Buffer.alloc(1_000));
      return once(stream, 'data');
    },
  },
];

describe('HTTP/2 clients that give up', () => {
  let upstream: SampleUpstream;
  let proxy: Perantara;
  let ca: string;
  let arrived = Promise.withResolvers<Arrival>();
  before(async () => {
    const handle = (request: IncomingMessage, response: ServerResponse): boolean => {
      request.on('error', () => {});
      arrived.resolve({ request, response, cut: once(response, 'close') });
      if (request.url === '/begun') response.write('begun');
      if (request.url === '/flood') response.write(Buffer.alloc(8 * 1024 * 1024));
      return true;
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
  const begin = (
    session: ClientHttp2Session,
    phase: Pick<Phase, 'path' | 'upload'>,
    signal?: AbortSignal,
  ): ClientHttp2Stream => {
    const head = { ':method': phase.upload ? 'POST' : 'GET', ':path': phase.path };
    const stream = session.request(head, { endStream: !phase.upload, ...(signal === undefined ? {} : { signal }) });
    stream.on('error', () => {});
    return stream;
  };

  const isCut = async (arrival: Promise<Arrival>): Promise<void> => {
    const { request, response, cut } = await arrival;
    request.resume(); // who does not read hears nothing of an end either
    await cut;
    strictEqual(response.writableFinished, false);
  };

  for (const phase of PHASES) {
    test(`${phase.name}: the upstream’s connection is closed, and the client’s goes on`, async (t) => {
      const session = await open(t);
      arrived = Promise.withResolvers<Arrival>();
      // `close` would wait until what has been written is on its way.
      const given = new AbortController();
      const stream = begin(session, phase, given.signal);
      await phase.reach(stream, arrived.promise);
      given.abort();
      await isCut(arrived.promise);
      strictEqual((await ask(session, { ':path': '/status/200' })).status, 200);
    });

    test(`${phase.name}, by closing the connection: the upstream’s is closed too`, async (t) => {
      const session = await open(t);
      arrived = Promise.withResolvers<Arrival>();
      const stream = begin(session, phase);
      await phase.reach(stream, arrived.promise);
      session.destroy();
      await isCut(arrived.promise);
    });
  }

  test('of a hundred streams every other one is given up, and the rest is answered', async (t) => {
    const session = await open(t);
    const answers: Promise<number>[] = [];
    for (let i = 0; i < 50; i++) {
      begin(session, { path: '/held', upload: false }).close(constants.NGHTTP2_CANCEL);
      answers.push(ask(session, { ':path': `/bytes/${i}` }).then(({ body }) => body.length));
    }
    deepStrictEqual(
      await Promise.all(answers),
      Array.from({ length: 50 }, (_, i) => i),
    );
  });

  test('nothing is left open at the upstream but the connections that are kept for the next requests', async () => {
    await retry(async () => ok((await upstream.connections()) <= 60), PATIENCE);
    strictEqual(
      proxy.log.some(({ level }) => level === 'error' || level === 'fatal'),
      false,
      proxy.output(),
    );
  });
});
