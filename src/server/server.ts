// The composition root: one config becomes listeners, certificates, upstreams and connections, and goes away again
// without losing a request. Start never waits for a certificate authority.
import type { AddressInfo, Socket } from 'node:net';
import { createCertificateAutomation } from '../certs/automation.ts';
import type { Config, ListenAddress } from '../config/config.ts';
import { BufferPool } from '../core/buffer-pool.ts';
import type { Clock } from '../core/clock.ts';
import { DeadlineSweep } from '../core/deadlines.ts';
import { EndOfTurn } from '../core/end-of-turn.ts';
import { messageOf, PerantaraError } from '../core/errors.ts';
import type { Lifecycle } from '../core/lifecycle.ts';
import type { Logger } from '../core/log.ts';
import type { Handler } from '../http/exchange.ts';
import { TrustedProxies } from '../http/trusted-proxies.ts';
import { ServerConnection } from '../http1/server-connection.ts';
import { ServerSession } from '../http2/server-session.ts';
import { TlsContexts } from '../upstream/tls-contexts.ts';
import { ConnectionLimiter } from './connection-limiter.ts';
import { type DispatchServices, plainHandler, secureHandler } from './dispatch.ts';
import { Gate, type Peer } from './gate.ts';
import { Listener } from './listener.ts';
import { OpeningBytes } from './opening-bytes.ts';
import { beginsAsHttp2 } from './prior-knowledge.ts';
import { buildSnapshot } from './snapshot.ts';
import { TargetRegistry } from './target-registry.ts';
import { secureContextOptions, TlsAcceptor } from './tls-acceptor.ts';

export interface ServerServices {
  readonly log: Logger;
  readonly clock: Clock;
}

export interface BoundAddress {
  readonly address: string;
  readonly port: number;
}

export class Server implements Lifecycle {
  readonly #config: Config;
  readonly #log: Logger;
  readonly #sweep = new DeadlineSweep();
  readonly #turn = new EndOfTurn();
  readonly #buffers = new BufferPool();
  readonly #connections = new Set<ServerConnection | ServerSession>();
  readonly #targets: TargetRegistry;
  readonly #certificates: ReturnType<typeof createCertificateAutomation>;
  readonly #gate: Gate;
  readonly #opening: OpeningBytes;
  readonly #acceptor: TlsAcceptor;
  readonly #http: readonly Listener[];
  readonly #https: readonly Listener[];
  #state: 'new' | 'started' | 'closing' | 'closed' = 'new';
  #closed: Promise<void> | null = null;
  #onLastConnection: () => void = () => {};
  /** Remembered, since redirects are still answered while closing. */
  #httpsPort = 443;

