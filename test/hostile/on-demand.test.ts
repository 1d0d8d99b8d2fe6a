// Item 35: thousands of random server names, addresses, local and malformed names at a server that obtains certificates on
// demand, with a real ask endpoint that is down, slow, or says yes to everything. Sites are answered meanwhile.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { AskClient } from '../../src/certs/on-demand/ask.ts';
import { OnDemandCertificates } from '../../src/certs/on-demand/on-demand.ts';
import { CertificateResolver } from '../../src/certs/resolver.ts';
import { systemClock } from '../../src/core/clock.ts';
import { DeadlineSweep } from '../../src/core/deadlines.ts';
import { secureContextOptions, TlsAcceptor } from '../../src/server/tls-acceptor.ts';
import { type AskServer, startAskServer } from '../support/ask-server.ts';
import { capturedLog } from '../support/captured-log.ts';
import { FakeDemandIssuance } from '../support/fake-demand-issuance.ts';
import { handlesBackTo, liveHandles } from '../support/handles.ts';
import { makeAuthority, mint } from '../support/minted.ts';
import { connectPlain, connectSecure } from '../support/peer.ts';
import { clientHello } from './client-hello.ts';

const SITE = 'www.example.com';
const HELLOS = 3_000;
const AT_ONCE = 50;
const HOSTILE_NAMES = ['127.0.0.1', 'localhost', 'a..b', '*.x.com', '*', `${'a'.repeat(63)}.`.repeat(4), 'x', '-.com'];

interface Rig {
  readonly names: OnDemandCertificates;
  readonly asks: AskClient;
  readonly issuance: FakeDemandIssuance;
  readonly logged: readonly unknown[];
  readonly port: number;
  /** One ClientHello: resolves with the first bytes of the answer, an alert for most. */
  greet(name: string): Promise<string>;
  /** A handshake and an echo for the site. */
  site(): Promise<void>;
  close(): Promise<void>;
}

async function serve(t: TestContext, ask: AskServer): Promise<Rig> {
  const { log, lines } = capturedLog();
  const contextOptions = secureContextOptions();
  const resolver = new CertificateResolver({ contextOptions, log });
  resolver.publish(SITE, mint([SITE], makeAuthority()));
  const issuance = new FakeDemandIssuance(systemClock, resolver);
  const asks = new AskClient({
    ask: ask.url,
    allowMs: 3_600_000,
    refuseMs: 300_000,
    clock: systemClock,
    log,
    timeoutMs: 500,
  });
  const isSite = (name: string): boolean => name === SITE;
  const names = new OnDemandCertificates(
    { refuseMs: 300_000, perAddressPerHour: 10, perHour: 100, maxPending: 20 },
    { issuance, asks, contexts: resolver, isConfigured: isSite, isSite, log, clock: systemClock },
  );
  await names.start();
  let client = 0;
  const acceptor = new TlsAcceptor({
    contexts: resolver,
    lastResort: names,
    contextOptions,
    handshakeMs: 10_000,
    sweep: new DeadlineSweep(),
    onSecure: (socket: TLSSocket) => void socket.on('error', () => {}).pipe(socket),
  });
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    // A crowd of 250 addresses.
    acceptor.accept(socket, { address: `198.51.100.${++client % 250}`, port: 1 });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const close = async (): Promise<void> => {
    acceptor.destroy();
    if (server.listening) await once(server.close(), 'close');
    await names.close();
  };
  t.after(close);
  const { port } = server.address() as AddressInfo;
  return {
    names,
    asks,
    issuance,
    logged: lines,
    port,
    greet: async (name) => {
      const peer = await connectPlain(port);
      await peer.send(clientHello({ names: [name] }));
      await peer.when(() => peer.text !== '', 'an answer');
      peer.destroy();
      return peer.text;
    },
    site: async () => {
      const peer = await connectSecure(port, { servername: SITE });
      await peer.send('ping');
      await peer.until('ping');
      peer.destroy();
    },
    close,
  };
}

/** Random names, and between them what is no name at all. */
function randomName(index: number): string {
  return index % 8 === 7
    ? HOSTILE_NAMES[(index >> 3) % HOSTILE_NAMES.length]!
    : `${randomBytes(6).toString('hex')}.example.net`;
}

/** So many hellos by so many clients at once; the site is asked for all the while. */
async function flood(rig: Rig): Promise<void> {
  let sent = 0;
  const client = async (): Promise<void> => {
    while (sent < HELLOS) {
      if (++sent % 100 === 0) await rig.site();
      await rig.greet(randomName(sent));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, client));
}

const ENDPOINTS: readonly (readonly [string, (server: AskServer) => unknown])[] = [
  ['refuses everything', (server) => (server.answer = 403)],
  ['is down', (server) => server.stop()],
  ['never answers', (server) => (server.answer = () => {})],
  ['fails', (server) => (server.answer = 500)],
  ['allows everything', (server) => (server.answer = 200)],
];

for (const [what, prepare] of ENDPOINTS)
  test(`${HELLOS} random names at an ask endpoint that ${what} hurt no site and leave nothing behind`, async (t) => {
    const handles = liveHandles();
    const ask = await startAskServer(t);
    await prepare(ask);
    const rig = await serve(t, ask);
    await rig.site();
    const before = process.memoryUsage().rss;
    await flood(rig);
    const grown = (process.memoryUsage().rss - before) / 1024 / 1024;
    assert.ok(grown < 150, `${grown} MiB`);
    assert.ok(ask.most <= 16, `${ask.most} questions at once`);
    assert.ok(rig.issuance.obtained.length <= 100 + 2, `${rig.issuance.obtained.length} orders`);
    assert.ok(rig.logged.length <= 2 * 7 + ask.questions.length + 2, `${rig.logged.length} lines`);
    for (const name of HOSTILE_NAMES) assert.ok(!ask.questions.some(({ domain }) => domain === name), name);
    await rig.site();
    while (rig.names.pending > 0) await new Promise(setImmediate);
    await rig.close();
    await ask.stop();
    await handlesBackTo(handles);
  });
