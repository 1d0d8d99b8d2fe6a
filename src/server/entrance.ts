// The way of a client from an accepted socket to a connection that can be answered: who is it, is there room, TLS and its
// protocol. Each step looks at the configuration in force when it is taken.
import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { SecureContextOptions } from 'node:tls';
import type { Config } from '../config/config.ts';
import type { DeadlineSweep } from '../core/deadlines.ts';
import type { Logger } from '../core/log.ts';
import type { Client } from '../http/exchange.ts';
import type { ExchangeFeed } from '../http/exchange-feed.ts';
import { TrustedProxies } from '../http/trusted-proxies.ts';
import type { ConnectionFigures } from '../observe/metrics/connection-figures.ts';
import type { CertificateSource } from './certificate-source.ts';
import { ConnectionLimiter } from './connection-limiter.ts';
import { Gate, type Peer, type SharedAdmission } from './gate.ts';
import type { Listening } from './listeners.ts';
import { OpeningBytes } from './opening-bytes.ts';
import { beginsAsHttp2 } from './prior-knowledge.ts';
import type { TicketKeys } from './ticket-keys.ts';
import { TlsAcceptor } from './tls-acceptor.ts';
import { tlsFacts } from './tls-facts.ts';

/** How long those on their way in, in a handshake most of them, may take when no more are let in. */
const ARRIVAL_MS = 1_000;
/** Between two looks at whether those on the way have come in. */
const LOOK_MS = 20;

export interface EntranceOptions {
  readonly certificates: CertificateSource;
  readonly tickets: TicketKeys;
  /** See Gate. */
  readonly together: SharedAdmission | null;
  /** Of every certificate's context. */
  readonly contextOptions: SecureContextOptions;
  readonly sweep: DeadlineSweep;
  readonly log: Logger;
  /** Whoever wants records wants to know what TLS agreed on. */
  readonly records: ExchangeFeed;
  readonly figures: ConnectionFigures;
  /** `client` is in; it speaks HTTP/2 or HTTP/1.x. */
  readonly onConnection: (socket: Socket, client: Client, listening: Listening, speaksHttp2: boolean) => void;
}

/** A client, and the listener that it came by. */
interface Arrival extends Peer {
  readonly listening: Listening;
}

export class Entrance {
  readonly #onConnection: EntranceOptions['onConnection'];
  readonly #records: ExchangeFeed;
  readonly #figures: ConnectionFigures;
  readonly #limiter: ConnectionLimiter;
  readonly #gate: Gate;
  readonly #opening: OpeningBytes;
  readonly #acceptor: TlsAcceptor<Arrival>;
  #config: Config;
  #trustedProxies: TrustedProxies;

  constructor(config: Config, options: EntranceOptions) {
    const { certificates, contextOptions, tickets, together, sweep, log, records, figures, onConnection } = options;
    const inForce = (): Config => this.#config;
    const trustedProxies = (): TrustedProxies => this.#trustedProxies;
    this.#config = config;
    this.#trustedProxies = new TrustedProxies(config.trustedProxies);
    this.#onConnection = onConnection;
    this.#records = records;
    this.#figures = figures;
    this.#limiter = new ConnectionLimiter(config.limits);
    this.#gate = new Gate({
      limiter: this.#limiter,
      together,
      get trustedProxies() {
        return trustedProxies();
      },
      get headerMs() {
        return inForce().timeouts.handshakeMs;
      },
      sweep,
      log,
    });
    this.#opening = new OpeningBytes(sweep, () => inForce().timeouts.headMs);
    this.#acceptor = new TlsAcceptor({
      contexts: certificates.resolver,
      challenges: certificates.alpnChallenges,
      get lastResort() {
        return certificates.onDemand;
      },
      get lastResortMs() {
        return inForce().onDemand?.waitMs ?? 0;
      },
      get handshakeMs() {
        return inForce().timeouts.handshakeMs;
      },
      contextOptions,
      tickets,
      sweep,
      onSecure: (socket, arrival, servername) => this.#enter(socket, arrival, servername, socket.alpnProtocol === 'h2'),
      onFailed: (reason) => figures.handshakeFailed(reason),
    });
  }

  /** Connections that came in and are open. */
  get open(): number {
    return this.#limiter.open;
  }

  /** The same by address. */
  get openByAddress(): ReadonlyMap<string, number> {
    return this.#limiter.byAddress;
  }

  /** Who comes from now on comes by `config`. */
  adopt(config: Config): void {
    this.#config = config;
    this.#trustedProxies = new TrustedProxies(config.trustedProxies);
    this.#limiter.limits = config.limits;
  }

  accept(socket: Socket, listening: Listening): void {
    const { kind, address } = listening; // which may change at a reload
    this.#figures.accepted(kind);
    this.#gate.admit(socket, address.proxyProtocol, {
      pass: (admitted, peer) => {
        this.#figures.opened(kind);
        admitted.once('close', () => this.#figures.closed(kind));
        this.#welcome(admitted, { ...peer, listening });
      },
      refused: (reason) => this.#figures.refused(kind, reason),
    });
  }

  /** Resolves when nobody is on the way any more, or after a moment, `waitMs` at most. To be called when nobody new can come. */
  async empty(waitMs: number): Promise<void> {
    for (let left = Math.min(waitMs, ARRIVAL_MS); left > 0 && this.#pending > 0; left -= LOOK_MS) await pause(LOOK_MS);
  }

  get #pending(): number {
    return this.#gate.pending + this.#opening.pending + this.#acceptor.pending;
  }

  /** Cuts off those who are still on the way. */
  destroy(): void {
    this.#gate.destroy();
    this.#opening.destroy();
    this.#acceptor.destroy();
  }

  #welcome(socket: Socket, arrival: Arrival): void {
    const { kind, address } = arrival.listening;
    if (kind === 'https') this.#acceptor.accept(socket, arrival);
    else if (!address.h2c) this.#enter(socket, arrival, null, false);
    else {
      const enter = (speaksHttp2: boolean): void => this.#enter(socket, arrival, null, speaksHttp2);
      this.#opening.read(socket, beginsAsHttp2, enter, () => {});
    }
  }

  #enter(socket: Socket, arrival: Arrival, servername: string | null, speaksHttp2: boolean): void {
    const { address, port, listening } = arrival;
    const tls = this.#records.wanted ? tlsFacts(socket) : null;
    if (tls !== null) this.#figures.secured(tls);
    this.#onConnection(socket, { address, port, servername, tls }, listening, speaksHttp2);
  }
}
