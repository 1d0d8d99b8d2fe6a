// Which hosts a TLS connection may carry requests for, beside the one that it was made for (RFC 9110 section 15.5.20).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sendPlain } from '../../src/http/plain-response.ts';
import { HostTable } from '../../src/router/host-table.ts';
import { PathTable } from '../../src/router/path-table.ts';
import { secureHandler } from '../../src/server/dispatch.ts';
import { startBareProxy } from '../support/bare-proxy.ts';
import { openH2 } from '../support/h2-client.ts';
import { END_STREAM } from '../support/h2-frames.ts';

/** Host → its terms of TLS. */
const TERMS = { 'a.localhost': 'one', 'b.localhost': 'one', 'c.localhost': 'other', '*.wild.localhost': 'other' };

test('a connection carries requests for hosts on the same terms of TLS as the one it was made for, and no others', async (t) => {
  const reached: string[] = [];
  const site = (host: string, tlsTerms: string) => ({
    host,
    tlsTerms,
    tally: null,
    routes: new PathTable([
      {
        path: '/*',
        value: {
          path: '/*',
          tally: null,
          handler: (exchange: Parameters<typeof sendPlain>[0]) => {
            reached.push(exchange.request.host);
            sendPlain(exchange, 200, 'text/plain', host);
          },
        },
      },
    ]),
  });
  const sites = new HostTable(new Map(Object.entries(TERMS).map(([host, terms]) => [host, site(host, terms)])));
  const challenges = { find: async () => null, answer: () => null };
  const { port } = await startBareProxy(t, 1, secureHandler({ snapshot: () => ({ sites }), challenges }), 'tls');
  const table: readonly (readonly [servername: string, status: Readonly<Record<string, number>>])[] = [
    ['a.localhost', { 'a.localhost': 200, 'b.localhost': 200, 'c.localhost': 421, 'x.wild.localhost': 421 }],
    ['A.Localhost', { 'a.localhost': 200, 'c.localhost': 421 }],
    ['c.localhost', { 'c.localhost:443': 200, 'a.localhost': 421, 'x.wild.localhost': 200 }],
    ['x.wild.localhost', { 'y.wild.localhost': 200, 'c.localhost': 200, 'b.localhost:8443': 421 }],
  ];
  for (const [servername, statuses] of table) {
    const peer = await openH2(t, port, { tls: { servername } });
    let stream = 1;
    for (const [host, status] of Object.entries(statuses)) {
      peer.headers(
        stream,
        [
          [':method', 'GET'],
          [':scheme', 'https'],
          [':path', '/'],
          [':authority', host],
        ],
        END_STREAM,
      );
      const before = reached.length;
      assert.equal((await peer.response(stream)).status, status, `${servername} → ${host}`);
      assert.equal(reached.length - before, status === 200 ? 1 : 0);
      stream += 2;
    }
  }
});
