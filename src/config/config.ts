// The complete, frozen value that everything else reads. No defaults and no unit parsing happen after this.

import type { CertificateFiles } from '../core/certificate-files.ts';
import type { AccessField, LogPlace } from './access-log-words.ts';
import type { UserConfig } from './user.ts';

/** Where a value stood, for messages: `perantara.yaml:3:9`, `perantara.yaml (default)`, or a flag: `--http`. */
export type Position = string;

export interface Config {
  /** Whoever may issue certificates, tried in this order; at least one. */
  readonly acme: readonly AcmeConfig[];
  /** Where DNS-01 records are put, or null: no DNS-01. */
  readonly dns: DnsConfig | null;
  /** Names that are not in the file, or null: refused. */
  readonly onDemand: OnDemandConfig | null;
  /** Told of every certificate event, or null. */
  readonly onEvent: EventHookConfig | null;
  /** As whom a process goes on that was started as root, or null: as whom it was started. */
  readonly user: UserConfig | null;
  /** Absolute path of the storage folder. */
  readonly storage: string;
  /** Where the running process can be asked and told, or null: nowhere. */
  readonly admin: AdminConfig | null;
  readonly listen: ListenConfig;
  /** Processes that answer requests; with 1, the primary does. `auto`: one for each core. */
  readonly workers: number | 'auto';
  /** null: none is written. */
  readonly accessLog: AccessLogConfig | null;
  /** null: requests are not followed in traces; fields about them pass like any others. */
  readonly tracing: TracingConfig | null;
  readonly timeouts: TimeoutConfig;
  readonly limits: LimitConfig;
  /** Networks in CIDR form whose hosts are believed about the client: `X-Forwarded-*`, `Forwarded`, PROXY protocol. */
  readonly trustedProxies: readonly string[];
  /** Field names with `_` that may pass to upstreams, lower case; all others with `_` are dropped. */
  readonly underscoreHeaders: readonly string[];
  /** In file order; hosts are unique. */
  readonly sites: readonly SiteConfig[];
}

export interface AcmeConfig {
  /** Directory URL (RFC 8555 section 7.1.1). Unique in the list: `issuers` of a site names it. */
  readonly directory: string;
  readonly email: string | null;
  /** PEM text of the CA certificates that authenticate the ACME server itself, or null for Node's own roots. */
  readonly trust: string | null;
  /** External account binding (RFC 8555 section 7.3.4), or null. `hmacKey`: base64url. */
  readonly binding: { readonly keyId: string; readonly hmacKey: string } | null;
  /** For every certificate whose site names none; null lets the CA choose. */
  readonly profile: ProfileChoice | null;
  /** Common name of the root (or any issuer in the chain) that clients should see, or null: the CA's default chain. */
  readonly preferredChain: string | null;
}

/** draft-ietf-acme-profiles. */
export interface ProfileChoice {
  readonly name: string;
  /** Whether to fail when the CA does not offer it; otherwise a warning, and an order without a profile. */
  readonly required: boolean;
}

export type ChallengeType = 'http-01' | 'tls-alpn-01' | 'dns-01' | 'dns-persist-01';
export type KeyType = 'p256' | 'p384' | 'rsa2048' | 'rsa4096';

export interface DnsConfig {
  readonly provider: DnsProviderConfig;
  /** Name servers asked whether a record is visible, `address:port` (IPv6 in brackets); empty: the zone's own, found by the system's resolver. */
  readonly resolvers: readonly string[];
  /** How long a record may take to be visible. Default 2 min. */
  readonly propagationMs: number;
  /** Waited after it is visible at all name servers, before the CA is told to look. Default 0. */
  readonly settleMs: number;
  /** False: not looked at all, only `settleMs` is waited. Default true. */
  readonly check: boolean;
  /** Time to live of the records. Default 60 s. */
  readonly ttlMs: number;
}

