// Whether an authority would certify such a name at all.
import { isIP } from 'node:net';
import type { ChallengeType } from '../../config/config.ts';
import { isPublicAddress } from '../../core/address.ts';
import { isLocalName, isReservedName } from '../../core/hostname.ts';
import { type Finding, finding } from './finding.ts';

/** Authorities that everybody trusts, and that keep to the CA/Browser Forum's rules. */
const PUBLIC_AUTHORITIES = /(^|\.)(letsencrypt\.org|zerossl\.com|pki\.goog|ssl\.com|buypass\.(com|no)|sectigo\.com)$/;

export interface NameFacts {
  /** Normalised host pattern. */
  readonly name: string;
  readonly challenges: readonly ChallengeType[];
  /** Directory URLs of the authorities to be asked. */
  readonly directories: readonly string[];
  /** Whether the name (without `*.`) is a public suffix, under which anybody may register. */
  readonly isPublicSuffix: boolean;
}

export function judgeName({ name, challenges, directories, isPublicSuffix }: NameFacts): readonly Finding[] {
  const judged: Finding[] = [];
  const say = (found: string, advice: string): void => void judged.push(finding('name', 'problem', found, advice));
  const asksPublic = directories.some((url) => PUBLIC_AUTHORITIES.test(new URL(url).hostname));
  const isAddress = isIP(name) !== 0;
  if (asksPublic && isAddress && !isPublicAddress(name))
    say(`"${name}" is a private or special address`, 'set "tls: local" for the site, or ask an authority of your own');
  else if (asksPublic && !isAddress && (isLocalName(name) || isReservedName(name)))
    say(`no public authority certifies "${name}"`, 'set "tls: local" for the site, or ask an authority of your own');
  if (isPublicSuffix && asksPublic)
    say(`"${name}" stands for everybody's domains (public suffix list)`, 'use a name below it that is yours');
  if (name.startsWith('*.') && !challenges.some((type) => type.startsWith('dns-')))
    say('a wildcard can be proved in the DNS alone', 'allow dns-01 or dns-persist-01 for the site, or name every host');
  if (isAddress && challenges.every((type) => type.startsWith('dns-')))
    say('an address cannot be proved in the DNS', 'allow http-01 or tls-alpn-01 for the site');
  return judged.length > 0 ? judged : [finding('name', 'ok', `"${name}" can be certified`)];
}
