// Every default of the configuration. The timeouts are design section 4's deadlines per phase.
import { ACCESS_FIELDS, type AccessField } from './access-log-words.ts';
import type { ChallengeType, DnsConfig, KeyType, LimitConfig, OnDemandConfig, TimeoutConfig } from './config.ts';

export const DEFAULT_STORAGE = './certs';
/** In the storage folder: whoever may open it is whoever may read the keys. */
export const DEFAULT_ADMIN_SOCKET = 'admin.sock';
/** In its stead where this folder exists and may be written to: systemd makes it for a unit with `RuntimeDirectory=perantara`. */
export const RUN_ADMIN_SOCKET = '/run/perantara/admin.sock';
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
  retireMs: 3_600_000,
};

export const DEFAULT_ACCESS_FORMAT = 'json';
/** All but what only some want: ports, names and ciphers of TLS. */
export const DEFAULT_ACCESS_FIELDS: readonly AccessField[] = ACCESS_FIELDS.filter(
  (field) => !['port', 'servername', 'cipher', 'resumed'].includes(field),
);
export const DEFAULT_ACCESS_HEADERS: readonly string[] = ['referer', 'user-agent'];

export const DEFAULT_SAMPLE_RATIO = 1;
export const DEFAULT_SERVICE_NAME = 'perantara';

export const DEFAULT_LIMITS: LimitConfig = {
  connections: 50_000,
  connectionsPerAddress: Number.POSITIVE_INFINITY,
};

/** The first is tried first; those that cannot prove a name, or not here, are left out. */
export const NAME_CHALLENGES: readonly ChallengeType[] = ['http-01', 'tls-alpn-01', 'dns-01'];
/** RFC 8738 section 7: addresses have no records to prove them by. */
export const ADDRESS_CHALLENGES: readonly ChallengeType[] = ['http-01', 'tls-alpn-01'];
/** RFC 8555 section 7.1.3: wildcards are proved by the DNS. `dns-persist-01` needs a record set by hand: only when asked. */
export const WILDCARD_CHALLENGES: readonly ChallengeType[] = ['dns-01'];
export const DEFAULT_KEY_TYPES: readonly KeyType[] = ['p256'];

export const DEFAULT_DNS: Pick<DnsConfig, 'propagationMs' | 'settleMs' | 'check' | 'ttlMs'> = {
  propagationMs: 120_000,
  settleMs: 0,
  check: true,
  ttlMs: 60_000,
};
export const CLOUDFLARE_API = 'https://api.cloudflare.com/client/v4';
/** The one that RFC 8945 section 6 requires of everybody and nobody advises against. */
export const DEFAULT_TSIG_ALGORITHM = 'hmac-sha256';

export const DEFAULT_ON_DEMAND: Omit<OnDemandConfig, 'ask' | 'routes'> = {
  allowMs: 3_600_000,
  refuseMs: 300_000,
  perAddressPerHour: 10,
  perHour: 100,
  maxPending: 20,
  waitMs: 30_000,
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

/** Those of them that certify no IP addresses (RFC 8738). */
export const NAMES_ONLY_DIRECTORIES: readonly string[] = [PUBLIC_DIRECTORIES.zerossl!];
