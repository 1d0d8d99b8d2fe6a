// Takes certificates of another program over: each goes where the certificate of its site lies, so that it is served at once
// and renewed when it is due instead of being ordered anew. Account keys stay where they are: Perantara has its own account.
import { X509Certificate } from 'node:crypto';
import { wildcardOf } from '../../core/hostname.ts';
import { acmeIssuerId } from '../acme/issuer.ts';
import { type Certificate, keyTypeOf, sameNames } from '../certificate.ts';
import type { PlannedCertificate, PlannedIssuer } from '../certificate-plan.ts';
import type { RenewalRequestServices } from '../renewal/renewal-request.ts';
import { FRESH_STATE } from '../storage/certificate-state.ts';
import { certificateFolder, certificateLock } from '../storage/certificate-store.ts';
import { ChangeJournal } from '../storage/change-journal.ts';
import { CompromisedKeys } from '../storage/compromised-keys.ts';
import type { Imported } from './imported.ts';

/** A certificate that the configuration asks for: a PlannedCertificate. */
export type ImportTarget = Pick<PlannedCertificate, 'name' | 'names' | 'keyType'> & {
  readonly issuers: readonly Pick<PlannedIssuer, 'directory'>[];
};

export type ImportOutcome =
  /** `remark`: why it will be replaced soon nevertheless, and what to do about it; null: it is kept until it is due. */
  | { readonly kind: 'stored'; readonly name: string; readonly issuerId: string; readonly remark: string | null }
  | { readonly kind: 'passed over'; readonly name: string | null; readonly reason: string };

export interface ImportResult {
  readonly imported: Imported;
  /** One for each certificate of the configuration that it could be, or one that says why it is none. */
  readonly outcomes: readonly ImportOutcome[];
}

/**
 * Stores what is of use; a running process serves it within seconds. Rejects with a PerantaraError when storage fails.
 * Results are in the order of `certificates`.
 */
export async function importCertificates(
  certificates: readonly Imported[],
  targets: readonly ImportTarget[],
  services: RenewalRequestServices,
): Promise<readonly ImportResult[]> {
  const journal = new ChangeJournal(services);
  const compromised = new CompromisedKeys(services.storage);
  await compromised.load();
  const results = new Map<Imported, readonly ImportOutcome[]>();
  // The one that lives longest first: older ones of the same names are passed over then.
  const byEnd = certificates.toSorted((a, b) => b.certificate.notAfter - a.certificate.notAfter);
  for (const imported of byEnd)
    results.set(imported, await importOne(imported, targets, { ...services, journal, compromised }));
  return certificates.map((imported) => ({ imported, outcomes: results.get(imported)! }));
}

type Services = RenewalRequestServices & { readonly journal: ChangeJournal; readonly compromised: CompromisedKeys };

async function importOne(
  imported: Imported,
  targets: readonly ImportTarget[],
  services: Services,
): Promise<readonly ImportOutcome[]> {
  const passOver = (reason: string, name: string | null = null): ImportOutcome => ({
    kind: 'passed over',
    name,
    reason,
  });
  const { certificate } = imported;
  const useless = uselessness(imported, services.clock.now());
  if (useless !== null) return [passOver(useless)];
  if (services.compromised.has(certificate)) return [passOver('its key is compromised and never used again')];
  const covered = targets.filter(({ names }) => names.every((name) => covers(certificate, name)));
  if (covered.length === 0) return [passOver('no site of the configuration has its names, or the group has more')];
  const keyType = keyTypeOf(certificate);
  const outcomes: ImportOutcome[] = [];
  for (const target of covered) {
    // Of a pair, the one of the same kind.
    if (target.keyType !== keyType && covered.some((other) => other !== target && isPair(target, other))) continue;
    const directory = issuingDirectory(imported, target);
    if (directory.found) outcomes.push(await store(imported, target, acmeIssuerId(directory.url), services));
    else outcomes.push(passOver(directory.reason, target.name));
  }
  return outcomes.length > 0 ? outcomes : [passOver('its key is of neither type of the pair that is configured')];
}

