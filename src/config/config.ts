// The complete, frozen value that everything else reads. No defaults and no unit parsing happen after this.

/** Where a value stood, for messages: `perantara.yaml:3:9`, `perantara.yaml (default)`, or a flag: `--http`. */
export type Position = string;

export interface Config {
  readonly acme: AcmeConfig;
  /** Absolute path of the storage folder. */
  readonly storage: string;
  readonly listen: ListenConfig;
  /** Accepted for later; one process serves for now. */
  readonly workers: number | 'auto';
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
  /** Directory URL (RFC 8555 section 7.1.1). */
  readonly directory: string;
  readonly email: string | null;
  /** PEM text of the CA certificates that authenticate the ACME server itself, or null for Node's own roots. */
  readonly trust: string | null;
}

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
  readonly position: Position;
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
  | { readonly kind: 'acme' }
  | { readonly kind: 'local' }
  | {
      readonly kind: 'supplied';
      /** Absolute paths, for messages. */
      readonly certFile: string;
      readonly keyFile: string;
      /** Leaf first; checked at load: parses, key matches, not expired. */
      readonly certPem: string;
      readonly keyPem: string;
    };

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

export type TargetAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };
