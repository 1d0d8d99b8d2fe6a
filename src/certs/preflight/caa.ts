// Whether the domain's CAA records let the authorities issue (RFC 8659), with this account and by these methods (RFC 8657).
import type { ChallengeType } from '../../config/config.ts';
import { type Finding, finding, type LookUp } from './finding.ts';

export interface CaaRecord {
  readonly critical: boolean;
  /** Lower case. */
  readonly tag: string;
  readonly value: string;
}

/** The records of the nearest name that has any, RFC 8659 section 3. */
export interface CaaSet {
  readonly domain: string;
  readonly records: readonly CaaRecord[];
}

export interface CaaIssuer {
  /** For people. */
  readonly name: string;
  /** What the authority calls itself in CAA records; null when it does not say. */
  readonly identities: readonly string[] | null;
  /** Our account there, or null before the first certificate. */
  readonly accountUrl: string | null;
}

const KNOWN_TAGS: readonly string[] = [
  'issue',
  'issuewild',
  'iodef',
  'issuemail',
  'issuevmc',
  'contactemail',
  'contactphone',
];

/** One finding per issuer, or one for all. */
export function judgeCaa(
  found: LookUp<CaaSet>,
  isWildcard: boolean,
  challenges: readonly ChallengeType[],
  issuers: readonly CaaIssuer[],
): readonly Finding[] {
  if (found.kind === 'none') return [finding('caa', 'ok', 'no CAA record limits who may issue')];
  if (found.kind === 'failed')
    return [
      finding(
        'caa',
        'problem',
        `CAA records cannot be looked up: ${found.reason}`,
        'authorities refuse then: mend the name servers of the domain (they must answer questions for CAA)',
      ),
    ];
  const { domain, records } = found.value;
  const unknown = records.find(({ critical, tag }) => critical && !KNOWN_TAGS.includes(tag));
  if (unknown !== undefined)
    return [
      finding(
        'caa',
        'problem',
        `a CAA record of ${domain} has the critical property "${unknown.tag}", which forbids every authority that does not know it`,
        'remove it',
      ),
    ];
  const wild = records.filter(({ tag }) => tag === 'issuewild');
  const tag = isWildcard && wild.length > 0 ? 'issuewild' : 'issue';
  const deciding = records.filter((record) => record.tag === tag);
  if (deciding.length === 0) return [finding('caa', 'ok', `the CAA records of ${domain} do not limit who may issue`)];
  return issuers.map((issuer) => judgeIssuer(issuer, domain, tag, deciding, challenges));
}

function judgeIssuer(
  issuer: CaaIssuer,
  domain: string,
  tag: string,
  deciding: readonly CaaRecord[],
  challenges: readonly ChallengeType[],
): Finding {
  const { name, identities, accountUrl } = issuer;
  const allowed = deciding.map(({ value }) => parseIssue(value)).filter((each) => each !== null && each.issuer !== '');
  const listed = deciding.map(({ value }) => `"${value}"`).join(', ');
  if (identities === null)
    return finding(
      'caa',
      'unknown',
      `${domain} allows ${listed}; ${name} does not say what it is called there`,
      'ask it for its CAA identity, and add it if it is missing',
    );
  const wanted = `${domain}. CAA 0 ${tag} "${identities[0] ?? name}"`;
  const own = allowed.filter((each) => identities.some((identity) => identity.toLowerCase() === each!.issuer));
  if (own.length === 0)
    return finding('caa', 'problem', `${domain} allows ${listed}, not ${name}`, `add the record ${wanted}`);
  const refusals: { readonly found: string; readonly advice: string; readonly isSure: boolean }[] = [];
  for (const { parameters } of own.map((each) => each!)) {
    const account = parameters.get('accounturi');
    const methods = parameters.get('validationmethods')?.split(',');
    if (methods !== undefined && !challenges.some((type) => methods.includes(type)))
      refusals.push({
        found: `${domain} allows ${name} by ${methods.join(' or ')} only, and here ${challenges.join(' or ')} is used`,
        advice: `change validationmethods to ${challenges[0]}, or the site's challenges`,
        isSure: true,
      });
    else if (account !== undefined && accountUrl === null)
      refusals.push({
        found: `${domain} allows the account ${account} at ${name} only, and there is no account here yet`,
        advice:
          'obtain one certificate for another name first, then put its account into the record; or move the account here',
        isSure: false,
      });
    else if (account !== undefined && account !== accountUrl)
      refusals.push({
        found: `${domain} allows the account ${account} at ${name} only, and here it is ${accountUrl}`,
        advice: `change accounturi to ${accountUrl}`,
        isSure: true,
      });
    else return finding('caa', 'ok', `${domain} allows ${name}`);
  }
  const { found, advice, isSure } = refusals[0]!;
  return finding('caa', isSure ? 'problem' : 'warning', found, advice);
}

/** RFC 8659 section 4.2: `issuer; tag=value; …`. null when malformed, which allows nobody. */
export function parseIssue(value: string): { issuer: string; parameters: ReadonlyMap<string, string> } | null {
  const [issuer, ...parts] = value.split(';').map((part) => part.trim());
  if (!/^([a-z0-9-]+(\.[a-z0-9-]+)*)?$/i.test(issuer!)) return null;
  const parameters = new Map<string, string>();
  for (const part of parts) {
    if (part === '') continue;
    const [, name, parameter] = /^([a-z0-9-]+)\s*=\s*([\x21-\x3a\x3c-\x7e]*)$/i.exec(part) ?? [];
    if (name === undefined || parameter === undefined) return null;
    parameters.set(name.toLowerCase(), parameter);
  }
  return { issuer: issuer!.toLowerCase(), parameters };
}

/** The names to ask, from `name` up to its top-level domain (RFC 8659 section 3); `*.` does not count. */
export function caaCandidates(name: string): readonly string[] {
  const labels = name.replace(/^\*\./, '').split('.');
  return labels.map((_, index) => labels.slice(index).join('.'));
}
