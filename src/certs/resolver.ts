// Which certificate a handshake gets: server name → secure context. Synchronous; a name without a certificate gets
// none, never another site's. Exact names win over wildcards; a wildcard covers one label (RFC 6125 section 6.4.3).
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { normalizeAddress } from '../core/address.ts';
import { messageOf, PerantaraError } from '../core/errors.ts';
import type { Certificate } from './certificate.ts';

export class CertificateResolver {
  readonly #contextOptions: SecureContextOptions;
  readonly #contexts = new Map<string, SecureContext>();
  /** One context for a certificate however many patterns it serves. */
  readonly #built = new WeakMap<Certificate, SecureContext>();

  /** `contextOptions`: everything but `cert` and `key` – versions, ciphers, ticket keys, session id context. */
  constructor(contextOptions: SecureContextOptions) {
    this.#contextOptions = contextOptions;
  }

  /**
   * New handshakes for `pattern` (normalised exact name, `*.` wildcard or IP address) get this certificate from now on.
   * Throws `certificate_refused` when OpenSSL does not take it; what was published before then stays.
   */
  publish(pattern: string, certificate: Certificate): void {
    let context = this.#built.get(certificate);
    if (context === undefined) {
      context = this.#build(pattern, certificate);
      this.#built.set(certificate, context);
    }
    this.#contexts.set(pattern, context);
  }

  /** Handshakes for `pattern` are refused from now on. */
  withdraw(pattern: string): void {
    this.#contexts.delete(pattern);
  }

  /** The context for a server name as the client sent it (any case, perhaps with a trailing dot), or null: refuse. */
  resolve(servername: string): SecureContext | null {
    let name = servername.toLowerCase();
    if (name.endsWith('.')) name = name.slice(0, -1);
    const exact = this.#contexts.get(name);
    if (exact !== undefined) return name.startsWith('*') ? null : exact;
    const dot = name.indexOf('.');
    if (dot <= 0) return null;
    return this.#contexts.get(`*${name.slice(dot)}`) ?? null;
  }

  /** The context for a client that sent no server name and connected to `address`, or null: refuse. */
  resolveAddress(address: string): SecureContext | null {
    return this.#contexts.get(normalizeAddress(address)) ?? null;
  }

  // Built at once, not at first use (about 0.35 ms and 35 KiB each): only OpenSSL can say whether it takes a certificate
  // (weak key, SHA-1 signature), and a refused one must not replace a good one.
  #build(pattern: string, certificate: Certificate): SecureContext {
    try {
      return createSecureContext({ ...this.#contextOptions, cert: certificate.certPem, key: certificate.keyPem });
    } catch (cause) {
      throw new PerantaraError(`cannot serve certificate for "${pattern}": OpenSSL refuses it: ${messageOf(cause)}`, {
        code: 'certificate_refused',
        source: 'operator',
        cause,
      });
    }
  }
}
