// More names than contexts: what becomes of sessions and connections whose context has gone.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { CertificateResolver } from '../../src/certs/resolver.ts';
import { DeadlineSweep } from '../../src/core/deadlines.ts';
import { secureContextOptions, TlsAcceptor } from '../../src/server/tls-acceptor.ts';
import { capturedLog } from '../support/captured-log.ts';
import { makeAuthority, mint } from '../support/minted.ts';
import { connectSecure, type Peer } from '../support/peer.ts';

const root = makeAuthority();

/** An echo server for `names`, with room for one context. */
async function serve(t: TestContext, names: readonly string[]) {
  const contextOptions = secureContextOptions();
  const resolver = new CertificateResolver({ contextOptions, log: capturedLog().log, maxContexts: 1 });
  for (const name of names) resolver.restore(name, mint([name], root));
  const sweep = new DeadlineSweep();
  const onSecure = (socket: TLSSocket): void => void socket.on('error', () => {}).pipe(socket);
  const acceptor = new TlsAcceptor({ contexts: resolver, contextOptions, handshakeMs: 10_000, sweep, onSecure });
  const server = createServer({ allowHalfOpen: true }, (socket) =>
    acceptor.accept(socket, { address: '127.0.0.1', port: socket.remotePort ?? 0 }),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    acceptor.destroy();
    server.close();
  });
  const connect = async (options: Parameters<typeof connectSecure>[1]): Promise<Peer> => {
    const trust = { ca: root.certPem, rejectUnauthorized: true };
    const client = await connectSecure((server.address() as AddressInfo).port, { ...trust, ...options });
    t.after(() => client.destroy());
    return client;
  };
  return { resolver, connect };
}

async function echoes(client: Peer, text: string): Promise<void> {
  await client.send(text);
  await client.until(text);
}

for (const version of ['TLSv1.2', 'TLSv1.3'] as const)
  test(`a ${version} session is resumed although its context has gone, and a connection lives on without it`, async (t) => {
    const { resolver, connect } = await serve(t, ['a.example.com', 'b.example.com']);
    const options = { minVersion: version, maxVersion: version };
    const first = await connect({ servername: 'a.example.com', ...options });
    let session = (first.socket as TLSSocket).getSession();
    first.socket.on('session', (ticket: Buffer) => {
      session = Buffer.from(ticket);
    });
    await echoes(first, 'before');

    await echoes(await connect({ servername: 'b.example.com', ...options }), 'another');
    assert.equal(resolver.built, 1);
    await echoes(first, 'after');

    const made = t.mock.method(resolver, 'resolve');
    const resumed = await connect({ servername: 'a.example.com', ...options, session: session! });
    assert.equal((resumed.socket as TLSSocket).isSessionReused(), true);
    await echoes(resumed, 'resumed');
    assert.equal(made.mock.callCount(), 0, 'a resumed session needs no context');
    await echoes(await connect({ servername: 'a.example.com', ...options }), 'made anew');
    await echoes(first, 'still there');
  });

test('many names in turn are each shown their own certificate', async (t) => {
  const names = Array.from({ length: 20 }, (_, index) => `${index}.example.com`);
  const { connect, resolver } = await serve(t, names);
  const clients = await Promise.all(names.map((servername) => connect({ servername })));
  for (const [index, client] of clients.entries()) {
    assert.equal((client.socket as TLSSocket).getPeerCertificate().subject.CN, names[index]);
    await echoes(client, `${index}`);
  }
  assert.equal(resolver.built, 1);
});
