// What TLS to upstreams starts from: whose word counts for a certificate, and our own. A context costs 35 KiB, one with all
// roots 2 MiB and 40 ms: made once for each target, and once for all that have no settings of their own.
import { constants } from 'node:crypto';
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import type { TargetTls } from '../config/config.ts';

export class TlsContexts {
  #roots: string[] | null = null;
  #usual: SecureContext | null = null;

  for({ trust, identity, verify }: TargetTls): SecureContext {
    if (trust !== null) return create([trust], identity);
    if (!verify) return create([], identity);
    if (identity !== null) return create(this.#systemRoots(), identity);
    this.#usual ??= create(this.#systemRoots(), null);
    return this.#usual;
  }

  /** Node's, with those of NODE_EXTRA_CA_CERTS, and the system's; most stand in both. */
  #systemRoots(): string[] {
    this.#roots ??= [...new Set([...getCACertificates('default'), ...getCACertificates('system')])];
    return this.#roots;
  }
}

function create(ca: string[], identity: TargetTls['identity']): SecureContext {
  return createSecureContext({
    ca,
    ...(identity === null ? {} : { cert: identity.certPem, key: identity.keyPem }),
    // Who is named is believed, whether or not who issued it is.
    allowPartialTrustChain: true,
    minVersion: 'TLSv1.2',
    // A certificate that was looked at is that of the whole connection.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  });
}
