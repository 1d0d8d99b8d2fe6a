// Which certificates a config asks for: one for each site, or group of sites, and key type. Pure; obtains nothing.
import { isIP } from 'node:net';
import type { AcmeConfig, ChallengeType, Config, KeyType, ProfileChoice, SiteTls } from '../config/config.ts';

export interface PlannedIssuer {
  /** Directory URL out of `Config.acme`; null: the local CA. */
  readonly directory: string | null;
  /** null lets the issuer choose. */
  readonly profile: ProfileChoice | null;
}

export interface PlannedCertificate {
  /** Its identity and, made fit for file systems, its folder: the host, `_group.<name>`, or either with `_<key type>`. */
  readonly name: string;
  /** Host patterns: all on the certificate, and served with it. At least one. */
  readonly names: readonly string[];
  readonly keyType: KeyType;
  /** 0: the main one; 1: the second of a pair, served beside it. */
  readonly part: 0 | 1;
  /** Allowed, the preferred first. */
  readonly challenges: readonly ChallengeType[];
  /** In the order to try. At least one. */
  readonly issuers: readonly PlannedIssuer[];
}

type ManagedTls = Exclude<SiteTls, { kind: 'supplied' }>;

/** In the config's order; sites with certificates of their own have none. */
export function planCertificates(config: Pick<Config, 'acme' | 'sites'>): readonly PlannedCertificate[] {
  const members = new Map<string, { readonly tls: ManagedTls; readonly hosts: string[] }>();
  for (const { host, tls } of config.sites) {
    if (tls.kind === 'supplied') continue;
    const base = baseName(host, tls);
    const group = members.get(base) ?? { tls, hosts: [] };
    group.hosts.push(host);
    members.set(base, group);
  }
  return [...members].flatMap(([base, { tls, hosts }]) => planOf(base, tls, hosts, config.acme));
}

function planOf(
  base: string,
  tls: ManagedTls,
  names: readonly string[],
  acme: readonly AcmeConfig[],
): PlannedCertificate[] {
  const challenges = tls.kind === 'acme' ? tls.challenges : [];
  const issuers = tls.kind === 'acme' ? issuersOf(tls, names, acme) : [{ directory: null, profile: null }];
  return keyTypesOf(tls).map((keyType, part) => ({
    name: nameOf(base, keyType, part),
    names,
    keyType,
    part: part === 0 ? 0 : 1,
    challenges,
    issuers,
  }));
}

function issuersOf(
  tls: Extract<SiteTls, { kind: 'acme' }>,
  names: readonly string[],
  acme: readonly AcmeConfig[],
): PlannedIssuer[] {
  const hasAddress = names.some((name) => isIP(name) !== 0);
  return tls.directories.map((directory) => {
    const own = acme.find((each) => each.directory === directory)?.profile ?? null;
    const forAddress = hasAddress && certifiesAddressesShortlived(directory) ? SHORTLIVED : null;
    return { directory, profile: tls.profile ?? forAddress ?? own };
  });
}

const SHORTLIVED: ProfileChoice = { name: 'shortlived', required: false };

/** Let's Encrypt certifies addresses with this profile only. */
function certifiesAddressesShortlived(directory: string): boolean {
  return new URL(directory).hostname.endsWith('.letsencrypt.org');
}

function keyTypesOf(tls: ManagedTls): readonly KeyType[] {
  return tls.kind === 'acme' ? tls.keyTypes.slice(0, 2) : ['p256'];
}

function baseName(host: string, tls: ManagedTls): string {
  return tls.kind === 'acme' && tls.group !== null ? `_group.${tls.group}` : host;
}

function nameOf(base: string, keyType: KeyType, part: number): string {
  return part === 0 ? base : `${base}_${keyType}`;
}
