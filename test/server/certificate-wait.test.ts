// Handshakes that wait for a certificate: how they end, and what they hold meanwhile.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { createSecureContext, type TLSSocket } from 'node:tls';
import { DemandFlight } from '../../src/certs/on-demand/flight.ts';
import { DeadlineSweep } from '../../src/core/deadlines.ts';
import { secureContextOptions, TlsAcceptor } from '../../src/server/tls-acceptor.ts';
import { clientHello, record } from '../hostile/client-hello.ts';
import { makeAuthority, mint } from '../support/minted.ts';
import { connectPlain, connectSecure, type Peer } from '../support/peer.ts';

const NAME = 'new.example.com';

interface Rig {
  readonly port: number;
  readonly flight: DemandFlight;
  readonly asked: [string, string][];
  /** Sockets accepted and not closed yet. */
  readonly open: Set<unknown>;
  /** Resolves when so many handshakes wait. */
  waiting(count: number): Promise<void>;
  arrive(): void;
}

/** One flight for every name; handshakes may take a minute unless told otherwise. */
async function serve(t: TestContext, lastResortMs = 60_000, handshakeMs = 60_000): Promise<Rig> {
  const contextOptions = secureContextOptions();
  const { certPem, keyPem } = mint([NAME], makeAuthority());
  const flight = new DemandFlight();
  const asked: [string, string][] = [];
  const open = new Set<unknown>();
  const acceptor = new TlsAcceptor({
    contexts: { resolve: () => null, serves: () => false, resolveAddress: () => null },
    lastResort: {
      demand: (name, address) => {
        asked.push([name, address]);
        return flight;
      },
      serves: () => true,
    },
    lastResortMs,
    contextOptions,
    handshakeMs,
    sweep: new DeadlineSweep(),
    onSecure: (socket: TLSSocket) => void socket.on('error', () => {}).pipe(socket),
  });
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    acceptor.accept(socket, { address: '192.0.2.7', port: 1 });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => {
    acceptor.destroy();
    server.close();
  });
  return {
    port: (server.address() as AddressInfo).port,
    flight,
    asked,
    open,
    waiting: async (count) => {
      while (flight.waiting !== count) await new Promise(setImmediate);
    },
    arrive: () => flight.settle(createSecureContext({ ...contextOptions, cert: certPem, key: keyPem })),
  };
}

/** A raw connection that has sent its ClientHello. */
async function greet(t: TestContext, { port }: Rig): Promise<Peer> {
  const client = await connectPlain(port);
  t.after(() => client.destroy());
  await client.send(clientHello({ names: [NAME] }));
  return client;
}

for (const version of ['TLSv1.2', 'TLSv1.3'] as const)
  test(`a ${version} handshake waits for its certificate and goes on with it`, async (t) => {
    const rig = await serve(t);
    const connecting = connectSecure(rig.port, { servername: NAME, minVersion: version, maxVersion: version });
    await rig.waiting(1);
    assert.deepEqual(rig.asked, [[NAME, '192.0.2.7']], 'the address is that of the peer');
    rig.arrive();
    const client = await connecting;
    t.after(() => client.destroy());
    assert.equal((client.socket as TLSSocket).getPeerCertificate().subject.CN, NAME);
    await client.send('hello');
    await client.until('hello');
    assert.equal(rig.flight.waiting, 0);
  });

test('a certificate that is there at once makes nobody wait', async (t) => {
  const rig = await serve(t);
  rig.arrive();
  const client = await connectSecure(rig.port, { servername: NAME });
  client.destroy();
});

for (const [what, waitMs, handshakeMs] of [
  ['the wait ends', 100, 60_000],
  ['the handshake may take no longer, whatever the wait', 60_000, 100],
] as const)
  test(`an alert refuses the handshake when ${what}, and the work goes on`, async (t) => {
    const rig = await serve(t, waitMs, handshakeMs);
    await assert.rejects(connectSecure(rig.port, { servername: NAME }), /unrecognized name/);
    assert.equal(rig.flight.waiting, 0);
    rig.arrive();
    const client = await connectSecure(rig.port, { servername: NAME });
    client.destroy();
  });

test('an alert refuses the handshake when no certificate comes', async (t) => {
  const rig = await serve(t);
  const connecting = connectSecure(rig.port, { servername: NAME });
  await rig.waiting(1);
  rig.flight.settle(null);
  await assert.rejects(connecting, /unrecognized name/);
});

for (const how of ['finish', 'reset'] as const)
  test(`a client that leaves while it waits (${how}) leaves nothing behind`, async (t) => {
    const rig = await serve(t);
    const clients = await Promise.all(Array.from({ length: 20 }, () => greet(t, rig)));
    await rig.waiting(20);
    for (const client of clients) client[how]();
    await rig.waiting(0);
    for (const client of clients) client.destroy();
    while (rig.open.size > 0) await new Promise(setImmediate);
    rig.arrive();
  });

test('a client that talks on while it waits is cut off before it fills the memory', async (t) => {
  const rig = await serve(t);
  const client = await greet(t, rig);
  await rig.waiting(1);
  const chatter = record(23, Buffer.alloc(16_384));
  while (client.ended === 'no') await client.send(chatter);
  await rig.waiting(0);
  assert.equal(rig.flight.waiting, 0);
});
