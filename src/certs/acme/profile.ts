// Which profile an order asks for (draft-ietf-acme-profiles): the wanted one if the CA has it. Pure.
import { isIP } from 'node:net';
import type { ProfileChoice } from '../../config/config.ts';
import { PerantaraError } from '../../core/errors.ts';
import type { Directory } from './messages.ts';

/** Let's Encrypt certifies addresses under this one alone. */
const FOR_ADDRESSES = 'shortlived';

export interface ChosenProfile {
  /** For the order; null: none is named. */
  readonly ordered: string | null;
  /** A wish that the CA does not know, and what it offers: for a warning. */
  readonly unknown: { readonly profile: string; readonly offered: readonly string[] } | null;
}

/** Throws `profile_unknown` when it is required and the CA does not list it. `ca`: for the message. */
export function chooseProfile(
  wish: ProfileChoice | null,
  names: readonly string[],
  directory: Directory,
  ca: string,
): ChosenProfile {
  const offered = Object.keys(directory.meta?.profiles ?? {});
  if (wish === null) {
    const needed = names.some((name) => isIP(name) !== 0) && offered.includes(FOR_ADDRESSES);
    return { ordered: needed ? FOR_ADDRESSES : null, unknown: null };
  }
  if (offered.includes(wish.name)) return { ordered: wish.name, unknown: null };
  if (!wish.required) return { ordered: null, unknown: { profile: wish.name, offered } };
  const choice = offered.length === 0 ? 'it offers no profiles' : `it offers ${offered.join(', ')}`;
  throw new PerantaraError(`cannot order profile "${wish.name}" at "${ca}": ${choice}`, {
    code: 'profile_unknown',
    source: 'operator',
  });
}
