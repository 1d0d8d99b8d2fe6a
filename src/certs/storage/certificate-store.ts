// Where certificates lie in a Storage, and how a stored one is read back. One file is the truth – `bundle.pem`, key and
// chain together, written in one step – so no crash can part a certificate from its key. `cert.pem` and `key.pem` are
// copies for people and other software.
import { createHash } from 'node:crypto';
import { PerantaraError } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import { type Certificate, formatBundle, parseBundle } from '../certificate.ts';
import { type CertificateState, FRESH_STATE, formatState, parseState } from './certificate-state.ts';
import type { Lock, Storage } from './storage.ts';

/** What must still be so for a late write to be wanted. */
export interface WriteGuard {
  readonly lock: Lock;
  /** Fingerprint of the certificate that lay there when the turn began, or null. */
  readonly replacing: string | null;
}

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

  /**
   * Stores the certificate in the place of the name's older one. With a guard, rejects with `lock_lost` instead when another
   * process has taken over: the lock is asked and the older one compared right before the write. A process that is
   * stopped between that and the write is beyond any lock on files; what it then writes is whole, and as good as the other.
   */
  async save(issuerId: string, name: string, certificate: Certificate, guard: WriteGuard | null = null): Promise<void> {
    const folder = certificateFolder(issuerId, name);
    if (guard !== null) await this.#assertUnchanged(issuerId, name, certificate, guard);
    await this.#storage.store(`${folder}/bundle.pem`, formatBundle(certificate));
    await this.#writeCopies(folder, certificate);
  }

  async loadState(issuerId: string, name: string): Promise<CertificateState> {
    const key = `${certificateFolder(issuerId, name)}/state.json`;
    const text = await this.#storage.load(key);
    if (text === null) return FRESH_STATE;
    try {
      return parseState(text);
    } catch (error) {
      this.#log.warn({ file: this.#storage.locate(key), err: error }, 'stored state unreadable');
      return FRESH_STATE;
    }
  }

  async saveState(issuerId: string, name: string, state: CertificateState): Promise<void> {
    const key = `${certificateFolder(issuerId, name)}/state.json`;
    await this.#storage.store(key, formatState(state));
  }

  async #assertUnchanged(issuerId: string, name: string, certificate: Certificate, guard: WriteGuard): Promise<void> {
    const found = (await this.read(issuerId, name))?.fingerprint ?? null;
    await guard.lock.assertHeld();
    if (found === guard.replacing || found === certificate.fingerprint) return;
    throw new PerantaraError(`cannot store certificate for "${name}": another process stored one meanwhile`, {
      code: 'lock_lost',
      source: 'internal',
      retryable: true,
    });
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
  if (folder.includes(':')) folder = `_ipv6.${folder.replaceAll(':', '-')}`;
  if (folder.length > MAX_FOLDER_LENGTH) {
    const digest = createHash('sha256').update(name).digest('hex').slice(0, 16);
    folder = `${folder.slice(0, MAX_FOLDER_LENGTH)}_${digest}`;
  }
  return `certificates/${issuerId}/${folder}`;
}

/** The lock that keeps a name's certificates, of whatever issuer, from being obtained twice. */
export function certificateLock(name: string): string {
  return certificateFolder('any', name);
}
