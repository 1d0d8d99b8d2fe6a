// Gives a storage folder that root has made, and what is in it, to the user as whom the process goes on. Only what root has made
// where nobody else can write is touched: in a folder of another user anything may be put in the place of a file meanwhile.
import { lchownSync, lstatSync, mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { messageOf, PerantaraError } from '../core/errors.ts';

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** What stands at the top of a storage folder (certs/README.md explains it), and what a crash may leave there of writing it. */
const OURS =
  /^(accounts|budgets|certificates|challenges|changes|compromised|local-ca|locks|orders|orphans\.json|admin\.sock|README\.md)(\.bad-\w+)?$|^\.(probe|[0-9a-f]{8}|.+\.[0-9a-f]{12}\.tmp)$/;

/** Makes the folder when it is missing. Throws PerantaraError `storage_unwritable`. */
export function handOver(folder: string, owner: Owner): void {
  try {
    const made = makeFolders(folder);
    if (made.length > 0) for (const each of made) lchownSync(each, owner.uid, owner.gid);
    else if (lstatSync(folder).uid === 0) {
      const foreign = readdirSync(folder).find((name) => !OURS.test(name));
      if (foreign !== undefined) throw foreigner(foreign, folder, owner);
      give(folder, owner);
    }
  } catch (cause) {
    const why = `cannot give the folder "${folder}" to user ${owner.uid}: ${messageOf(cause)}`;
    throw new PerantaraError(why, { code: 'storage_unwritable', source: 'operator', cause });
  }
}

/** Somebody has named `/etc`, say, by mistake. */
function foreigner(name: string, folder: string, { uid, gid }: Owner): Error {
  const byHand = `sudo chown -R ${uid}:${gid} ${JSON.stringify(folder)}`;
  return new Error(
    `"storage" should be a folder of its own, and there is ${JSON.stringify(name)} in this one; if it is no mistake: ${byHand}`,
  );
}

/** What is in a folder before the folder itself: until the last step nobody but root gets in. */
function give(path: string, { uid, gid }: Owner): void {
  const found = lstatSync(path);
  const isFolder = found.isDirectory();
  // An admin socket that was left behind: nobody else could find out that nobody answers there.
  const isSingle = (found.isFile() || found.isSocket()) && found.nlink === 1;
  if (found.uid !== 0 || !(isFolder || isSingle)) return;
  const isPrivate = (found.mode & 0o022) === 0;
  if (isFolder && isPrivate) for (const name of readdirSync(path)) give(join(path, name), { uid, gid });
  lchownSync(path, uid, gid);
}

/** Those that had to be made, each mode 0700. */
function makeFolders(folder: string): readonly string[] {
  const missing: string[] = [];
  for (let place = folder; lstatSync(place, { throwIfNoEntry: false }) === undefined; place = dirname(place))
    missing.unshift(place);
  for (const place of missing) mkdirSync(place, { mode: 0o700 });
  return missing;
}
