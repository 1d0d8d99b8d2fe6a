// Which files of a folder belong together as certificate and key: one file or pair, certbot's /etc/letsencrypt, Caddy's data
// folder, a folder of pairs or of bundles (HAProxy's). Reads names and, of .pem files, whether a key is in them.
import { readFileSync, statSync } from 'node:fs';
import { readdir, realpath } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import type { CertificateFiles } from '../../core/certificate-files.ts';
import { PerantaraError } from '../../core/errors.ts';
import { fileState } from '../../core/pem-file.ts';

export interface Candidate {
  readonly files: CertificateFiles;
  /** The folder that names the issuer in Caddy's layout: `acme-v02.api.letsencrypt.org-directory`, `local`; else null. */
  readonly issuerFolder: string | null;
}

/** Deep enough for Caddy's data folder and its parent. */
const MAX_DEPTH = 5;
/** Whoever has more points at the wrong folder. */
const MAX_ENTRIES = 100_000;
const BUNDLE = /^\.(p12|pfx)$/i;
const KEY_NAMES = ['privkey.pem', 'key.pem', 'privkey.key', 'tls.key'];
/** What certbot and Caddy call the part with the certificates; beside it lie older ones, roots, accounts. */
const CERTIFICATE_FOLDERS = ['live', 'certificates'];

/** `path` is a file or a folder; `password` is for PKCS#12. Rejects with `import_unreadable` when it is neither. */
export async function findCandidates(path: string, password: string): Promise<readonly Candidate[]> {
  let isFolder: boolean;
  try {
    isFolder = statSync(path).isDirectory();
  } catch (cause) {
    throw unreadable(path, fileState(cause), cause);
  }
  const finder = new Finder(password);
  if (!isFolder) return [finder.ofFile(path, null)];
  try {
    const names = await readdir(path);
    const inner = CERTIFICATE_FOLDERS.find((name) => names.includes(name));
    await finder.walk(inner === undefined ? path : join(path, inner), 0);
  } catch (cause) {
    if (cause instanceof PerantaraError) throw cause;
    throw unreadable(path, fileState(cause), cause);
  }
  return finder.found;
}

class Finder {
  readonly found: Candidate[] = [];
  readonly #password: string;
  readonly #walked = new Set<string>();
  #entries = 0;

  constructor(password: string) {
    this.#password = password;
  }

  ofFile(file: string, issuerFolder: string | null): Candidate {
    if (BUNDLE.test(extname(file))) return this.#bundle(file, issuerFolder);
    return { files: { form: 'pem', cert: file, key: keyBeside(file) ?? file }, issuerFolder };
  }

  /** Follows symbolic links, into each folder once; one that leads nowhere is passed over. */
  async walk(folder: string, depth: number): Promise<void> {
    const real = await realpath(folder);
    if (this.#walked.has(real)) return;
    this.#walked.add(real);
    const names = (await readdir(folder)).toSorted();
    this.#entries += names.length;
    if (this.#entries > MAX_ENTRIES) throw unreadable(folder, `holds more than ${MAX_ENTRIES} files`);
    const issuerFolder = issuerOf(folder);
    // certbot: four files for one certificate, of which two matter.
    if (names.includes('fullchain.pem') && names.includes('privkey.pem')) {
      this.found.push(this.ofFile(join(folder, 'fullchain.pem'), issuerFolder));
      return;
    }
    for (const name of names) {
      const path = join(folder, name);
      const stats = statSync(path, { throwIfNoEntry: false });
      if (stats?.isDirectory() && depth < MAX_DEPTH) await this.walk(path, depth + 1);
      else if (stats?.isFile() && this.#isCertificate(path)) this.found.push(this.ofFile(path, issuerFolder));
    }
  }

  /** A bundle, a certificate with its key beside it, or both in one file. */
  #isCertificate(file: string): boolean {
    const extension = extname(file).toLowerCase();
    if (BUNDLE.test(extension)) return true;
    if (extension === '.crt' || extension === '.cer') return keyBeside(file) !== null;
    return extension === '.pem' && (keyBeside(file) !== null || holdsKey(file));
  }

  #bundle(file: string, issuerFolder: string | null): Candidate {
    return { files: { form: 'pkcs12', file, password: this.#password }, issuerFolder };
  }
}

/** `name.key` beside `name.crt`; `privkey.pem` beside certbot's `fullchain.pem`. null: perhaps the file itself holds it. */
function keyBeside(file: string): string | null {
  const stem = basename(file, extname(file));
  const own = [`${stem}.key`, `${file.split('/').at(-1)}.key`, `${stem}.key.pem`, `${stem}-key.pem`];
  const general = /^(fullchain|cert|tls|chain)$/.test(stem) ? KEY_NAMES : [];
  for (const name of [...own, ...general]) {
    const path = join(dirname(file), name);
    if (path !== file && statSync(path, { throwIfNoEntry: false })?.isFile()) return path;
  }
  return null;
}

function holdsKey(file: string): boolean {
  try {
    if (statSync(file).size > 1024 ** 2) return false;
    const text = readFileSync(file, 'latin1');
    return text.includes('PRIVATE KEY-----') && text.includes('BEGIN CERTIFICATE');
  } catch {
    return false;
  }
}

/** Caddy: `certificates/<issuer>/<name>/<name>.crt`. */
function issuerOf(folder: string): string | null {
  const issuer = dirname(folder);
  return basename(dirname(issuer)) === 'certificates' ? basename(issuer) : null;
}

function unreadable(path: string, state: string, cause?: unknown): PerantaraError {
  return new PerantaraError(`cannot import ${JSON.stringify(path)}: it ${state}`, {
    code: 'import_unreadable',
    source: 'operator',
    cause,
  });
}
