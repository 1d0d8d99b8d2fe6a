// Item 29: a handshake whose certificate cannot be had fails; the process and other handshakes go on. That a look-up hangs
// cannot happen: the acceptor asks synchronously, out of memory.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createSecureContext, type SecureContext } from 'node:tls';
import { DeadlineSweep } from '../../src/core/deadlines.ts';
import { type ContextSource, secureContextOptions, TlsAcceptor } from '../../src/server/tls-acceptor.ts';
import { request, startChain } from '../support/chain.ts';
import { makeAuthority, mint } from '../support/minted.ts';
import { connectSecure } from '../support/peer.ts';

/** Answers whoever gets through its handshake with their server name. */
async function startAcceptor(t: TestContext, contexts: ContextSource): Promise<{ port: number; sweep: DeadlineSweep }> {
  const sweep = new DeadlineSweep();
  const onSecure = (socket: Socket, _peer: unknown, name: string): void => {
    socket.on('error', () => {});
    socket.end(name);
  };
  const acceptor = new TlsAcceptor({
    contexts,
    contextOptions: secureContextOptions(),
    handshakeMs: 60_000,
    sweep,
    onSecure,
  });
  const server = createServer({ allowHalfOpen: true }, (raw) =>
    acceptor.accept(raw, { address: '127.0.0.1', port: 1 }),
  );
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => {
    server.close();
    acceptor.destroy();
  });
  return { port: (server.address() as AddressInfo).port, sweep };
}

function contextFor(name: string): SecureContext {
  const { certPem, keyPem } = mint([name], makeAuthority());
  return createSecureContext({ ...secureContextOptions(), cert: certPem, key: keyPem });
}

test('a look-up that throws fails its own handshake and no other (Node CVE-2026-21637)', async (t) => {
  const good = contextFor('app.localhost');
  const { port, sweep } = await startAcceptor(t, {
    resolve: (name) => {
      if (name === 'bad.localhost') throw new Error('the look-up broke');
      return good;
    },
    serves: () => true,
    resolveAddress: () => null,
  });
  for (let i = 0; i < 3; i++) {
    await assert.rejects(connectSecure(port, { servername: 'bad.localhost' }));
    const client = await connectSecure(port, { servername: 'app.localhost' });
    assert.equal(await client.end(), 'app.localhost');
    client.destroy();
  }
  assert.equal(sweep.size, 0, 'no handshake is left waiting');
});

test('storage that is gone after the start hinders no handshake', async (t) => {
  const storage = await mkdtemp(join(tmpdir(), 'perantara-storage-'));
  t.after(() => rm(storage, { recursive: true, force: true }));
  const { connect } = await startChain(t, { config: { storage } });
  await rm(storage, { recursive: true });
  for (let i = 0; i < 3; i++) {
    const client = await connect();
    await client.send(request());
    assert.equal((await client.message()).body, 'hello');
  }
});
