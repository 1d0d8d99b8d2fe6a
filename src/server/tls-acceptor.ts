// The TLS side of accepting: one handshake per socket, the certificate by SNI (or by local address without SNI), and a
// deadline. An unknown name is refused by alert; no connection ever sees another site's certificate.
import { constants } from 'node:crypto';
import type { Socket } from 'node:net';
import { createSecureContext, type SecureContext, type SecureContextOptions, TLSSocket } from 'node:tls';
import type { ClientOffer } from '../certs/resolver.ts';
import type { DeadlineSweep, Expiring } from '../core/deadlines.ts';
import { codeOf } from '../core/errors.ts';
import type { HandshakeFailure } from '../observe/metrics/connection-figures.ts';
import { CertificateWait, type ContextLastResort } from './certificate-wait.ts';
import type { Peer } from './gate.ts';
import { rotatedTicketKeys, TicketKeys } from './ticket-keys.ts';

/** Where certificates are found: certs/resolver. */
export interface ContextSource {
  /** `client`: whose signatures choose between an ECDSA and an RSA certificate. */
  resolve(servername: string, client: ClientOffer): SecureContext | null;
  /** Whether `resolve` would find one; costs nothing. */
  serves(servername: string): boolean;
  resolveAddress(address: string): SecureContext | null;
}

/** Where the answers to TLS-ALPN-01 are found: certs/alpn-certificates. */
export interface ChallengeContexts {
  /** False: nobody is being validated, and no handshake is looked at for it. */
  readonly pending: boolean;
  resolve(servername: string): SecureContext | null;
}

export interface TlsAcceptorOptions<P extends Peer = Peer> {
  readonly contexts: ContextSource;
  /** Default none: `acme-tls/1` is refused like any unknown protocol. */
  readonly challenges?: ChallengeContexts;
  readonly contextOptions: SecureContextOptions;
  /** Default new ones, which nobody else has. */
  readonly tickets?: TicketKeys;
  /** For names that `contexts` does not know; null: they are refused. Default null. */
  readonly lastResort?: ContextLastResort | null;
  /** How long it may take, `handshakeMs` at most. Default `handshakeMs`. */
  readonly lastResortMs?: number;
  readonly handshakeMs: number;
  readonly sweep: DeadlineSweep;
  /** The handshake is complete. */
  readonly onSecure: (socket: TLSSocket, peer: P, servername: string) => void;
  /** Another has come to nothing. Default nobody is told. */
  readonly onFailed?: (reason: HandshakeFailure) => void;
}

/** A fatal alert record, unencrypted: nothing has been agreed yet (RFC 8446 section 6.2, RFC 6066 section 3). */
const UNRECOGNIZED_NAME = Buffer.from([0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x70]);
const HTTP_ON_TLS_PORT =
  'HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 48\r\nConnection: close\r\n\r\n' +
  '400 Bad Request\nThis port speaks HTTPS, not HTTP';

const PROTOCOLS: readonly string[] = ['h2', 'http/1.1', 'http/1.0'];
/** The same as RFC 7301 section 3.1 writes it, so that Node need not for each connection (1 % of a handshake, measured). */
const PROTOCOL_LIST = Buffer.from(PROTOCOLS.map((name) => String.fromCharCode(name.length) + name).join(''), 'latin1');
/** RFC 8737 section 4. */
const ACME_TLS = 'acme-tls/1';

/** What every site's secure context has in common. */
export function secureContextOptions(): SecureContextOptions {
  return {
    minVersion: 'TLSv1.2',
    // A client could have us do handshake after handshake on one connection (CVE-2011-1473).
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    // TLS 1.3 suites, then forward-secret AEAD only (Mozilla "intermediate" without DHE).
    ciphers: [
      'TLS_AES_128_GCM_SHA256',
      'TLS_AES_256_GCM_SHA384',
      'TLS_CHACHA20_POLY1305_SHA256',
      'ECDHE-ECDSA-AES128-GCM-SHA256',
      'ECDHE-RSA-AES128-GCM-SHA256',
      'ECDHE-ECDSA-AES256-GCM-SHA384',
      'ECDHE-RSA-AES256-GCM-SHA384',
      'ECDHE-ECDSA-CHACHA20-POLY1305',
      'ECDHE-RSA-CHACHA20-POLY1305',
    ].join(':'),
    sessionIdContext: 'perantara',
  };
}

export class TlsAcceptor<P extends Peer = Peer> {
  readonly #options: TlsAcceptorOptions<P>;
  /** Has no certificate: a handshake that stays on it ends in an alert. */
  readonly #empty: SecureContext;
  readonly #handshakes = new Set<Handshake>();
  readonly #wait = new CertificateWait();
  readonly #tickets: TicketKeys;

  /** What `options` has may change; each handshake looks anew. */
  constructor(options: TlsAcceptorOptions<P>) {
    this.#options = options;
    this.#empty = createSecureContext(options.contextOptions);
    this.#tickets = options.tickets ?? new TicketKeys(rotatedTicketKeys(null));
  }

