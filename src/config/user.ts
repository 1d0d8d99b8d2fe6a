// `user` and `group`: as whom the process goes on once its listeners are open.
import { findGroup, findUser, MAX_ID } from '../core/system-user.ts';
import type { Position } from './config.ts';
import type { Draft } from './draft.ts';
import { meant, mistaken, type Parsed } from './parsed.ts';
import type { RawConfig } from './schema.ts';

export interface UserConfig {
  /** As the system has it; the number where there is no name. */
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  /** Whether the system knows the user, and so its other groups. */
  readonly isKnown: boolean;
  readonly position: Position;
}

export const USER_FORMS = 'a name such as perantara, or a number such as 998';

/** A name or a number, as text. */
export function parseUserName(written: string | number): Parsed<string> {
  const text = String(written).trim();
  if (/^\d+$/.test(text))
    return Number(text) <= MAX_ID ? meant(String(Number(text))) : mistaken('the number is too large');
  if (!/^[^\s:/,-][^\s:/,]*$/.test(text) || /[\u0000-\u001f\u007f]/.test(text))
    return mistaken('it is no name', { allowed: USER_FORMS });
  return meant(text);
}

export function readUser({ user, group }: Pick<RawConfig, 'user' | 'group'>, draft: Draft): UserConfig | null {
  if (user === undefined) {
    if (group !== undefined && !draft.isTainted(['user'])) draft.errorAt(['group'], 'it needs "user" beside it');
    return null;
  }
  const position = draft.positionAt(['user']);
  const isNumber = /^\d+$/.test(user);
  const found = findUser(user);
  const itself = found ?? (isNumber ? { name: user, uid: Number(user), gid: null } : null);
  if (itself === null) {
    draft.errorAt(['user'], 'this machine has no such user');
    return null;
  }
  const gid = group === undefined ? itself.gid : gidOf(group);
  if (gid !== null) return { name: itself.name, uid: itself.uid, gid, isKnown: found !== null, position };
  if (group === undefined)
    draft.errorAt(['user'], 'this machine has no user of that number; "group" is needed beside it');
  else draft.errorAt(['group'], 'this machine has no such group');
  return null;
}

/** A number need not have a name. */
function gidOf(written: string): number | null {
  return findGroup(written)?.gid ?? (/^\d+$/.test(written) ? Number(written) : null);
}
