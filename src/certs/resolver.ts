// Which certificate a handshake gets: server name → secure context. Synchronous; a name without a certificate gets
// none, never another site's. Exact names win over wildcards; a wildcard covers one label (RFC 6125 section 6.4.3).
import { createPrivateKey } from 'node:crypto';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { normalizeAddress } from '../core/address.ts';
import { messageOf, PerantaraError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import { LruMap } from '../core/lru-map.ts';
import { checkSecureContext, releaseSecureContext } from '../core/secure-context.ts';
import { type Announce, type Announcement, announceToNobody } from './announcement.ts';
import type { Certificate } from './certificate.ts';

/** Chain and key: all that a handshake needs. */
export type ServedCertificate = Pick<Certificate, 'certPem' | 'keyPem'>;

/** Which of a pattern's certificates: 0 the main one, 1 the second of a pair (RSA beside ECDSA). */
export type CertificatePart = 0 | 1;

/** The client's side of a handshake, as a TLSSocket has it. */
export interface ClientOffer {
  /** `ECDSA+SHA256`, `RSA-PSS+SHA256`, … that both sides take. */
  getSharedSigalgs(): readonly string[];
}

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
  /** Told of all that is served from now on. */
  readonly announce?: Announce;
}

export class CertificateResolver {
  readonly #contextOptions: SecureContextOptions;
  readonly #log: Logger;
  /** Pattern → its certificates, the main one first; one, or two of a pair. */
  readonly #certificates = new Map<string, readonly Part[]>();
  /** Made at first use. One for a certificate however many patterns it serves. */
  readonly #contexts: LruMap<ServedCertificate, SecureContext>;
  readonly #announce: Announce;

  constructor({
    contextOptions,
    log,
    maxContexts = MAX_CONTEXTS,
    announce = announceToNobody,
  }: CertificateResolverOptions) {
    this.#contextOptions = contextOptions;
    this.#announce = announce;
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
  publish(pattern: string, certificate: ServedCertificate, part: CertificatePart = 0): void {
    try {
      checkSecureContext(this.#optionsFor(certificate));
    } catch (error) {
      throw refused(pattern, error);
    }
    this.restore(pattern, certificate, part);
  }

  /**
   * The same without asking OpenSSL, which takes 0.2 ms: for the many of a start, that were asked about before. One that
   * is refused after all is logged and withdrawn at its first handshake.
   */
  restore(pattern: string, certificate: ServedCertificate, part: CertificatePart = 0): void {
    this.#replace(pattern, part, certificate);
  }

  /** Handshakes for `pattern` are refused from now on; with a `part`, they get the other one, if there is one. */
  withdraw(pattern: string, part?: CertificatePart): void {
    const parts = part === undefined ? (this.#certificates.get(pattern) ?? []).map((each) => each.part) : [part];
    for (const each of parts) this.#replace(pattern, each, null);
  }

  #replace(pattern: string, part: CertificatePart, certificate: ServedCertificate | null): void {
    this.#forgetContexts(pattern);
    const parts = (this.#certificates.get(pattern) ?? []).filter((each) => each.part !== part);
    if (certificate !== null) parts.push({ part, certificate, ecdsa: null });
    parts.sort((a, b) => a.part - b.part);
    if (parts.length > 1) for (const each of parts) each.ecdsa ??= isEcdsa(each.certificate);
    if (parts.length === 0) this.#certificates.delete(pattern);
    else this.#certificates.set(pattern, parts);
    void this.#announce({ kind: 'certificate', pattern, part, certificate });
  }

  /** Another pattern that has them makes them anew. */
  #forgetContexts(pattern: string): void {
    for (const { certificate } of this.#certificates.get(pattern) ?? []) this.#contexts.delete(certificate);
  }

  /**
   * The context for a server name as the client sent it (any case, perhaps with a trailing dot), or null: refuse. Of a
   * pair, the first that the client can check; the main one when there is no `client` to ask.
   */
  resolve(servername: string, client: ClientOffer | null = null): SecureContext | null {
    const pattern = this.#patternOf(servername);
    return pattern === null ? null : this.#contextOf(pattern, client);
  }

  /** Whether there is a certificate for a server name, written as for `resolve`. Makes no context. */
  serves(servername: string): boolean {
    return this.#patternOf(servername) !== null;
  }

  /** All that is served. */
  *announcements(): Generator<Announcement> {
    for (const [pattern, parts] of this.#certificates)
      for (const { part, certificate } of parts) yield { kind: 'certificate', pattern, part, certificate };
  }

  /** The main certificate that is served for `pattern`, or null. */
  servedFor(pattern: string): ServedCertificate | null {
    return this.#certificates.get(pattern)?.[0]?.certificate ?? null;
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

  #contextOf(pattern: string, client: ClientOffer | null = null): SecureContext | null {
    const parts = this.#certificates.get(pattern);
    if (parts === undefined) return null;
    const { part, certificate } = client === null || parts.length === 1 ? parts[0]! : chosenOf(parts, client);
    const kept = this.#contexts.get(certificate);
    if (kept !== undefined) return kept;
    try {
      const context = createSecureContext(this.#optionsFor(certificate));
      this.#contexts.set(certificate, context);
      return context;
    } catch (error) {
      this.#log.error({ name: pattern, err: refused(pattern, error) }, 'certificate refused');
      this.withdraw(pattern, part);
      return this.#contextOf(pattern, client); // of a pair, the other one stays
    }
  }

  #optionsFor({ certPem, keyPem }: ServedCertificate): SecureContextOptions {
    return { ...this.#contextOptions, cert: certPem, key: keyPem };
  }
}

interface Part {
  readonly part: CertificatePart;
  readonly certificate: ServedCertificate;
  /** Known of pairs. */
  ecdsa: boolean | null;
}

/**
 * Node hands OpenSSL one certificate in a handshake with a server name, though a context may hold two; so the choice is
 * made here, by the signatures that the client takes.
 */
function chosenOf(parts: readonly Part[], client: ClientOffer): Part {
  const takesEcdsa = client.getSharedSigalgs().some((algorithm) => algorithm.startsWith('ECDSA'));
  return parts.find(({ ecdsa }) => ecdsa === takesEcdsa) ?? parts[0]!;
}

function isEcdsa({ keyPem }: ServedCertificate): boolean {
  try {
    return createPrivateKey(keyPem).asymmetricKeyType === 'ec';
  } catch {
    return false; // OpenSSL will say so at the first handshake
  }
}

function refused(pattern: string, cause: unknown): PerantaraError {
  return new PerantaraError(`cannot serve certificate for "${pattern}": OpenSSL refuses it: ${messageOf(cause)}`, {
    code: 'certificate_refused',
    source: 'operator',
    cause,
  });
}