export type DnsProviderConfig =
  /** lego's `exec`: `PROGRAM present|cleanup FQDN VALUE`. */
  | { readonly kind: 'exec'; readonly program: string; readonly args: readonly string[] }
  /** lego's `httpreq`: `POST URL/present` and `/cleanup` with `{ fqdn, value }`; Basic authentication when there is a user. */
  | { readonly kind: 'webhook'; readonly url: string; readonly user: string | null; readonly password: string | null }
  /** RFC 2136 with TSIG (RFC 8945). `server`: `host:port`; `zone`: null finds it by SOA. `algorithm`: `hmac-sha256`, … */
  | {
      readonly kind: 'rfc2136';
      readonly server: string;
      readonly zone: string | null;
      readonly tsig: { readonly name: string; readonly algorithm: string; readonly secret: string } | null;
    }
  /** github.com/joohoi/acme-dns: the names must be CNAMEs to `subdomain`. */
  | {
      readonly kind: 'acme-dns';
      readonly url: string;
      readonly user: string;
      readonly password: string;
      readonly subdomain: string;
    }
  /** `api`: the base URL, for tests and gateways. */
  | { readonly kind: 'cloudflare'; readonly token: string; readonly zone: string | null; readonly api: string };

/** Certificates for names that are not in the file. */
export interface OnDemandConfig {
  /** Asked with `?domain=NAME&address=CLIENT`: 200 allows, anything else refuses. */
  readonly ask: string;
  /** How long an answer holds. Defaults 1 h (yes) and 5 min (no). */
  readonly allowMs: number;
  readonly refuseMs: number;
  /** New names that one client address, and all together, may bring in an hour. Defaults 10 and 100. */
  readonly perAddressPerHour: number;
  readonly perHour: number;
  /** Names under way at once. Default 20. */
  readonly maxPending: number;
  /** How long a handshake waits for its certificate. Default 30 s; never longer than the handshake timeout allows. */
  readonly waitMs: number;
  /** Where requests for such names go: as a site's routes. */
  readonly routes: readonly RouteConfig[];
}

export type EventHookConfig =
  /** The event as JSON on stdin; its name as last argument. */
  | { readonly kind: 'exec'; readonly program: string; readonly args: readonly string[] }
  /** The event as JSON by POST. */
  | { readonly kind: 'webhook'; readonly url: string };

export type AdminConfig =
  /** `paths`: absolute; the first that can be had is used. Several only when nothing was written. */
  | {
      readonly kind: 'socket';
      readonly paths: readonly string[];
      readonly isDefault: boolean;
      readonly position: Position;
    }
  /** `host`: a loopback IP address without brackets. `token`: visible ASCII. */
  | {
      readonly kind: 'loopback';
      readonly host: string;
      /** 0 lets the system choose (tests). */
      readonly port: number;
      readonly token: string;
      readonly position: Position;
    };

export interface ListenConfig {
  /** Plain listeners: challenges and redirects. Empty when `off`. */
  readonly http: readonly ListenAddress[];
  readonly https: readonly ListenAddress[];
  /** The port that redirects to https name; null: 443 if it is listened on, else the first of `https`. */
  readonly redirectPort: number | null;
}

export interface ListenAddress {
  /** An IP address or host name; null means every address, IPv4 and IPv6. */
  readonly host: string | null;
  /** 0 lets the system choose (tests). */
  readonly port: number;
  /** Whether every connection begins with a PROXY protocol header. */
  readonly proxyProtocol: boolean;
  /** Whether clients may begin with HTTP/2 at once (RFC 9113 section 3.3); only of plain listeners. */
  readonly h2c: boolean;
  readonly position: Position;
}

/** What the access log says of exchanges, and of which. */
export interface AccessLogConfig {
  /** A file's path is absolute. */
  readonly output: LogPlace;
  readonly format: 'json' | 'combined';
  /** One exchange in so many has a line, 0: none; of sites that are not in `sites`, and of no site. */
  readonly oneIn: number;
  /** Host, normalised, or `onDemand` → likewise. */
  readonly sites: Readonly<Record<string, number>>;
  /** Of a line of JSON, in this order. */
  readonly fields: readonly AccessField[];
  /** In lower case, as the two below. */
  readonly requestHeaders: readonly string[];
  readonly responseHeaders: readonly string[];
  /** Header fields and parameters that are shown though they are secret. */
  readonly reveal: readonly string[];
}

/** W3C Trace Context, and spans by OTLP. */
export interface TracingConfig {
  /** Where spans are sent, or null: nowhere. */
  readonly export: {
    readonly url: string;
    readonly headers: readonly { readonly name: string; readonly secret: string }[];
  } | null;
  /** Of traces that begin here, how many are recorded: 0 to 1. Default 1. */
  readonly sampleRatio: number;
  readonly serviceName: string;
}