  accept(raw: Socket, peer: P): void {
    const { contexts, challenges, lastResort, handshakeMs, sweep, onSecure, onFailed } = this.#options;
    const { lastResortMs = handshakeMs } = this.#options;
    const byAddress = raw.localAddress === undefined ? null : contexts.resolveAddress(raw.localAddress);
    let challenge: SecureContext | null = null;
    let named = false;
    // A validator offers this one protocol. In TLS 1.3 OpenSSL asks for the protocol before the certificate; in TLS 1.2
    // it is too late then to show another, and the alert of RFC 7301 is the answer.
    const selectProtocol = ({ servername, protocols }: AlpnOffer): string | undefined => {
      const isValidator = protocols.length === 1 && protocols[0] === ACME_TLS;
      if (isValidator && !named) challenge = challenges?.resolve(servername || '') ?? null;
      return challenge === null ? PROTOCOLS.find((protocol) => protocols.includes(protocol)) : ACME_TLS;
    };
    const initial = byAddress ?? this.#empty;
    this.#tickets.serve(initial);
    const socket = new TLSSocket(raw, {
      isServer: true,
      secureContext: initial,
      allowHalfOpen: true,
      ...(challenges?.pending ? { ALPNCallback: selectProtocol } : { ALPNProtocols: PROTOCOL_LIST }),
      SNICallback: (servername: string, done: (error: Error | null, context?: SecureContext) => void) => {
        named = true;
        const context = challenge ?? contexts.resolve(servername, socket);
        if (context !== null) {
          done(null, context);
          return;
        }
        const answer = (late: SecureContext | null): void => {
          if (late !== null) {
            done(null, late);
            return;
          }
          handshake.failure = 'unknown_name';
          raw.write(UNRECOGNIZED_NAME);
          done(new Error('unrecognized name'));
        };
        const work = lastResort?.demand(servername, peer.address) ?? null;
        if (work === null) answer(null);
        else this.#wait.begin(raw, work, Math.min(lastResortMs, handshakeMs), answer);
      },
    } as object);
    const handshake = new Handshake(socket, sweep.after(handshakeMs));
    const forget = (): void => {
      this.#handshakes.delete(handshake);
      sweep.delete(handshake);
    };
    const onUnfinished = (): void => {
      forget();
      onFailed?.(handshake.failure ?? 'client_gone');
    };
    raw.on('error', () => {}); // the TLS socket reports and closes
    socket.on('error', (error) => {
      handshake.failure ??= !named && byAddress === null ? nameless(codeOf(error)) : failureOf(codeOf(error));
      if (codeOf(error) === 'ERR_SSL_HTTP_REQUEST' && raw.writable) raw.end(HTTP_ON_TLS_PORT);
    });
    const onEarlyEnd = (): void => void socket.destroy(); // a probe that connects and leaves
    socket.once('end', onEarlyEnd);
    socket.once('close', onUnfinished);
    socket.once('secure', () => {
      forget();
      socket.off('end', onEarlyEnd).off('close', onUnfinished);
      if (socket.alpnProtocol === ACME_TLS) {
        socket.destroySoon(); // it has seen what it came for; nothing else is spoken here
        return;
      }
      const name = (socket as TLSSocket & { servername?: string | false }).servername || '';
      if (!socket.isSessionReused() || this.#mayResume(socket, name, byAddress)) onSecure(socket, peer, name);
      else {
        socket.destroy();
        onFailed?.('unknown_name');
      }
    });
    this.#handshakes.add(handshake);
    sweep.add(handshake);
  }

  /**
   * A resumed session asks for no certificate, so nobody has looked at the name yet (RFC 8446 section 4.6.1). In TLS 1.2
   * OpenSSL does not tell the name of a resumed session at all ('' then): that it was served once has to do.
   */
  #mayResume(socket: TLSSocket, name: string, byAddress: SecureContext | null): boolean {
    const { contexts, lastResort } = this.#options;
    if (name !== '') return contexts.serves(name) || lastResort?.serves(name) === true;
    return byAddress !== null || socket.getProtocol() === 'TLSv1.2';
  }

  get pending(): number {
    return this.#handshakes.size;
  }

  /** Breaks off handshakes under way. */
  destroy(): void {
    for (const handshake of this.#handshakes) handshake.socket.destroy();
  }
}

interface AlpnOffer {
  /** Missing without SNI. */
  readonly servername: string | false | undefined;
  readonly protocols: readonly string[];
}

class Handshake implements Expiring {
  readonly socket: TLSSocket;
  readonly deadlineAt: number;
  /** What went wrong first. */
  failure: HandshakeFailure | null = null;

  constructor(socket: TLSSocket, deadlineAt: number) {
    this.socket = socket;
    this.deadlineAt = deadlineAt;
  }

  onDeadline(): void {
    this.failure ??= 'too_slow';
    this.socket.destroy();
  }
}

/** Of a client that names nobody, where no certificate is for the address. */
function nameless(code: string): HandshakeFailure {
  return code === 'ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM' || code === 'ERR_SSL_NO_SHARED_CIPHER'
    ? 'unknown_name'
    : failureOf(code);
}

function failureOf(code: string): HandshakeFailure {
  if (code === 'ERR_SSL_HTTP_REQUEST') return 'http';
  return code === 'ECONNRESET' || code === 'EPIPE' ? 'client_gone' : 'failed';
}
