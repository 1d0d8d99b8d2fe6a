// What lies in storage for names, or issuers of names, that are no longer configured: never renewed, listed, and removed
// after a grace period. Another process with another configuration may share the storage; so only what has expired, which
// nobody can be using, is ever removed.
import { z } from 'zod';
import { messageOf } from '../../core/errors.ts';
import { pooledMap } from '../../core/pooled-map.ts';
import { parseBundle } from '../certificate.ts';
import { certificateEvent } from '../events/certificate-event.ts';
import type { ManagedCertificateServices } from '../managed-certificate-services.ts';
import type { Storage } from './storage.ts';
import { isOnDemand, listStored, type StoredNames } from './stored-names.ts';

/** Removed no sooner than this after it was first seen. */
const GRACE_MS = 30 * 86_400_000;
/** States read at once: a file table may hold as few as 1024. */
const MAX_READS = 16;
/** Folder → when it was first seen as an orphan. */
const KEY = 'orphans.json';

export interface Orphan {
  /** `certificates/<issuer>/<name>` */
  readonly folder: string;
  readonly issuerId: string;
  /** As the folder is called. */
  readonly name: string;
  /** When it was first seen, or null: not by a running process yet. */
  readonly since: number | null;
}

/** For those who only look; without names on demand. `configured`: the folders that are wanted. Rejects with `storage_unreadable`. */
export async function listOrphans(storage: Storage, configured: ReadonlySet<string>): Promise<readonly Orphan[]> {
  const orphans = orphansOf(await listStored(storage), configured, await readSince(storage));
  const demanded = await pooledMap(orphans, MAX_READS, ({ folder }) => isOnDemand(storage, folder));
  return orphans.filter((_orphan, index) => !demanded[index]);
}

type OrphanServices = Pick<ManagedCertificateServices, 'storage' | 'locker' | 'log' | 'clock' | 'tell'>;

export class OrphanKeeper {
  readonly #services: OrphanServices;

  constructor(services: OrphanServices) {
    this.#services = services;
  }

  /** Looks once: says which are new, removes which are over. `configured`: the folders that are wanted. Never rejects. */
  async keep(configured: ReadonlySet<string>, signal: AbortSignal): Promise<void> {
    const { storage, locker, log } = this.#services;
    try {
      const stored = await listStored(storage);
      if (orphansOf(stored, configured, {}).length === 0 && (await storage.load(KEY)) === null) return;
      const lock = await locker.acquire('orphans', signal);
      try {
        const known = await readSince(storage);
        const since: Record<string, number> = {};
        for (const orphan of orphansOf(stored, configured, known)) {
          signal.throwIfAborted();
          const at = await this.#firstSeen(orphan);
          const isOver = this.#now - at >= GRACE_MS && (await this.#remove(orphan, stored, signal));
          if (!isOver) since[orphan.folder] = at;
        }
        const text = `${JSON.stringify(since, null, 2)}\n`;
        if ((await storage.load(KEY)) !== text) {
          await lock.assertHeld();
          await storage.store(KEY, text);
        }
      } finally {
        await lock.release();
      }
    } catch (error) {
      if (!signal.aborted) log.warn({ err: error }, 'orphaned certificates not looked after');
    }
  }

  get #now(): number {
    return this.#services.clock.now();
  }

  async #firstSeen({ folder, issuerId, name, since }: Orphan): Promise<number> {
    if (since !== null && since <= this.#now) return since;
    // What was obtained on demand is in no file; once it has expired, nobody uses it any more.
    if (await isOnDemand(this.#services.storage, folder)) return this.#now;
    const { storage, log, tell } = this.#services;
    const event = certificateEvent('certificate_orphaned', { now: this.#now, name, names: [], issuer: issuerId });
    log.info(
      { event: event.event, name, issuer: issuerId, folder: storage.locate(folder) },
      'certificate no longer configured',
    );
    tell(event);
    return this.#now;
  }

  /** False when it still lives. Under its lock, so that nobody is just obtaining it. */
  async #remove({ folder, issuerId, name }: Orphan, stored: StoredNames, signal: AbortSignal): Promise<boolean> {
    const { storage, locker, log } = this.#services;
    const lock = await locker.acquire(`certificates/any/${name}`, signal);
    try {
      if (!(await this.#isOver(folder))) return false;
      await lock.assertHeld();
      for (const key of stored.folders.get(folder) ?? []) await storage.delete(key);
      log.info({ name, issuer: issuerId }, 'certificate removed: not configured for a month, and expired');
      return true;
    } finally {
      await lock.release();
    }
  }

  /** Expired, damaged, or none at all. */
  async #isOver(folder: string): Promise<boolean> {
    const bundle = await this.#services.storage.load(`${folder}/bundle.pem`);
    if (bundle === null) return true;
    try {
      return parseBundle(bundle).notAfter <= this.#now;
    } catch (error) {
      this.#services.log.debug({ folder, reason: messageOf(error) }, 'orphaned certificate unreadable');
      return true;
    }
  }
}

function orphansOf(
  stored: StoredNames,
  configured: ReadonlySet<string>,
  since: Readonly<Record<string, number>>,
): Orphan[] {
  return [...stored.folders.keys()]
    .filter((folder) => !configured.has(folder))
    .map((folder) => {
      const [, issuerId, name] = folder.split('/');
      return { folder, issuerId: issuerId!, name: name!, since: since[folder] ?? null };
    });
}

async function readSince(storage: Storage): Promise<Readonly<Record<string, number>>> {
  try {
    return z.record(z.string(), z.number().max(8.64e15)).parse(JSON.parse((await storage.load(KEY)) ?? '{}'));
  } catch {
    return {}; // damaged: the grace period begins anew
  }
}