async function store(
  { certificate }: Imported,
  target: ImportTarget,
  issuerId: string,
  { store: certificates, locker, journal }: Services,
): Promise<ImportOutcome> {
  const { name } = target;
  const lock = await locker.acquire(certificateLock(name), new AbortController().signal);
  try {
    const present = await certificates.load(issuerId, name);
    if (present !== null && present.notAfter >= certificate.notAfter)
      return { kind: 'passed over', name, reason: 'one that is valid as long is stored already' };
    await certificates.save(issuerId, name, certificate, { lock, replacing: present?.fingerprint ?? null });
    await certificates.saveState(issuerId, name, { ...FRESH_STATE, obtainedAt: certificate.notBefore });
  } finally {
    await lock.release();
  }
  await journal.note(certificateFolder(issuerId, name));
  return { kind: 'stored', name, issuerId, remark: remarkOn(certificate, target) };
}

/** Why nobody could serve and renew it, or null. */
function uselessness({ certificate, issuerFolder }: Imported, now: number): string | null {
  const leaf = new X509Certificate(certificate.certPem);
  if (certificate.notAfter <= now) return `it ended on ${new Date(certificate.notAfter).toISOString().slice(0, 10)}`;
  if (issuerFolder === 'local') return 'it is from the local authority of the other program';
  if (leaf.issuer === leaf.subject && leaf.checkIssued(leaf)) return 'it is signed by itself';
  if (/\(STAGING\)|Fake LE/.test(leaf.issuer)) return 'it is from a staging authority, which no client trusts';
  return null;
}

function covers({ names }: Certificate, host: string): boolean {
  const wildcard = host.startsWith('*.') ? null : wildcardOf(host);
  return names.includes(host) || (wildcard !== null && names.includes(wildcard));
}

function isPair(a: ImportTarget, b: ImportTarget): boolean {
  return sameNames(a.names, b.names) && a.keyType !== b.keyType;
}

/** What the names of public authorities in certificates look like, and where their directories are. */
const AUTHORITIES: readonly (readonly [RegExp, RegExp, string])[] = [
  [/Let's Encrypt/, /\.letsencrypt\.org$/, 'Let’s Encrypt'],
  [/ZeroSSL|Sectigo/, /\.zerossl\.com$/, 'ZeroSSL'],
  [/Google Trust Services/, /\.pki\.goog$/, 'Google'],
];

type Directory = { readonly found: true; readonly url: string } | { readonly found: false; readonly reason: string };

/** The authority that issued it, out of those that the site may use; an unknown one counts as the first private one, else the first. */
function issuingDirectory({ certificate, issuerFolder }: Imported, { issuers }: ImportTarget): Directory {
  const urls = issuers.flatMap(({ directory }) => (directory === null ? [] : [directory]));
  if (urls.length === 0) return { found: false, reason: 'the site uses the local CA' };
  const named = urls.find((url) => acmeIssuerId(url).toLowerCase() === issuerFolder?.toLowerCase());
  if (named !== undefined) return { found: true, url: named };
  const issuer = new X509Certificate(certificate.certPem).issuer;
  const isOf = (url: string, host: RegExp): boolean => host.test(new URL(url).hostname);
  const known = AUTHORITIES.find(([pattern]) => pattern.test(issuer));
  if (known === undefined) {
    const own = urls.find((url) => AUTHORITIES.every(([, host]) => !isOf(url, host)));
    return { found: true, url: own ?? urls[0]! };
  }
  const url = urls.find((each) => isOf(each, known[1]));
  return url === undefined
    ? { found: false, reason: `it is from ${known[2]}, which is not among the authorities of the site` }
    : { found: true, url };
}

/** As renewal.ts will judge. */
function remarkOn(certificate: Certificate, target: ImportTarget): string | null {
  const keyType = keyTypeOf(certificate);
  if (!sameNames(certificate.names, target.names))
    return `it also certifies other names, so it is served until one for ${target.names.join(', ')} is obtained; put the sites into one group to keep it`;
  if (keyType !== target.keyType)
    return `its key is ${keyType ?? 'of another type'}, so it is served until one with ${target.keyType} is obtained${keyType === null ? '' : `; write keyType: ${keyType} to keep it`}`;
  return null;
}
