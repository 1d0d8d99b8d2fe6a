// Groups of sites that share a certificate: what is on one certificate has one key, one profile and one authority.
import { isDeepStrictEqual } from 'node:util';
import type { SiteConfig, SiteTls } from './config.ts';
import type { Draft } from './draft.ts';
import { showValue } from './problem.ts';
import type { Path } from './source.ts';

/** Let's Encrypt's limit for the profile `classic`; its other profiles take 25. */
const MAX_NAMES = 100;

export interface PlacedSite {
  readonly site: SiteConfig;
  readonly path: Path;
}

type AcmeTls = Extract<SiteTls, { kind: 'acme' }>;

/** Challenges may differ: a wildcard and a name are proved each in its own way. */
const SHARED: readonly (readonly [keyof AcmeTls, string])[] = [
  ['directories', 'issuer'],
  ['keyTypes', 'keyType'],
  ['profile', 'profile'],
];

export function checkGroups(sites: readonly PlacedSite[], draft: Draft): void {
  const groups = new Map<string, PlacedSite[]>();
  for (const placed of sites) {
    const { tls } = placed.site;
    if (tls.kind !== 'acme' || tls.group === null) continue;
    groups.set(tls.group, [...(groups.get(tls.group) ?? []), placed]);
  }
  for (const members of groups.values()) {
    for (const member of members.slice(1)) reportDifference(members[0]!, member, draft);
    if (members.length > MAX_NAMES)
      draft.errorAt([...members[MAX_NAMES]!.path, 'tls', 'group'], `a certificate has at most ${MAX_NAMES} names`, {
        allowed: 'several groups',
      });
  }
}

function reportDifference(first: PlacedSite, other: PlacedSite, draft: Draft): void {
  const [a, b] = [first.site.tls as AcmeTls, other.site.tls as AcmeTls];
  const difference = SHARED.find(([field]) => !isDeepStrictEqual(a[field], b[field]));
  if (difference === undefined) return;
  const at = `${showValue(first.path.at(-1))} (${draft.positionAtKey(first.path)})`;
  draft.errorAt(
    [...other.path, 'tls', 'group'],
    `its ${difference[1]} is not that of ${at}, with which it shares a certificate`,
    {
      allowed: 'one issuer, keyType and profile for the whole group',
    },
  );
}
