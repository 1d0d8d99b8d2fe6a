// The words of a site's `tls`: challenge types, key types, names of groups.
import { suggest } from '../core/suggest.ts';
import type { ChallengeType, KeyType } from './config.ts';
import { meant, mistaken, type Parsed } from './parsed.ts';

const CHALLENGES: readonly ChallengeType[] = ['http-01', 'tls-alpn-01', 'dns-01', 'dns-persist-01'];
const KEY_TYPES: readonly KeyType[] = ['p256', 'p384', 'rsa2048', 'rsa4096'];

export const CHALLENGE_FORMS = CHALLENGES.join(', ');
export const KEY_FORMS = KEY_TYPES.join(', ');
export const GROUP_FORMS = 'a word of letters, digits, "-", "_" and "."';

export function parseChallenge(written: string): Parsed<ChallengeType> {
  const found = CHALLENGES.find((type) => type === written);
  if (found !== undefined) return meant(found);
  const short = CHALLENGES.find((type) => type.replace('-01', '') === written.toLowerCase().replace(/-?0?1$/, ''));
  const suggestion = short ?? suggest(written, CHALLENGES);
  return mistaken('there is no such challenge', { allowed: CHALLENGE_FORMS, suggestion });
}

export function parseKeyType(written: string): Parsed<KeyType> {
  const found = KEY_TYPES.find((type) => type === written);
  if (found !== undefined) return meant(found);
  // ECDSA P-256, EC384, RSA 4096, secp384r1: as other programs write them.
  const digits = /256|384|2048|4096/.exec(written)?.[0];
  const suggestion =
    digits === undefined ? (/^rsa/i.test(written) ? 'rsa2048' : /^ec/i.test(written) ? 'p256' : null) : null;
  return mistaken('there is no such key type', {
    allowed: KEY_FORMS,
    suggestion: suggestion ?? KEY_TYPES.find((type) => type.endsWith(digits ?? '-')) ?? suggest(written, KEY_TYPES),
  });
}

export function parseGroup(written: string): Parsed<string> {
  return /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$/.test(written)
    ? meant(written)
    : mistaken('it is not a name for a group', { allowed: GROUP_FORMS });
}
