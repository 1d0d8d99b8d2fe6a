// Keys that must never be used again, because a certificate with them was revoked for keyCompromise: remembered for ever
// in storage as `compromised/<SHA-256 of the public key>`.
import { createHash, X509Certificate } from 'node:crypto';
import { PerantaraError } from '../../core/errors.ts';
import type { ServedCertificate } from '../resolver.ts';
import type { Storage } from './storage.ts';

/** The folder in storage; also what the change journal calls it. */
export const COMPROMISED = 'compromised';

export class CompromisedKeys {
  readonly #storage: Storage;
  #digests: ReadonlySet<string> = new Set();
  /** Asked about again and again, at each decision. */
  readonly #digestOf = new WeakMap<object, string>();

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  /** Reads what is remembered. Rejects with `storage_unreadable`; what was known before stays known. */
  async load(): Promise<void> {
    const keys = await this.#storage.list(COMPROMISED);
    this.#digests = new Set(keys.map((key) => key.slice(COMPROMISED.length + 1)));
  }

  /** Remembers the certificate's key for ever. `at`: now; `words`: for people who look, one line. */
  async mark(certificate: Pick<ServedCertificate, 'certPem'>, at: number, words: string): Promise<void> {
    const digest = keyDigest(certificate.certPem);
    await this.#storage.store(`${COMPROMISED}/${digest}`, `${new Date(at).toISOString()} ${words}\n`);
    this.#digests = new Set([...this.#digests, digest]);
  }

  has(certificate: Pick<ServedCertificate, 'certPem'>): boolean {
    if (this.#digests.size === 0) return false;
    const digest = this.#digestOf.get(certificate) ?? keyDigest(certificate.certPem);
    this.#digestOf.set(certificate, digest);
    return this.#digests.has(digest);
  }

  /** Throws `key_compromised`. `subject`: completes `cannot use the …`: `certificate of "a.example"`. */
  refuse(certificate: Pick<ServedCertificate, 'certPem'>, subject: string): void {
    if (!this.has(certificate)) return;
    const place = this.#storage.locate(`${COMPROMISED}/${keyDigest(certificate.certPem)}`);
    throw new PerantaraError(
      `cannot use the ${subject}: a certificate with the same key was revoked because the key is compromised (${place}); make a new key`,
      { code: 'key_compromised', source: 'operator' },
    );
  }
}

/** SHA-256 over the leaf's SubjectPublicKeyInfo, as hexadecimal. */
export function keyDigest(certPem: string): string {
  const { publicKey } = new X509Certificate(certPem);
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex');
}
