// What validators of TLS-ALPN-01 are shown (RFC 8737): server name → secure context. Handshakes read it.
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { releaseSecureContext } from '../../core/secure-context.ts';
import type { ServedCertificate } from '../resolver.ts';

export class AlpnContexts {
  readonly #contextOptions: SecureContextOptions;
  /** By the server name that the validator sends. */
  readonly #shown = new Map<string, { readonly certificate: ServedCertificate; readonly context: SecureContext }>();

  /** `contextOptions`: as every site's context has them, without `cert` and `key`. */
  constructor(contextOptions: SecureContextOptions) {
    this.#contextOptions = contextOptions;
  }

  /** Whether any challenge is under way: listeners need not look otherwise. */
  get pending(): boolean {
    return this.#shown.size > 0;
  }

  /** By name. */
  get shown(): Iterable<readonly [string, { readonly certificate: ServedCertificate }]> {
    return this.#shown;
  }

  /** For a handshake that offers `acme-tls/1` and nothing else. Letter case is ignored. */
  resolve(servername: string): SecureContext | null {
    return this.#shown.get(servername.toLowerCase())?.context ?? null;
  }

  /** `name`: in lower case. In the place of another for it. */
  show(name: string, certificate: ServedCertificate): void {
    const { certPem: cert, keyPem: key } = certificate;
    const context = createSecureContext({ ...this.#contextOptions, cert, key });
    this.hide(name);
    this.#shown.set(name, { certificate, context });
  }

  /** `certificate`: only if it is still that one. Default: whichever. */
  hide(name: string, certificate: ServedCertificate | null = null): boolean {
    const shown = this.#shown.get(name);
    if (shown === undefined || (certificate !== null && shown.certificate !== certificate)) return false;
    this.#shown.delete(name);
    releaseSecureContext(shown.context);
    return true;
  }
}
