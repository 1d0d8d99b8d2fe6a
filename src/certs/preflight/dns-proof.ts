// Proofs in the DNS before anything is asked: where the record of DNS-01 (RFC 8555 section 8.4) would go and who puts it
// there; whether the lasting one of DNS-PERSIST-01 is there, and which it has to be.
import type { DnsConfig } from '../../config/config.ts';
import { judgePersistentRecord, persistentName, persistentRecord, zoneFileLine } from '../dns/persistent-record.ts';
import type { CaaIssuer } from './caa.ts';
import { type Finding, finding, type LookUp } from './finding.ts';

/** `alias`: what `_acme-challenge.<name>` is an alias of. */
export function judgeDns01(dns: DnsConfig | null, alias: LookUp<string>, name: string): Finding {
  const record = `_acme-challenge.${name}`;
  if (dns === null)
    return finding(
      'dns-01',
      'problem',
      `nobody is named who puts ${record} into the DNS`,
      'set "dns" in the configuration',
    );
  if (alias.kind === 'failed')
    return finding(
      'dns-01',
      'problem',
      `${record} cannot be looked up: ${alias.reason}`,
      'mend the name servers of the domain',
    );
  const { kind } = dns.provider;
  if (alias.kind === 'found')
    return finding('dns-01', 'ok', `${record} is an alias of ${alias.value}, where "${kind}" has to put the record`);
  if (kind === 'acme-dns') {
    const advice = `add the record ${record}. CNAME ${dns.provider.subdomain}`;
    return finding('dns-01', 'problem', `${record} is no alias, and acme-dns needs one`, advice);
  }
  return finding('dns-01', 'ok', `"${kind}" puts ${record} into the DNS; whether it may, only a certificate shows`);
}

/** `texts`: of the TXT records at `_validation-persist.<name>`. One finding per issuer. */
export function judgePersistentRecords(
  texts: LookUp<readonly string[]>,
  wish: { readonly identifier: string; readonly wildcard: boolean },
  issuers: readonly CaaIssuer[],
  now: number,
): readonly Finding[] {
  const place = persistentName(wish.identifier);
  if (texts.kind === 'failed')
    return [
      finding(
        'dns-persist-01',
        'problem',
        `${place} cannot be looked up: ${texts.reason}`,
        'mend the name servers of the domain',
      ),
    ];
  const present = texts.kind === 'found' ? texts.value : [];
  return issuers.map(({ name, identities, accountUrl }) => {
    if (accountUrl === null || identities === null) {
      const missing =
        accountUrl === null ? 'there is no account at it yet' : 'it does not say what it is called in the DNS';
      const advice = 'try to obtain the certificate once: the log then tells the exact record';
      return finding('dns-persist-01', 'unknown', `the record for ${name} is not known: ${missing}`, advice);
    }
    const wanted = { ...wish, issuerDomainNames: identities, accountUrl };
    const verdicts = present.map((text) => judgePersistentRecord(text, wanted, false, now));
    if (verdicts.some(({ fit }) => fit)) return finding('dns-persist-01', 'ok', `${place} proves the name to ${name}`);
    const why = verdicts.flatMap((verdict) => (verdict.fit || verdict.why === null ? [] : [verdict.why]))[0];
    const found =
      why === undefined
        ? `${place} has no record for ${name}`
        : `the record at ${place} does not do for ${name}: ${why}`;
    return finding('dns-persist-01', 'problem', found, `set ${zoneFileLine(persistentRecord(wanted))}`);
  });
}
