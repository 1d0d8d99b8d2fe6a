// Session tickets: how long a client may come back with one, and to whom.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { CertificateResolver } from '../../src/certs/resolver.ts';
import { DeadlineSweep } from '../../src/core/deadlines.ts';
import { rotatedTicketKeys, type TicketKeySet, TicketKeys } from '../../src/server/ticket-keys.ts';
import { secureContextOptions, TlsAcceptor } from '../../src/server/tls-acceptor.ts';
import { capturedLog } from '../support/captured-log.ts';
import { makeAuthority, mint } from '../support/minted.ts';
import { connectSecure } from '../support/peer.ts';

const root = makeAuthority();
const certificate = mint(['a.example.com', '127.0.0.1'], root);

/** Says `x` to whoever comes. */
async function serve(t: TestContext, keys: TicketKeySet) {
  const contextOptions = secureContextOptions();
  const resolver = new CertificateResolver({ contextOptions, log: capturedLog().log });
  for (const name of ['a.example.com', '127.0.0.1']) resolver.restore(name, certificate);
  const tickets = new TicketKeys(keys);
  const onSecure = (socket: TLSSocket): void => void socket.on('error', () => {}).write('x');
  const options = { contexts: resolver, contextOptions, tickets, handshakeMs: 10_000, sweep: new DeadlineSweep() };
  const acceptor = new TlsAcceptor({ ...options, onSecure });
  const server = createServer({ allowHalfOpen: true }, (socket) =>
    acceptor.accept(socket, { address: '127.0.0.1', port: socket.remotePort ?? 0 }),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    acceptor.destroy();
    server.close();
  });
  return { tickets, port: (server.address() as AddressInfo).port };
}

interface Visit {
  readonly resumed: boolean;
  /** The last that was given. */
  readonly session: Buffer | undefined;
}

type Version = 'TLSv1.2' | 'TLSv1.3';

async function visit(port: number, version: Version, session?: Buffer, servername = 'a.example.com'): Promise<Visit> {
  const options = { servername, minVersion: version, maxVersion: version, ca: root.certPem };
  const peer = await connectSecure(port, session === undefined ? options : { ...options, session });
  const socket = peer.socket as TLSSocket;
  let given: Buffer | undefined;
  socket.on('session', (ticket: Buffer) => {
    given = Buffer.from(ticket);
  });
  await peer.until('x'); // TLS 1.3: tickets come before
  const resumed = socket.isSessionReused();
  if (version === 'TLSv1.2') given ??= socket.getSession();
  peer.destroy();
  return { resumed, session: given };
}

for (const version of ['TLSv1.2', 'TLSv1.3'] as const)
  describe(`tickets of ${version}`, () => {
    it('are taken by whoever has the keys that they were made with', async (t) => {
      const keys = rotatedTicketKeys(null);
      const [one, another, stranger] = [
        await serve(t, keys),
        await serve(t, structuredClone(keys)),
        await serve(t, rotatedTicketKeys(null)),
      ];
      const { session, resumed } = await visit(one.port, version);
      assert.equal(resumed, false);
      assert.equal((await visit(another.port, version, session)).resumed, true);
      assert.equal((await visit(stranger.port, version, session)).resumed, false);
    });

    it('outlive one new key, when they are replaced, and not two', async (t) => {
      let keys = rotatedTicketKeys(null);
      const { port, tickets } = await serve(t, keys);
      const first = await visit(port, version);
      keys = rotatedTicketKeys(keys);
      tickets.adopt(keys);
      const second = await visit(port, version, first.session);
      assert.equal(second.resumed, true);
      keys = rotatedTicketKeys(keys);
      tickets.adopt(keys);
      assert.equal((await visit(port, version, first.session)).resumed, false);
      assert.equal((await visit(port, version, second.session)).resumed, true, 'replaced when the first key had gone');
    });

    it('are taken from clients that send no server name', async (t) => {
      const keys = rotatedTicketKeys(null);
      const { port, tickets } = await serve(t, keys);
      const first = await visit(port, version, undefined, '');
      tickets.adopt(rotatedTicketKeys(keys));
      assert.equal((await visit(port, version, first.session, '')).resumed, true);
    });
  });
