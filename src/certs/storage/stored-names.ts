// Whose certificates lie in a storage: the folders `certificates/<issuer>/<name>` and what is in them.

import { pooledMap } from '../../core/pooled-map.ts';
import { parseState } from './certificate-state.ts';
import { certificateFolder } from './certificate-store.ts';
import type { Storage } from './storage.ts';

/** States read at once: a file table may hold as few as 1024. */
const MAX_READS = 16;

export class StoredNames {
  /** Folder → keys of its values. */
  readonly folders: ReadonlyMap<string, readonly string[]>;
  readonly #issuers: ReadonlySet<string>;

  constructor(keys: readonly string[]) {
    const folders = new Map<string, string[]>();
    const issuers = new Set<string>();
    for (const key of keys) {
      const segments = key.split('/');
      if (segments.length < 4) continue;
      const folder = segments.slice(0, 3).join('/');
      const values = folders.get(folder) ?? [];
      values.push(key);
      folders.set(folder, values);
      issuers.add(segments[1]!);
    }
    this.folders = folders;
    this.#issuers = issuers;
  }

  /** Those that have something for a name. Staging authorities, which no client trusts, do not count. */
  issuersOf(name: string): readonly string[] {
    return [...this.#issuers].filter((id) => !/staging/.test(id) && this.folders.has(certificateFolder(id, name)));
  }
}

/** Rejects with `storage_unreadable`. */
export async function listStored(storage: Storage): Promise<StoredNames> {
  return new StoredNames(await storage.list('certificates'));
}

/** Whether what lies in the folder was obtained on demand. A state that cannot be read says no. */
export async function isOnDemand(storage: Storage, folder: string): Promise<boolean> {
  try {
    return parseState((await storage.load(`${folder}/state.json`)) ?? '').onDemand;
  } catch {
    return false;
  }
}

/** Names that were obtained on demand of one of the issuers, each once. Rejects with `storage_unreadable`. */
export async function listOnDemand(storage: Storage, issuerIds: readonly string[]): Promise<readonly string[]> {
  const { folders } = await listStored(storage);
  const candidates = [...folders].filter(
    ([folder, keys]) => issuerIds.includes(folder.split('/')[1]!) && keys.includes(`${folder}/bundle.pem`),
  );
  const names = await pooledMap(candidates, MAX_READS, async ([folder]) =>
    (await isOnDemand(storage, folder)) ? [folder.split('/')[2]!] : [],
  );
  return [...new Set(names.flat())];
}
