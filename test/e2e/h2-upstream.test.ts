// Upstreams of node:http2, as their users write them: handlers that never look at a request without content.
import { deepStrictEqual } from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type Http2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ask, openSession } from '../support/node-h2-client.ts';
import { type Perantara, startPerantara } from '../support/perantara.ts';

const NAME = 'app.localhost';

describe('node:http2 as an upstream', () => {
  let upstream: Http2Server;
  let proxy: Perantara;
  let ca: string;
  before(async () => {
    upstream = createServer((request, response) => void response.end(Buffer.alloc(Number(request.url.slice(1)))));
    await once(upstream.listen(0, '127.0.0.1'), 'listening');
    const target = `h2c://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
    proxy = await startPerantara({ config: { sites: { [NAME]: target } } });
    await proxy.obtained(NAME);
    ca = await readFile(join(proxy.storage, 'local-ca/root.pem'), 'utf8');
  });
  after(async () => {
    await proxy?.stop();
    upstream?.close();
  });

  test('a hundred responses at once, together larger than any one window, all come to their end', async (t) => {
    const session = await openSession(t, { port: proxy.httpsPort, name: NAME, ca });
    const answers = Array.from(
      { length: 100 },
      async (_, i) => (await ask(session, { ':path': `/${60_000 + i}` })).body,
    );
    deepStrictEqual(
      (await Promise.all(answers)).map(({ length }) => length),
      Array.from({ length: 100 }, (_, i) => 60_000 + i),
    );
  });
});
