// Every hostile handshake against Perantara. The inputs: cases/handshakes.ts.
import assert from 'node:assert/strict';
import { after, before, describe, it, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { request, startChain } from '../support/chain.ts';
import { connectSecure } from '../support/peer.ts';
import { handshakeCases } from './cases/handshakes.ts';
import { Grounds } from './grounds.ts';
import { handshakeDeviations } from './handshake-case.ts';
import { Range } from './range.ts';
import { startPerantaraHere } from './subjects/perantara-here.ts';
import { PATIENCE_MS } from './theme-tests.ts';

describe('Handshakes', () => {
  let grounds: Grounds;
  before(async () => {
    grounds = await Grounds.open({
      start: startPerantaraHere,
      setting: 'usual',
      patienceMs: PATIENCE_MS,
      awaitsDrops: true,
    });
  });
  after(() => grounds.close());
  for (const hostile of handshakeCases) {
    it(`item ${hostile.item}: ${hostile.name} (${hostile.source})`, async () => {
      assert.deepEqual(handshakeDeviations(hostile, await new Range(grounds).shake(hostile)), []);
    });
  }
});

test('renegotiation, which TLS 1.2 still has, is refused (CVE-2009-3555, CVE-2011-1473)', async (t) => {
  const { httpsPort, connect } = await startChain(t);
  const client = await connectSecure(httpsPort, { maxVersion: 'TLSv1.2' });
  t.after(() => client.destroy());
  const socket = client.socket as TLSSocket;
  const { promise, resolve } = Promise.withResolvers<Error | null>();
  socket.renegotiate({}, resolve);
  const ended = client.end().then(() => new Error('the connection ended'));
  assert.ok((await Promise.race([promise, ended])) instanceof Error);
  const next = await connect();
  await next.send(request());
  assert.equal((await next.message()).body, 'hello');
});
