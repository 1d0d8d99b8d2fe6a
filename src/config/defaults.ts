// Every default of the configuration. The timeouts are design section 4's deadlines per phase.
import type { LimitConfig, TimeoutConfig } from './config.ts';

export const DEFAULT_STORAGE = './certs';
export const DEFAULT_HTTP_PORT = 80;
export const DEFAULT_HTTPS_PORT = 443;
/** Temporary, because browsers keep a permanent redirect long after the line has left the file. */
export const DEFAULT_REDIRECT_STATUS = 302;
export const DEFAULT_RESPOND_TYPE = 'text/plain; charset=utf-8';

export const DEFAULT_TIMEOUTS: TimeoutConfig = {
  handshakeMs: 10_000,
  headMs: 15_000,
  bodyIdleMs: 60_000,
  keepAliveMs: 75_000,
  connectMs: 3_000,
  responseHeadMs: 60_000,
  upstreamIdleMs: 30_000,
  tunnelIdleMs: 3_600_000,
  drainMs: 30_000,
};

export const DEFAULT_LIMITS: LimitConfig = {
  connections: 50_000,
  connectionsPerAddress: Number.POSITIVE_INFINITY,
};

/** The public authorities that `acme.directory` knows by name. */
export const PUBLIC_DIRECTORIES: Readonly<Record<string, string>> = {
  letsencrypt: 'https://acme-v02.api.letsencrypt.org/directory',
  'letsencrypt-staging': 'https://acme-staging-v02.api.letsencrypt.org/directory',
  zerossl: 'https://acme.zerossl.com/v2/DV90',
  google: 'https://dv.acme-v02.api.pki.goog/directory',
};

/** Those of them that register an account only with a key from their web site (RFC 8555 section 7.3.4). */
export const BINDING_DIRECTORIES: readonly string[] = [PUBLIC_DIRECTORIES.zerossl!, PUBLIC_DIRECTORIES.google!];
