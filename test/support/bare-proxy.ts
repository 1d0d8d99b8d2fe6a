// The data plane without TLS and certificates, with its insides in reach: targets, deadlines, counters. Time can be played.
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import type { TestContext } from 'node:test';
import { BufferPool } from '../../src/core/buffer-pool.ts';
import { DeadlineSweep, SWEEP_INTERVAL_MS } from '../../src/core/deadlines.ts';
import { EndOfTurn } from '../../src/core/end-of-turn.ts';
import type { PerantaraError } from '../../src/core/errors.ts';
import { createLogger } from '../../src/core/log.ts';
import { YoungCollector } from '../../src/core/young-collector.ts';
import { proxyHandler } from '../../src/handlers/proxy.ts';
import type { Handler } from '../../src/http/exchange.ts';
import { TrustedProxies } from '../../src/http/trusted-proxies.ts';
import { ServerConnection } from '../../src/http1/server-connection.ts';
import { Target } from '../../src/upstream/target.ts';
import { Upstream } from '../../src/upstream/upstream.ts';
import { connectPlain, type Peer } from './peer.ts';

/** Long enough that only played time passes them. */
export const TIMEOUTS = {
  headMs: 100_000,
  bodyIdleMs: 200_000,
  keepAliveMs: 300_000,
  tunnelIdleMs: 400_000,
  connectMs: 500_000,
  responseHeadMs: 600_000,
};

export interface BareProxy {
  readonly target: Target;
  /** Its size is the number of connections, both sides: 0 when nothing is leaked. */
  readonly sweep: DeadlineSweep;
  readonly connections: ReadonlySet<ServerConnection>;
  /** Faults of Perantara's own; a test that provokes none finds none. */
  readonly faults: readonly PerantaraError[];
  connect(): Promise<Peer>;
  /** Lets every deadline that is at most this far away pass. */
  passTime(ms: number): void;
  /** Resolves when no connection is left on either side; the short waits of connections that end are played. */
  idle(): Promise<void>;
}

export async function startBareProxy(t: TestContext, originPort: number, handler?: Handler): Promise<BareProxy> {
  const sweep = new DeadlineSweep();
  const turn = new EndOfTurn();
  const buffers = new BufferPool();
  const collector = new YoungCollector();
  const connections = new Set<ServerConnection>();
  const faults: PerantaraError[] = [];
  const log = createLogger({ level: 'debug', pretty: false, write: () => {} });
  const target = new Target(
    { kind: 'tcp', host: '127.0.0.1', port: originPort },
    { timeouts: TIMEOUTS, idleMs: 700_000, sweep, turn, buffers, collector },
  );
  const forward = proxyHandler({
    upstream: new Upstream([target]),
    trustedProxies: new TrustedProxies([]),
    underscoreHeaders: new Set(),
    maxBodyBytes: null,
    log,
  });
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    const client = { address: '127.0.0.1', port: socket.remotePort!, servername: null };
    const connection = new ServerConnection(socket, client, {
      scheme: 'http',
      handler: handler ?? forward,
      timeouts: TIMEOUTS,
      sweep,
      turn,
      buffers,
      collector,
      onFault: (error) => void faults.push(error),
      onClose: () => connections.delete(connection),
    });
    connections.add(connection);
    connection.start();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    for (const connection of connections) connection.destroy();
    target.destroy();
  });
  return {
    target,
    sweep,
    connections,
    faults,
    connect: async () => {
      const client = await connectPlain((server.address() as AddressInfo).port);
      t.after(() => client.destroy());
      return client;
    },
    passTime: (ms) => sweep.sweep(ms + SWEEP_INTERVAL_MS),
    idle: async () => {
      const patience = AbortSignal.timeout(10_000);
      while (sweep.size > 0) {
        patience.throwIfAborted();
        sweep.sweep(2_500 + SWEEP_INTERVAL_MS);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
  };
}