/** All in milliseconds. Design section 4 gives the defaults. */
export interface TimeoutConfig {
  /** TCP accepted → TLS handshake complete. Default 10 s. */
  readonly handshakeMs: number;
  /** First byte of a request head → last. Default 15 s. */
  readonly headMs: number;
  /** Longest silence inside a body, either direction. Default 60 s. */
  readonly bodyIdleMs: number;
  /** Longest wait for the next request on a kept-alive connection. Default 75 s. */
  readonly keepAliveMs: number;
  /** Connecting to one upstream target. Default 3 s. */
  readonly connectMs: number;
  /** Request sent → upstream response head. Default 60 s. */
  readonly responseHeadMs: number;
  /** Kept-alive upstream connections unused for longer are closed. Default 30 s. */
  readonly upstreamIdleMs: number;
  /** Longest silence in an upgraded connection (WebSocket). Default 1 h. */
  readonly tunnelIdleMs: number;
  /** How long shutdown waits for requests. Default 30 s. */
  readonly drainMs: number;
  /** How long tunnels of a site, and all on a target, go on that a reload has removed. Default 1 h. */
  readonly retireMs: number;
}

export interface LimitConfig {
  /** Open client connections in all, Infinity for no limit. Default 50,000. */
  readonly connections: number;
  /** Open connections from one address, Infinity for no limit, which is the default. */
  readonly connectionsPerAddress: number;
}

export interface SiteConfig {
  /** Normalised: exact name, `*.` wildcard or IP address. */
  readonly host: string;
  readonly tls: SiteTls;
  /** At least one; patterns are unique. Order never matters. */
  readonly routes: readonly RouteConfig[];
  readonly position: Position;
}

export type SiteTls =
  | {
      readonly kind: 'acme';
      /** Directory URLs out of `Config.acme`, in the order to try. At least one. */
      readonly directories: readonly string[];
      /** Allowed challenge types, the preferred first. At least one. */
      readonly challenges: readonly ChallengeType[];
      /** One certificate for each; two make an RSA + ECDSA pair. At least one, the first is the main one. */
      readonly keyTypes: readonly KeyType[];
      /** null: that of the issuer, and `shortlived` for an IP address. */
      readonly profile: ProfileChoice | null;
      /**
       * Sites of one group share one certificate with all their names; null: a certificate of its own. They agree on
       * directories, keyTypes and profile; their challenges may differ.
       */
      readonly group: string | null;
    }
  | { readonly kind: 'local' }
  | {
      readonly kind: 'supplied';
      readonly files: SuppliedFiles;
      /** As the files were at load, leaf first: they parse, the key matches, OpenSSL takes them. */
      readonly certPem: string;
      readonly keyPem: string;
    };

/** Absolute paths: watched, and for messages. */
export type SuppliedFiles = CertificateFiles;

export interface RouteConfig {
  /** `/old` is exact; `/api/*` is a prefix (everything that starts with `/api/`). */
  readonly path: string;
  /** Largest request body in bytes (413 above), or null for no limit. */
  readonly maxBodyBytes: number | null;
  readonly action: RouteAction;
}

export type RouteAction =
  | { readonly kind: 'proxy'; readonly targets: readonly TargetAddress[] }
  | { readonly kind: 'redirect'; readonly location: string; readonly status: 301 | 302 | 303 | 307 | 308 }
  | { readonly kind: 'respond'; readonly status: number; readonly contentType: string; readonly body: string };

export type TargetAddress = TargetPlace & TargetProtocol;

/** Where a target listens. */
export type TargetPlace =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

/** `http`: HTTP/1.1 in the clear; `h2c`: HTTP/2 in the clear, with prior knowledge (RFC 9113 section 3.3). */
export type TargetProtocol =
  | { readonly protocol: 'http' | 'h2c' }
  | { readonly protocol: 'https'; readonly tls: TargetTls };

export interface TargetTls {
  /** The name that is asked for (SNI) and that the certificate must be for; an IP address must stand in the certificate as such. */
  readonly servername: string;
  /** PEM text of the only CA certificates that are believed, never empty; null: Node's roots and the system's. */
  readonly trust: string | null;
  /** What is shown when the target asks for a certificate, leaf first, or null. */
  readonly identity: { readonly certPem: string; readonly keyPem: string } | null;
  /** `any`: HTTP/2 where the target offers it (ALPN), else HTTP/1.1. */
  readonly http: 'any' | '1.1' | '2';
  /** False: whoever answers is believed. */
  readonly verify: boolean;
}
