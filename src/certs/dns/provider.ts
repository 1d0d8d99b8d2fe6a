// The contract of whoever can put a TXT record into the DNS and take it away again.

export interface DnsRecord {
  /** Where it is put: lower case, without the last dot. Never an alias: CNAMEs have been followed. */
  readonly fqdn: string;
  /** The text, at most 255 ASCII characters. */
  readonly value: string;
  /** Wished time to live; a provider may have a least or a fixed one. */
  readonly ttlSeconds: number;
}

/**
 * Several records may be at one name at once (a name and its wildcard, two processes). Both methods touch no other value
 * than the record's, may be repeated, and reject with a PerantaraError that says what to do and holds no secret, or soon
 * after `signal` aborts with its reason. Whoever calls bounds them in time by the signal.
 */
export interface DnsProvider {
  /** For messages: `Cloudflare`, `program "/usr/local/bin/hook"`. */
  readonly name: string;
  /** Resolves when the provider has taken the record; it need not be visible yet. One that is already there is no error. */
  present(record: DnsRecord, signal: AbortSignal): Promise<void>;
  /** Resolves when the record is gone, also when it was never there. */
  cleanUp(record: DnsRecord, signal: AbortSignal): Promise<void>;
}
