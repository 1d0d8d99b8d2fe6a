// The `dns` section: reading its values, and finding the one provider.
import { isIP, isIPv6 } from 'node:net';
import { normalizeHostname } from '../core/hostname.ts';
import { suggest } from '../core/suggest.ts';
import { readCommand } from './command.ts';
import type { DnsConfig, DnsProviderConfig } from './config.ts';
import { CLOUDFLARE_API, DEFAULT_DNS, DEFAULT_TSIG_ALGORITHM } from './defaults.ts';
import type { Draft } from './draft.ts';
import { meant, mistaken, type Parsed } from './parsed.ts';
import type { RawConfig } from './schema.ts';

type RawDns = NonNullable<RawConfig['dns']>;

export const SERVER_FORMS = 'a name server such as 1.1.1.1, ns1.example.com:53 or [2606:4700:4700::1111]:53';

const PROVIDERS = ['exec', 'webhook', 'rfc2136', 'acmeDns', 'cloudflare'] as const;
const ALLOWED_PROVIDERS = `exactly one of ${PROVIDERS.join(', ')}`;
const TSIG_ALGORITHMS = ['hmac-sha1', 'hmac-sha224', 'hmac-sha256', 'hmac-sha384', 'hmac-sha512'];

/** `host:port`, port 53 when none is written, IPv6 in brackets. */
export function parseDnsServer(written: string): Parsed<string> {
  const allowed = SERVER_FORMS;
  const match = /^(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?$/.exec(isIPv6(written) ? `[${written}]` : written);
  const host = match === null ? null : normalizeHostname(match[1]!);
  if (match === null || host === null) return mistaken('it is not the address of a name server', { allowed });
  const port = Number(match[2] ?? 53);
  if (port < 1 || port > 65_535) return mistaken('its port is not valid', { allowed });
  return meant(`${isIPv6(host) ? `[${host}]` : host}:${port}`);
}

/** A name in the DNS, without its last dot; a zone or a key may begin with `_`. */
export function parseZone(written: string): Parsed<string> {
  const name = written.toLowerCase().replace(/\.$/, '');
  const plain = normalizeHostname(name.replaceAll('_', 'x'));
  if (plain === null || isIP(plain) !== 0) return mistaken('it is not a name in the DNS', { allowed: 'example.com' });
  return meant(name.includes('_') ? name : plain);
}

export function parseTsigAlgorithm(written: string): Parsed<string> {
  const name = written.toLowerCase().replace(/\.$/, '');
  if (TSIG_ALGORITHMS.includes(name)) return meant(name);
  const suggestion = suggest(name.startsWith('hmac-') ? name : `hmac-${name}`, TSIG_ALGORITHMS);
  return mistaken('this algorithm is not supported', { allowed: TSIG_ALGORITHMS.join(', '), suggestion });
}

export function parseTsigSecret(written: string): Parsed<string> {
  if (/^[A-Za-z0-9+/]+={0,2}$/.test(written) && written.replace(/=+$/, '').length % 4 !== 1) return meant(written);
  return mistaken('it is not base64', { allowed: 'the secret as tsig-keygen prints it' });
}

/** null without the section, or after a problem was reported. */
export function readDns(raw: RawDns | undefined, draft: Draft): DnsConfig | null {
  if (raw === undefined) return null;
  const path = ['dns'];
  const given = PROVIDERS.filter((name) => raw[name] !== undefined);
  if (given.length > 1)
    draft.errorAtKey([...path, given[1]!], `there is already ${given[0]}`, { allowed: ALLOWED_PROVIDERS });
  if (given.length === 0 && !draft.isTainted(path))
    draft.errorAt(path, 'it does not say where records are put', { allowed: ALLOWED_PROVIDERS });
  const provider = readProvider(raw, draft);
  if (provider === null) return null;
  return {
    provider,
    resolvers: [...new Set(raw.resolvers ?? [])],
    propagationMs: raw.propagation ?? DEFAULT_DNS.propagationMs,
    settleMs: raw.settle ?? DEFAULT_DNS.settleMs,
    check: raw.check ?? DEFAULT_DNS.check,
    ttlMs: raw.ttl ?? DEFAULT_DNS.ttlMs,
  };
}

function readProvider(raw: RawDns, draft: Draft): DnsProviderConfig | null {
  const { exec, webhook, rfc2136, acmeDns, cloudflare } = raw;
  if (exec !== undefined) return { kind: 'exec', ...readCommand(exec, ['dns', 'exec'], draft) };
  if (webhook !== undefined) {
    const { url, user = null, password = null } = webhook;
    if (user === null && password !== null)
      draft.errorAtKey(['dns', 'webhook', 'password'], 'there is a password and no user');
    return { kind: 'webhook', url, user, password };
  }
  if (rfc2136 !== undefined) {
    const { server, zone = null, tsig } = rfc2136;
    if (tsig === undefined) return { kind: 'rfc2136', server, zone, tsig: null };
    return { kind: 'rfc2136', server, zone, tsig: { ...tsig, algorithm: tsig.algorithm ?? DEFAULT_TSIG_ALGORITHM } };
  }
  if (acmeDns !== undefined) return { kind: 'acme-dns', ...acmeDns };
  if (cloudflare !== undefined) {
    const { token, zone = null, api = CLOUDFLARE_API } = cloudflare;
    return { kind: 'cloudflare', token, zone, api };
  }
  return null;
}
