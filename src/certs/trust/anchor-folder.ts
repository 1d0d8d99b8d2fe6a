// The trust of a Linux system: a folder of certificates and the program that makes the bundles from it.
import { chmod, readFile, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../../core/atomic-file.ts';
import { codeOf, messageOf } from '../../core/errors.ts';
import {
  failureOf,
  type Machine,
  quoted,
  type TrustedRoot,
  type TrustOutcome,
  type TrustStore,
} from './trust-store.ts';

interface Family {
  readonly folder: string;
  /** The extension that the program looks for. */
  readonly extension: string;
  readonly update: readonly [string, ...string[]];
  /** After a certificate was taken away. */
  readonly refresh: readonly [string, ...string[]];
}

/** By the folder that only they have. */
const FAMILIES: readonly Family[] = [
  // Fedora, RHEL and their kin
  family('/etc/pki/ca-trust/source/anchors', 'pem', ['update-ca-trust', 'extract']),
  // Arch
  family('/etc/ca-certificates/trust-source/anchors', 'crt', ['trust', 'extract-compat']),
  // openSUSE
  family('/etc/pki/trust/anchors', 'pem', ['update-ca-certificates'], ['update-ca-certificates', '--fresh']),
  // Debian, Ubuntu, Alpine
  family('/usr/local/share/ca-certificates', 'crt', ['update-ca-certificates'], ['update-ca-certificates', '--fresh']),
];

export class AnchorFolder implements TrustStore {
  readonly name: string;
  readonly #family: Family;
  readonly #machine: Machine;

  private constructor(found: Family, machine: Machine) {
    this.#family = found;
    this.#machine = machine;
    this.name = `the system's authorities (${found.folder})`;
  }

  /** null on a system that keeps its trust in none of these ways. */
  static async find(machine: Machine): Promise<AnchorFolder | null> {
    for (const candidate of FAMILIES) {
      const found = await stat(`${machine.root}${candidate.folder}`).catch(() => null);
      if (found?.isDirectory() === true) return new AnchorFolder(candidate, machine);
    }
    return null;
  }

  async add(root: TrustedRoot): Promise<TrustOutcome> {
    const path = this.#path(root);
    const byHand = `sudo install -m 644 ${quoted(root.file)} ${quoted(path)} && sudo ${this.#family.update.join(' ')}`;
    const actual = `${this.#machine.root}${path}`;
    if ((await readFile(actual, 'utf8').catch(() => null)) === root.pem) return { done: 'already there' };
    try {
      await writeFileAtomic(actual, root.pem, 0o644);
      await chmod(actual, 0o644); // whatever the umask says: everybody reads it
    } catch (error) {
      return { done: 'failed', reason: reasonOf(error), byHand };
    }
    const failed = await this.#update(this.#family.update, byHand);
    // Without the bundles nothing trusts it, and the next run would take the file for a finished job.
    if (failed !== null) await unlink(actual).catch(() => {});
    return failed ?? { done: 'added' };
  }

  async remove(root: TrustedRoot): Promise<TrustOutcome> {
    const path = this.#path(root);
    const byHand = `sudo rm ${quoted(path)} && sudo ${this.#family.refresh.join(' ')}`;
    try {
      await unlink(`${this.#machine.root}${path}`);
    } catch (error) {
      return codeOf(error) === 'ENOENT' ? { done: 'not there' } : { done: 'failed', reason: reasonOf(error), byHand };
    }
    return (await this.#update(this.#family.refresh, byHand)) ?? { done: 'removed' };
  }

  async #update([program, ...args]: readonly [string, ...string[]], byHand: string): Promise<TrustOutcome | null> {
    const result = await this.#machine.run(program, args);
    return result.code === 0 ? null : { done: 'failed', reason: failureOf(program, result), byHand };
  }

  #path({ sha256 }: TrustedRoot): string {
    return join(this.#family.folder, `perantara-${sha256.slice(0, 8).toLowerCase()}.${this.#family.extension}`);
  }
}

function family(folder: string, extension: string, update: readonly [string, ...string[]], refresh = update): Family {
  return { folder, extension, update, refresh };
}

function reasonOf(error: unknown): string {
  const code = codeOf(error);
  return code === 'EACCES' || code === 'EPERM' ? 'it takes the rights of root' : messageOf(error);
}
