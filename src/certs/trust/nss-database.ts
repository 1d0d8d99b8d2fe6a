// The trust of Firefox, and of Chromium on Linux: one NSS database in each profile, kept through NSS's certutil.
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  failureOf,
  type Machine,
  quoted,
  type TrustedRoot,
  type TrustOutcome,
  type TrustStore,
} from './trust-store.ts';

/** Under the home folder; `*` stands for every profile. */
const PLACES: readonly (readonly [string, string])[] = [
  ['Chromium', '.pki/nssdb'],
  ['Chromium (snap)', 'snap/chromium/current/.pki/nssdb'],
  ['Firefox', '.mozilla/firefox/*'],
  ['Firefox', '.config/mozilla/firefox/*'],
  ['Firefox (snap)', 'snap/firefox/common/.mozilla/firefox/*'],
  ['Firefox (flatpak)', '.var/app/org.mozilla.firefox/.mozilla/firefox/*'],
  ['Firefox', 'Library/Application Support/Firefox/Profiles/*'],
];

const MISSING = 'certutil is not installed: it is in libnss3-tools (Debian), nss-tools (Fedora), nss (Arch, Homebrew)';

export class NssDatabase implements TrustStore {
  readonly name: string;
  readonly #folder: string;
  readonly #machine: Machine;

  private constructor(browser: string, folder: string, machine: Machine) {
    this.name = `${browser} (${folder})`;
    this.#folder = folder;
    this.#machine = machine;
  }

  /** Those of the person at the terminal. */
  static async find(machine: Machine): Promise<readonly NssDatabase[]> {
    // Windows has another certutil, and Firefox there asks the system.
    if (machine.home === null || machine.platform === 'win32') return [];
    const found: NssDatabase[] = [];
    for (const [browser, place] of PLACES)
      for (const folder of await foldersAt(join(machine.home, place)))
        if (await isFile(join(folder, 'cert9.db'))) found.push(new NssDatabase(browser, folder, machine));
    return found;
  }

  async add(root: TrustedRoot): Promise<TrustOutcome> {
    if (await this.#has(root)) return { done: 'already there' };
    return this.#do(['-A', ...this.#database(root), '-t', 'C,,', '-i', root.file], 'added');
  }

  async remove(root: TrustedRoot): Promise<TrustOutcome> {
    const known = await this.#machine.run('certutil', ['-L', ...this.#database(root)]);
    if (known.code !== null && known.code !== 0) return { done: 'not there' };
    return this.#do(['-D', ...this.#database(root)], 'removed');
  }

  /** Whether it is there as an authority for servers. */
  async #has(root: TrustedRoot): Promise<boolean> {
    const { code } = await this.#machine.run('certutil', ['-V', '-u', 'L', ...this.#database(root)]);
    return code === 0;
  }

  #database({ name }: TrustedRoot): string[] {
    return ['-d', `sql:${this.#folder}`, '-n', name];
  }

  async #do(args: readonly string[], done: 'added' | 'removed'): Promise<TrustOutcome> {
    const result = await this.#machine.run('certutil', args);
    if (result.code === 0) return { done };
    const reason = result.code === null ? MISSING : failureOf('certutil', result);
    return { done: 'failed', reason, byHand: ['certutil', ...args].map(quoted).join(' ') };
  }
}

async function foldersAt(place: string): Promise<string[]> {
  if (!place.endsWith('*')) return [place];
  const parent = place.slice(0, -2);
  const names = await readdir(parent).catch(() => []);
  return names.sort().map((name) => join(parent, name));
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isFile() === true;
}
