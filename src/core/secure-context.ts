// The memory behind a TLS context. OpenSSL keeps about 40 KiB for each, of which V8 sees one: dropped contexts would pile
// up (10,000 made and dropped in turn: 400 MiB) until a collection that small garbage never calls for.
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';

/** Throws OpenSSL's error when it does not take certificate and key: a weak key, a SHA-1 signature, a mismatch. */
export function checkSecureContext(options: SecureContextOptions): void {
  releaseSecureContext(createSecureContext(options));
}

/**
 * Frees it now. No new handshake may be given it afterwards; handshakes and connections that have it keep their own
 * reference. `close` is not in Node's documentation; without it the collector frees the context some time.
 */
export function releaseSecureContext(secureContext: SecureContext): void {
  const native = secureContext.context as { close?: () => void };
  native.close?.();
}
