// What storage knows about every configured name, for `perantara certs`. Reads only: mends nothing, asks nobody.
import type { AcmeConfig, Config, SiteConfig } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';
import { createLogger } from '../core/log.ts';
import { pooledMap } from '../core/pooled-map.ts';
import { acmeIssuerId } from './acme/issuer.ts';
import { attemptAllowedAt } from './attempts.ts';
import { parseCertificate } from './certificate.ts';
import { CertificateStore } from './certificate-store.ts';
import { FileStorage } from './file-storage.ts';
import { LOCAL_CA_ID } from './local-ca.ts';
import { renewalDueAt } from './renewal.ts';

export interface CertificateStatus {
  readonly name: string;
  readonly source: 'acme' | 'local' | 'supplied';
  /** As the certificate names it, or null without a certificate. */
  readonly issuer: string | null;
  readonly notAfter: number | null;
  /** null for supplied certificates and when none is there yet. */
  readonly nextRenewalAt: number | null;
  readonly state: 'valid' | 'missing' | 'expired' | 'failing';
  readonly lastError: { readonly at: number; readonly message: string } | null;
  /** When the issuer may be asked again after a failure, or null. */
  readonly nextAttemptAt: number | null;
}

/** Sites looked at at once: a file table may hold as few as 1024. */
const MAX_READS = 16;

/** One status per site, in the config's order. Unreadable files count as missing. */
export async function listCertificates(config: Config, clock: Clock): Promise<readonly CertificateStatus[]> {
  const store = new CertificateStore(new FileStorage(config.storage), createLogger({ level: 'silent', pretty: false }));
  const now = clock.now();
  return pooledMap(config.sites, MAX_READS, (site) => statusOf(site, config.acme[0]!, store, now));
}

async function statusOf(
  { host, tls }: SiteConfig,
  acme: AcmeConfig,
  store: CertificateStore,
  now: number,
): Promise<CertificateStatus> {
  if (tls.kind === 'supplied') {
    const { issuer, notAfter } = parseCertificate(tls.certPem, tls.keyPem);
    const state = notAfter <= now ? 'expired' : 'valid';
    const quiet = { nextRenewalAt: null, lastError: null, nextAttemptAt: null };
    return { name: host, source: 'supplied', issuer, notAfter, state, ...quiet };
  }
  const issuerId = tls.kind === 'local' ? LOCAL_CA_ID : acmeIssuerId(acme.directory);
  const certificate = await store.read(issuerId, host).catch(() => null);
  const memory = await store.loadState(issuerId, host).catch(() => null);
  const failing = memory !== null && memory.failures > 0;
  const nextAttemptAt = failing ? attemptAllowedAt(memory, now) || now : null;
  const facts = { name: host, source: tls.kind, lastError: memory?.lastError ?? null, nextAttemptAt };
  if (certificate === null)
    return { ...facts, issuer: null, notAfter: null, nextRenewalAt: null, state: failing ? 'failing' : 'missing' };
  const { issuer, notAfter } = certificate;
  const nextRenewalAt = Math.max(renewalDueAt(certificate), nextAttemptAt ?? 0);
  const state = notAfter <= now ? 'expired' : failing ? 'failing' : 'valid';
  return { ...facts, issuer, notAfter, nextRenewalAt, state };
}
