// Our account at one CA: an ES256 key made once, kept in storage, registered once. The key is stored before the CA sees
// it, so a crash at any moment leaves at most one account.
import { createHash, createPrivateKey, createPublicKey } from 'node:crypto';
import { z } from 'zod';
import { messageOf } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import { generateKey } from '../key.ts';
import type { Locker, Storage } from '../storage.ts';

export interface AcmeAccountOptions {
  readonly storage: Storage;
  readonly locker: Locker;
  readonly log: Logger;
  /** The issuer's id; the folder is `accounts/<id>`. */
  readonly issuerId: string;
  readonly email: string | null;
}

export interface AccountCredentials {
  readonly keyPem: string;
  /** The account's URL at the CA: the `kid` of every request. */
  readonly url: string;
}

const recordSchema = z.object({ url: z.url(), email: z.string().nullable(), key: z.string() });

export class AcmeAccount {
  readonly #options: AcmeAccountOptions;
  /** The URL of an account that the CA no longer knows. */
  #lostUrl: string | null = null;
  #credentials: AccountCredentials | null = null;

  constructor(options: AcmeAccountOptions) {
    this.#options = options;
  }

  /** The account; `register` is called with the key when the CA is to be asked for one, and returns its URL. */
  async ensure(register: (keyPem: string) => Promise<string>, signal: AbortSignal): Promise<AccountCredentials> {
    if (this.#credentials !== null) return this.#credentials;
    const { storage, locker, issuerId, email, log } = this.#options;
    const lock = await locker.acquire(`accounts/${issuerId}`, signal);
    try {
      const keyPem = await this.#loadKey();
      const key = fingerprint(keyPem);
      const stored = await this.#loadRecord();
      const known = stored !== null && stored.key === key && stored.email === email && stored.url !== this.#lostUrl;
      let url = stored?.url ?? '';
      if (!known) {
        url = await register(keyPem);
        await storage.store(this.#path('account.json'), `${JSON.stringify({ url, email, key }, null, 2)}\n`);
        log.info({ issuer: issuerId, account: url }, 'account registered');
      }
      this.#credentials = { keyPem, url };
      return this.#credentials;
    } finally {
      await lock.release();
    }
  }

  /** The CA does not know the account at `url`: the next `ensure` registers the key again. */
  forget(url: string): void {
    if (this.#credentials?.url !== url) return;
    this.#lostUrl = url;
    this.#credentials = null;
  }

  async #loadKey(): Promise<string> {
    const { storage, log } = this.#options;
    const path = this.#path('key.pem');
    const stored = await storage.load(path);
    if (stored !== null) {
      try {
        createPrivateKey(stored);
        return stored;
      } catch (error) {
        log.error({ file: storage.locate(path), err: error }, 'account key unreadable');
        await storage.move(path, `${path}.bad`);
      }
    }
    const keyPem = await generateKey();
    await storage.store(path, keyPem);
    return keyPem;
  }

  async #loadRecord(): Promise<z.infer<typeof recordSchema> | null> {
    const { storage, log } = this.#options;
    const path = this.#path('account.json');
    const text = await storage.load(path);
    if (text === null) return null;
    try {
      return recordSchema.parse(JSON.parse(text));
    } catch (error) {
      log.warn({ file: storage.locate(path), reason: messageOf(error) }, 'account record unreadable');
      return null;
    }
  }

  #path(file: string): string {
    return `accounts/${this.#options.issuerId}/${file}`;
  }
}

/** Ties the record to the key: another key's account is not ours. */
function fingerprint(keyPem: string): string {
  const der = createPublicKey(keyPem).export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(der).digest('hex');
}
