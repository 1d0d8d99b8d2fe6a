// Which certificate a handshake gets: server name → secure context. Synchronous; a name without a certificate gets
// none, never another site's. Exact names win over wildcards; a wildcard covers one label (RFC 6125 section 6.4.3).
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { normalizeAddress } from '../core/address.ts';
import { messageOf, PerantaraError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import { LruMap } from '../core/lru-map.ts';
import { checkSecureContext, releaseSecureContext } from '../core/secure-context.ts';
import type { Certificate } from './certificate.ts';

/** Chain and key: all that a handshake needs. */
export type ServedCertificate = Pick<Certificate, 'certPem' | 'keyPem'>;

/**
 * Contexts kept, at about 40 KiB each: 80 MiB at most. Whoever has no more certificates than this builds each once;
 * with more, the names in use stay and a rare one pays about 0.35 ms, which is what its full handshake costs anyway.
 */
export const MAX_CONTEXTS = 2_000;

export interface CertificateResolverOptions {
  /** For every context: versions, ciphers, ticket keys, session id context; without `cert` and `key`. */
  readonly contextOptions: SecureContextOptions;
  readonly log: Logger;
  /** Default MAX_CONTEXTS. */
  readonly maxContexts?: number;
}

export class CertificateResolver {
  readonly #contextOptions: SecureContextOptions;
  readonly #log: Logger;
  readonly #certificates = new Map<string, ServedCertificate>();
  /** Made at first use. One for a certificate however many patterns it serves. */
  readonly #contexts: LruMap<ServedCertificate, SecureContext>;

  constructor({ contextOptions, log, maxContexts = MAX_CONTEXTS }: CertificateResolverOptions) {
    this.#contextOptions = contextOptions;
    this.#log = log;
    this.#contexts = new LruMap({ capacity: maxContexts, onDrop: releaseSecureContext });
  }

  /** Contexts in memory. */
  get built(): number {
    return this.#contexts.size;
  }

  /**
   * New handshakes for `pattern` (normalised exact name, `*.` wildcard or IP address) get this certificate from now on.
   * Throws `certificate_refused` when OpenSSL does not take it; what was published before then stays.
   */
  publish(pattern: string, certificate: ServedCertificate): void {
    try {
      checkSecureContext(this.#optionsFor(certificate));
    } catch (error) {
      throw refused(pattern, error);
    }
    this.restore(pattern, certificate);
  }

  /**
   * The same without asking OpenSSL, which takes 0.2 ms: for the many of a start, that were asked about before. One that
   * is refused after all is logged and withdrawn at its first handshake.
   */
  restore(pattern: string, certificate: ServedCertificate): void {
    this.withdraw(pattern);
    this.#certificates.set(pattern, certificate);
  }

  /** Handshakes for `pattern` are refused from now on. */
  withdraw(pattern: string): void {
    const certificate = this.#certificates.get(pattern);
    if (certificate === undefined) return;
    this.#certificates.delete(pattern);
    this.#contexts.delete(certificate); // another pattern that has it makes it anew
  }

  /** The context for a server name as the client sent it (any case, perhaps with a trailing dot), or null: refuse. */
  resolve(servername: string): SecureContext | null {
    const pattern = this.#patternOf(servername);
    return pattern === null ? null : this.#contextOf(pattern);
  }

  /** Whether there is a certificate for a server name, written as for `resolve`. Makes no context. */
  serves(servername: string): boolean {
    return this.#patternOf(servername) !== null;
  }

  /** The context for a client that sent no server name and connected to `address`, or null: refuse. */
  resolveAddress(address: string): SecureContext | null {
    return this.#contextOf(normalizeAddress(address));
  }

  #patternOf(servername: string): string | null {
    let name = servername.toLowerCase();
    if (name.endsWith('.')) name = name.slice(0, -1);
    if (this.#certificates.has(name)) return name.startsWith('*') ? null : name;
    const dot = name.indexOf('.');
    if (dot <= 0) return null;
    const wildcard = `*${name.slice(dot)}`;
    return this.#certificates.has(wildcard) ? wildcard : null;
  }

  #contextOf(pattern: string): SecureContext | null {
    const certificate = this.#certificates.get(pattern);
    if (certificate === undefined) return null;
    const kept = this.#contexts.get(certificate);
    if (kept !== undefined) return kept;
    try {
      const context = createSecureContext(this.#optionsFor(certificate));
      this.#contexts.set(certificate, context);
      return context;
    } catch (error) {
      this.#log.error({ name: pattern, err: refused(pattern, error) }, 'certificate refused');
      this.withdraw(pattern);
      return null;
    }
  }

  #optionsFor({ certPem, keyPem }: ServedCertificate): SecureContextOptions {
    return { ...this.#contextOptions, cert: certPem, key: keyPem };
  }
}

function refused(pattern: string, cause: unknown): PerantaraError {
  return new PerantaraError(`cannot serve certificate for "${pattern}": OpenSSL refuses it: ${messageOf(cause)}`, {
    code: 'certificate_refused',
    source: 'operator',
    cause,
  });
}
