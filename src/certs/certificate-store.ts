// Where certificates lie in a Storage, and how a stored one is read back. One file is the truth – `bundle.pem`, key and
// chain together, written in one step – so no crash can part a certificate from its key. `cert.pem` and `key.pem` are
// copies for people and other software.
import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { z } from 'zod';
import type { Logger } from '../core/log.ts';
import { type Certificate, formatBundle, parseBundle } from './certificate.ts';
import type { Storage } from './storage.ts';

/** What is remembered about a name besides its certificate. */
export interface CertificateState {
  /** When the stored certificate was obtained, or null. */
  readonly obtainedAt: number | null;
  /** Failed attempts since then, in a row. */
  readonly failures: number;
  readonly lastError: { readonly at: number; readonly message: string } | null;
  /** Not before this moment is the issuer asked again; null when nothing failed. */
  readonly nextAttemptAt: number | null;
}

export const FRESH_STATE: CertificateState = { obtainedAt: null, failures: 0, lastError: null, nextAttemptAt: null };

const stateSchema = z.object({
  obtainedAt: z.number().nullable(),
  failures: z.int().nonnegative(),
  lastError: z.object({ at: z.number(), message: z.string() }).nullable(),
  nextAttemptAt: z.number().nullable(),
});

/** Longer names are shortened, so that folders and locks fit what file systems allow. */
const MAX_FOLDER_LENGTH = 200;

export class CertificateStore {
  readonly #storage: Storage;
  readonly #log: Logger;

  constructor(storage: Storage, log: Logger) {
    this.#storage = storage;
    this.#log = log;
  }

  /**
   * The stored certificate, or null. A damaged one (empty, cut off, binary, key of another) is logged and null; it stays
   * where it is until `load`.
   */
  async read(issuerId: string, name: string): Promise<Certificate | null> {
    const key = `${certificateFolder(issuerId, name)}/bundle.pem`;
    const bundle = await this.#storage.load(key);
    return bundle === null ? null : this.#parse(key, bundle);
  }

  /** As `read`, and mends what a crash left behind: sets a damaged bundle aside and rewrites copies that disagree. */
  async load(issuerId: string, name: string): Promise<Certificate | null> {
    const folder = certificateFolder(issuerId, name);
    const key = `${folder}/bundle.pem`;
    const bundle = await this.#storage.load(key);
    if (bundle === null) return null;
    const certificate = this.#parse(key, bundle);
    if (certificate === null) await this.#storage.move(key, `${key}.bad`);
    else await this.#writeCopies(folder, certificate);
    return certificate;
  }

  /** Stores the certificate in the place of the name's older one. */
  async save(issuerId: string, name: string, certificate: Certificate): Promise<void> {
    const folder = certificateFolder(issuerId, name);
    await this.#storage.store(`${folder}/bundle.pem`, formatBundle(certificate));
    await this.#writeCopies(folder, certificate);
  }

  async loadState(issuerId: string, name: string): Promise<CertificateState> {
    const key = `${certificateFolder(issuerId, name)}/state.json`;
    const text = await this.#storage.load(key);
    if (text === null) return FRESH_STATE;
    try {
      return stateSchema.parse(JSON.parse(text));
    } catch (error) {
      this.#log.warn({ file: this.#storage.locate(key), err: error }, 'stored state unreadable');
      return FRESH_STATE;
    }
  }

  async saveState(issuerId: string, name: string, state: CertificateState): Promise<void> {
    const key = `${certificateFolder(issuerId, name)}/state.json`;
    await this.#storage.store(key, `${JSON.stringify(state, null, 2)}\n`);
  }

  #parse(key: string, bundle: string): Certificate | null {
    try {
      return parseBundle(bundle);
    } catch (error) {
      this.#log.error({ file: this.#storage.locate(key), err: error }, 'stored certificate unreadable');
      return null;
    }
  }

  async #writeCopies(folder: string, certificate: Certificate): Promise<void> {
    await this.#writeCopy(`${folder}/key.pem`, certificate.keyPem);
    await this.#writeCopy(`${folder}/cert.pem`, certificate.certPem);
  }

  async #writeCopy(key: string, text: string): Promise<void> {
    if ((await this.#storage.load(key)) !== text) await this.#storage.store(key, text);
  }
}

/** `certificates/<issuer>/<name>`; wildcards as `_wildcard.example.com`, IPv6 addresses with dashes for colons. */
export function certificateFolder(issuerId: string, name: string): string {
  let folder = name.startsWith('*.') ? `_wildcard${name.slice(1)}` : name;
  if (isIPv6(folder)) folder = `_ipv6.${folder.replaceAll(':', '-')}`;
  if (folder.length > MAX_FOLDER_LENGTH) {
    const digest = createHash('sha256').update(name).digest('hex').slice(0, 16);
    folder = `${folder.slice(0, MAX_FOLDER_LENGTH)}_${digest}`;
  }
  return `certificates/${issuerId}/${folder}`;
}