  constructor(config: Config, services: ServerServices) {
    const { timeouts, listen } = config;
    const sweep = this.#sweep;
    this.#config = config;
    this.#log = services.log;
    const contextOptions = secureContextOptions();
    this.#certificates = createCertificateAutomation(config, { ...services, contextOptions });
    this.#targets = new TargetRegistry({
      timeouts,
      idleMs: timeouts.upstreamIdleMs,
      sweep,
      turn: this.#turn,
      buffers: this.#buffers,
      contexts: new TlsContexts(),
    });
    const { onDemand } = this.#certificates;
    const snapshot = buildSnapshot(config, {
      target: this.#targets.get,
      servesOnDemand: (host) => onDemand?.serves(host) === true,
      log: services.log,
    });
    const dispatch: DispatchServices = { snapshot: () => snapshot, challenges: this.#certificates.challenges };
    const secure = secureHandler(dispatch);
    this.#acceptor = new TlsAcceptor({
      contexts: this.#certificates.resolver,
      challenges: this.#certificates.alpnChallenges,
      lastResort: onDemand,
      lastResortMs: config.onDemand?.waitMs ?? 0,
      contextOptions,
      handshakeMs: timeouts.handshakeMs,
      sweep,
      onSecure: (socket, peer, servername) =>
        this.#serve(socket, peer, servername, secure, socket.alpnProtocol === 'h2'),
    });
    const plain = plainHandler(dispatch, () => this.#httpsPort);
    this.#gate = new Gate({
      limiter: new ConnectionLimiter(config.limits),
      trustedProxies: new TrustedProxies(config.trustedProxies),
      headerMs: timeouts.handshakeMs,
      sweep,
      log: services.log,
    });
    this.#opening = new OpeningBytes(sweep, timeouts.headMs);
    const listener = (address: ListenAddress, pass: (socket: Socket, peer: Peer) => void): Listener =>
      new Listener(address, (socket) => this.#gate.admit(socket, address.proxyProtocol, pass));
    this.#http = listen.http.map((address) =>
      listener(address, (socket, peer) => {
        const serve = (speaksHttp2: boolean): void => this.#serve(socket, peer, null, plain, speaksHttp2);
        if (address.h2c) this.#opening.read(socket, beginsAsHttp2, serve, () => {});
        else serve(false);
      }),
    );
    this.#https = listen.https.map((address) =>
      listener(address, (socket, peer) => this.#acceptor.accept(socket, peer)),
    );
  }

  /** Bound addresses in config order; only while listening. */
  get addresses(): { readonly http: readonly BoundAddress[]; readonly https: readonly BoundAddress[] } {
    const bound = (listener: Listener): AddressInfo => listener.bound;
    return { http: this.#http.map(bound), https: this.#https.map(bound) };
  }

  /**
   * Opens every listener and begins to look after certificates. Rejects with one PerantaraError whose message names
   * every listener that cannot be opened (`listen_*`); nothing is left running then.
   */
  async start(): Promise<void> {
    const listeners = [...this.#http, ...this.#https];
    // Stored certificates first, so that no handshake is refused that need not be; the CA only once it can be answered.
    await this.#certificates.manager.load();
    await this.#certificates.onDemand?.start();
    if (this.#state !== 'new') return; // closed meanwhile
    this.#state = 'started';
    const results = await Promise.allSettled(listeners.map((listener) => listener.open()));
    const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
    try {
      if (failures.length > 0) throw combined(failures);
      const ports = this.addresses.https.map(({ port }) => port);
      this.#httpsPort = this.#config.listen.redirectPort ?? (ports.includes(443) ? 443 : (ports[0] ?? 443));
      await this.#certificates.manager.start();
      await this.#certificates.supplied.start();
    } catch (error) {
      this.destroy();
      throw error;
    }
  }

  /** Stops accepting, closes idle connections at once, and waits for the others up to the drain timeout. */
  close(): Promise<void> {
    this.#closed ??= this.#drain();
    return this.#closed;
  }

  destroy(reason?: Error): void {
    this.#state = 'closed';
    for (const listener of [...this.#http, ...this.#https]) listener.close();
    this.#gate.destroy();
    this.#opening.destroy();
    this.#acceptor.destroy();
    for (const connection of this.#connections) connection.destroy();
    this.#targets.destroy();
    this.#certificates.onDemand?.destroy(reason);
    this.#certificates.manager.destroy(reason);
    this.#certificates.supplied.destroy();
    void this.#certificates.hook?.close();
    this.#onLastConnection();
  }

  async #drain(): Promise<void> {
    if (this.#state !== 'started') {
      this.destroy();
      return;
    }
    this.#state = 'closing';
    // At once: without listeners nobody could prove a name, and what failed would count at the CA.
    const certificates = this.#closeCertificates();
    for (const listener of [...this.#http, ...this.#https]) listener.close();
    this.#gate.destroy();
    this.#opening.destroy();
    this.#acceptor.destroy();
    for (const connection of this.#connections) connection.drain();
    this.#targets.closeIdle();
    if (this.#connections.size > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#onLastConnection = resolve;
      const timer = setTimeout(resolve, this.#config.timeouts.drainMs);
      await promise;
      clearTimeout(timer);
      if (this.#connections.size > 0) {
        this.#log.warn({ connections: this.#connections.size }, 'connections cut after the drain timeout');
      }
    }
    await certificates;
    this.destroy();
  }

  async #closeCertificates(): Promise<void> {
    const { onDemand, manager, supplied, hook } = this.#certificates;
    await Promise.all([onDemand?.close(), manager.close(), supplied.close()]);
    await hook?.close();
  }

  #serve(socket: Socket, peer: Peer, servername: string | null, handler: Handler, speaksHttp2 = false): void {
    if (this.#state !== 'started') {
      socket.destroy();
      return;
    }
    const client = { ...peer, servername };
    const options = {
      scheme: servername === null ? ('http' as const) : ('https' as const),
      handler,
      timeouts: this.#config.timeouts,
      sweep: this.#sweep,
      turn: this.#turn,
      buffers: this.#buffers,
      onFault: (error: PerantaraError) => this.#log.error({ err: error }, 'request failed inside Perantara'),
      onClose: () => {
        this.#connections.delete(connection);
        if (this.#connections.size === 0 && this.#state === 'closing') this.#onLastConnection();
      },
    };
    const connection = speaksHttp2
      ? new ServerSession(socket, client, options)
      : new ServerConnection(socket, client, options);
    this.#connections.add(connection);
    connection.start();
  }
}

function combined(failures: readonly unknown[]): PerantaraError {
  const first = failures[0];
  const known = first instanceof PerantaraError ? first : null;
  return new PerantaraError(failures.map(messageOf).join('\n'), {
    code: known?.code ?? 'listen_failed',
    source: known?.source ?? 'internal',
    cause: failures.length === 1 ? known?.cause : failures,
  });
}
