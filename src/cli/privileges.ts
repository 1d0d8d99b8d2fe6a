// Gives up root for the user of the configuration, for good: once, when the listeners are open and before anybody is listened to.
import { userInfo } from 'node:os';
import type { UserConfig } from '../config/user.ts';
import { codeOf, messageOf, PerantaraError } from '../core/errors.ts';
import { findUser } from '../core/system-user.ts';
import { handOver } from './hand-over.ts';

/**
 * What is to be done to become `user`, or null: nothing. Throws PerantaraError `user_refused` when this process cannot; so does
 * what is returned, when the system does not let it.
 */
export function changeOfUser(user: UserConfig | null, storage: string): (() => void) | null {
  if (user === null) return null;
  const uid = process.getuid?.();
  if (uid === undefined) throw refused(user, 'this system has no users to change to');
  if (uid === user.uid && process.getgid!() === user.gid) return null;
  if (uid !== 0) {
    const name = findUser(String(uid))?.name ?? 'a user without a name';
    const advice = `start it as root, or without "user" as whom it is to run, by the service manager say`;
    throw refused(user, `this process was started by ${name} (${uid}), and only root can change its user; ${advice}`);
  }
  return () => {
    handOver(storage, user);
    become(user);
    moveHome();
  };
}

/** Missing in the types of Node. */
const { initgroups } = process as unknown as { readonly initgroups: (user: string, group: number) => void };

function become(user: UserConfig): void {
  const { name, uid, gid, isKnown } = user;
  try {
    if (isKnown) initgroups(name, gid);
    else process.setgroups!([gid]);
    process.setgid!(gid);
    process.setuid!(uid);
  } catch (error) {
    const isForbidden = codeOf(error) === 'EPERM';
    throw refused(user, isForbidden ? 'root may not do so here (CAP_SETUID and CAP_SETGID)' : messageOf(error), error);
  }
  if (uid !== 0 && canReturn()) throw refused(user, 'it could become root again');
}

/** Programs that are started from here look for their files where the user has them, not where root has. */
function moveHome(): void {
  try {
    const { homedir: HOME, username: USER } = userInfo();
    Object.assign(process.env, { HOME, USER, LOGNAME: USER });
  } catch {
    // The system does not know the user.
    for (const name of ['HOME', 'USER', 'LOGNAME']) delete process.env[name];
  }
}

function canReturn(): boolean {
  for (const back of [() => process.setuid!(0), () => process.seteuid!(0), () => process.setgroups!([0])])
    try {
      back();
      return true;
    } catch {
      // As it should be.
    }
  return process.getuid!() === 0 || process.geteuid!() === 0;
}

function refused({ name, position }: UserConfig, why: string, cause?: unknown): PerantaraError {
  return new PerantaraError(`${position}: cannot run as user "${name}": ${why}`, {
    code: 'user_refused',
    source: 'operator',
    cause,
  });
}
