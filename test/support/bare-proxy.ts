// The data plane without configuration, certificates' upkeep and listeners' limits, with its insides in reach: targets,
// deadlines, counters. Time can be played.
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { createSecureContext } from 'node:tls';
import type { TargetAddress } from '../../src/config/config.ts';
import { BufferPool } from '../../src/core/buffer-pool.ts';
import { DeadlineSweep, SWEEP_INTERVAL_MS } from '../../src/core/deadlines.ts';
import { EndOfTurn } from '../../src/core/end-of-turn.ts';
import type { PerantaraError } from '../../src/core/errors.ts';
import { createLogger } from '../../src/core/log.ts';
import { proxyHandler } from '../../src/handlers/proxy.ts';
import type { Handler } from '../../src/http/exchange.ts';
import { ExchangeFeed } from '../../src/http/exchange-feed.ts';
import { TrustedProxies } from '../../src/http/trusted-proxies.ts';
import { ServerConnection } from '../../src/http1/server-connection.ts';
import { ServerSession } from '../../src/http2/server-session.ts';
import type { Peer as Sender } from '../../src/server/gate.ts';
import { secureContextOptions, TlsAcceptor } from '../../src/server/tls-acceptor.ts';
import { tlsFacts } from '../../src/server/tls-facts.ts';
import { Target } from '../../src/upstream/target.ts';
import { TlsContexts } from '../../src/upstream/tls-contexts.ts';
import { Upstream } from '../../src/upstream/upstream.ts';
import { makeAuthority, mint } from './minted.ts';
import { connectPlain, connectSecure, type Peer } from './peer.ts';

/** Long enough that only played time passes them. */
export const TIMEOUTS = {
  handshakeMs: 50_000,
  headMs: 100_000,
  bodyIdleMs: 200_000,
  keepAliveMs: 300_000,
  tunnelIdleMs: 400_000,
  connectMs: 500_000,
  responseHeadMs: 600_000,
};

/** What carries HTTP between the client and the proxy. */
export type Carrier = 'plain' | 'tls' | 'h2c';

export interface BareProxy {
  readonly port: number;
  /** The first of `targets`. */
  readonly target: Target;
  /** In the order of the origins. */
  readonly targets: readonly Target[];
  /** Its size is the number of connections, both sides: 0 when nothing is leaked. */
  readonly sweep: DeadlineSweep;
  /** Where records of exchanges are listened for. */
  readonly records: ExchangeFeed;
  readonly connections: ReadonlySet<ServerConnection>;
  /** HTTP/2: under TLS to clients that offer `h2`, in the clear with carrier `h2c`. */
  readonly sessions: ReadonlySet<ServerSession>;
  /** Faults of Perantara's own; a test that provokes none finds none. */
  readonly faults: readonly PerantaraError[];
  /** What was logged, one JSON line each. */
  readonly logged: readonly string[];
  connect(): Promise<Peer>;
  /** Lets every deadline that is at most this far away pass. */
  passTime(ms: number): void;
  /** Resolves when no connection is left on either side; the short waits of connections that end are played. */
  idle(): Promise<void>;
}

/** `origins`: the upstream's targets; a port is one in the clear. `handler`: default, forwarding to them. */
export async function startBareProxy(
  t: Pick<TestContext, 'after'>,
  origins: number | TargetAddress | readonly (number | TargetAddress)[],
  handler?: Handler,
  carrier: Carrier = 'plain',
): Promise<BareProxy> {
  const sweep = new DeadlineSweep();
  const turn = new EndOfTurn();
  const records = new ExchangeFeed();
  const buffers = new BufferPool();
  const contexts = new TlsContexts();
  const connections = new Set<ServerConnection>();
  const sessions = new Set<ServerSession>();
  const faults: PerantaraError[] = [];
  const logged: string[] = [];
  const log = createLogger({ level: 'debug', pretty: false, write: (line) => void logged.push(line) });
  const targets = [origins].flat().map((origin) => {
    const plain = (port: number): TargetAddress => ({ kind: 'tcp', host: '127.0.0.1', port, protocol: 'http' });
    const services = { sweep, turn, buffers, contexts };
    const options = { timeouts: TIMEOUTS, idleMs: 700_000, ...services };
    return new Target(typeof origin === 'number' ? plain(origin) : origin, options);
  });
  const forward = proxyHandler({
    upstream: new Upstream(targets),
    trustedProxies: new TrustedProxies([]),
    underscoreHeaders: new Set(),
    maxBodyBytes: null,
    tracing: null,
    log,
  });
  const serve = (socket: Socket, sender: Sender, servername: string | null, speaksHttp2: boolean): void => {
    const client = { ...sender, servername, tls: tlsFacts(socket) };
    const options = {
      scheme: servername === null ? ('http' as const) : ('https' as const),
      handler: handler ?? forward,
      records,
      timeouts: TIMEOUTS,
      sweep,
      turn,
      buffers,
      onFault: (error: PerantaraError) => void faults.push(error),
    };
    if (speaksHttp2) {
      const session = new ServerSession(socket, client, { ...options, onClose: () => sessions.delete(session) });
      sessions.add(session);
      session.start();
      return;
    }
    const connection = new ServerConnection(socket, client, {
      ...options,
      onClose: () => connections.delete(connection),
    });
    connections.add(connection);
    connection.start();
  };
  const acceptor = carrier === 'tls' ? secureAcceptor(sweep, serve) : null;
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    const sender = { address: '127.0.0.1', port: socket.remotePort! };
    if (acceptor === null) serve(socket, sender, null, carrier === 'h2c');
    else acceptor.accept(socket, sender);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  t.after(() => {
    server.close();
    acceptor?.destroy();
    for (const connection of [...connections, ...sessions]) connection.destroy();
    for (const target of targets) target.destroy();
  });
  return {
    port,
    target: targets[0]!,
    targets,
    sweep,
    connections,
    sessions,
    records,
    faults,
    logged,
    connect: async () => {
      const client = await (carrier === 'tls' ? connectSecure(port) : connectPlain(port));
      t.after(() => client.destroy());
      return client;
    },
    passTime: (ms) => sweep.sweep(ms + SWEEP_INTERVAL_MS),
    idle: async () => {
      const patience = AbortSignal.timeout(10_000);
      for (let aheadMs = 2_500; sweep.size > 0; aheadMs = Math.min(aheadMs + 2_500, 10_000)) {
        patience.throwIfAborted();
        sweep.sweep(aheadMs + SWEEP_INTERVAL_MS);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
  };
}

/** One certificate for every name. */
function secureAcceptor(
  sweep: DeadlineSweep,
  serve: (socket: Socket, sender: Sender, servername: string, speaksHttp2: boolean) => void,
): TlsAcceptor {
  const { certPem, keyPem } = mint(['app.localhost'], makeAuthority());
  const contextOptions = secureContextOptions();
  const context = createSecureContext({ ...contextOptions, cert: certPem, key: keyPem });
  const contexts = { resolve: () => context, serves: () => true, resolveAddress: () => null };
  return new TlsAcceptor({
    contexts,
    contextOptions,
    handshakeMs: TIMEOUTS.handshakeMs,
    sweep,
    onSecure: (socket, sender, servername) => serve(socket, sender, servername, socket.alpnProtocol === 'h2'),
  });
}
