// Our account at one CA: an ES256 key made once, kept in storage, registered once. A key is stored before the CA sees
// it, so a crash at any moment leaves at most one account, and a change of keys ends with the key that the CA knows.
import { createHash, createPrivateKey, createPublicKey } from 'node:crypto';
import { z } from 'zod';
import { messageOf } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import { generateKey } from '../key.ts';
import type { Locker, Storage } from '../storage/storage.ts';
import { AcmeProblem } from './problem.ts';

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

/** What the CA is asked about accounts. */
export interface AccountRegistrar {
  /** Registers the key, or finds its account; returns the account's URL. */
  register(keyPem: string): Promise<string>;
  /** The URL of the account that has this key, or null. */
  find(keyPem: string): Promise<string | null>;
  /** Gives the account another key (RFC 8555 section 7.3.5). */
  changeKey(credentials: AccountCredentials, newKeyPem: string): Promise<void>;
}

const recordSchema = z.object({ url: z.url(), email: z.string().nullable(), key: z.string() });

const KEY = 'key.pem';
/** The key that the account is about to get. */
const NEXT_KEY = 'key.next.pem';

export class AcmeAccount {
  readonly #options: AcmeAccountOptions;
  /** The URL of an account that the CA no longer knows. */
  #lostUrl: string | null = null;
  /** The key of an account that the CA no longer serves, as a fingerprint. */
  #retiredKey: string | null = null;
  #credentials: AccountCredentials | null = null;

  constructor(options: AcmeAccountOptions) {
    this.#options = options;
  }

  /** The account, registered if need be. */
  async ensure(registrar: AccountRegistrar, signal: AbortSignal): Promise<AccountCredentials> {
    if (this.#credentials !== null && (await this.#isCurrent(this.#credentials))) return this.#credentials;
    return this.#locked(signal, () => this.#ensure(registrar));
  }

  /** The CA does not know the account at `url`: the next `ensure` registers the key again. */
  forget(url: string): void {
    if (this.#credentials?.url !== url) return;
    this.#lostUrl = url;
    this.#credentials = null;
  }

  /** The CA has closed the account: the next `ensure` puts its key aside and registers another. */
  retire(credentials: AccountCredentials): void {
    this.#retiredKey = fingerprint(credentials.keyPem);
    if (this.#credentials?.url === credentials.url) this.#credentials = null;
  }

  /** Gives the account a new key. Whatever happens, the next `ensure` finds the one that the CA knows. */
  async rollOver(registrar: AccountRegistrar, signal: AbortSignal): Promise<void> {
    await this.#locked(signal, async () => {
      const credentials = await this.#ensure(registrar);
      const newKey = await generateKey();
      await this.#options.storage.store(this.#path(NEXT_KEY), newKey);
      this.#credentials = null;
      try {
        await registrar.changeKey(credentials, newKey);
      } catch (error) {
        const refused = error instanceof AcmeProblem && error.status < 500;
        if (refused) await this.#options.storage.delete(this.#path(NEXT_KEY));
        throw error;
      }
      await this.#adopt(newKey, credentials.url);
    });
  }

  /** False when another process has given the account a new key. */
  async #isCurrent({ keyPem }: AccountCredentials): Promise<boolean> {
    const stored = await this.#loadRecord().catch(() => null);
    return stored === null || stored.key === fingerprint(keyPem);
  }

  async #locked<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const lock = await this.#options.locker.acquire(`accounts/${this.#options.issuerId}`, signal);
    try {
      return await work();
    } finally {
      await lock.release();
    }
  }

  async #ensure(registrar: AccountRegistrar): Promise<AccountCredentials> {
    await this.#settleChange(registrar);
    const keyPem = await this.#loadKey();
    const stored = await this.#loadRecord();
    const { email } = this.#options;
    const isOurs = stored !== null && stored.key === fingerprint(keyPem) && stored.email === email;
    const known = isOurs && stored.url !== this.#lostUrl;
    const url = known ? stored.url : await registrar.register(keyPem);
    if (!known) await this.#record(keyPem, url);
    if (!known) this.#options.log.info({ issuer: this.#options.issuerId, account: url }, 'account registered');
    this.#credentials = { keyPem, url };
    return this.#credentials;
  }

  /** After a crash in a change of keys, or an answer that got lost: whichever key the CA knows is kept. */
  async #settleChange(registrar: AccountRegistrar): Promise<void> {
    const { storage } = this.#options;
    const next = await storage.load(this.#path(NEXT_KEY));
    if (next === null) return;
    const url = isKey(next) ? await registrar.find(next) : null;
    if (url === null) await storage.delete(this.#path(NEXT_KEY));
    else await this.#adopt(next, url);
  }

  /** In this order: a key without its record finds its account again, a record without its key would not. */
  async #adopt(next: string, url: string): Promise<void> {
    await this.#options.storage.move(this.#path(NEXT_KEY), this.#path(KEY));
    await this.#record(next, url);
    this.#options.log.info({ issuer: this.#options.issuerId, account: url }, 'account key changed');
  }

  async #record(keyPem: string, url: string): Promise<void> {
    const record = { url, email: this.#options.email, key: fingerprint(keyPem) };
    await this.#options.storage.store(this.#path('account.json'), `${JSON.stringify(record, null, 2)}\n`);
  }

  async #loadKey(): Promise<string> {
    const { storage, log } = this.#options;
    const path = this.#path(KEY);
    const stored = await storage.load(path);
    if (stored !== null && isKey(stored)) {
      if (fingerprint(stored) !== this.#retiredKey) return stored;
      const aside = await this.#unusedPath();
      log.warn(
        { issuer: this.#options.issuerId, file: storage.locate(aside) },
        'account closed by the CA, key put aside',
      );
      await storage.move(path, aside);
    } else if (stored !== null) {
      log.error({ file: storage.locate(path) }, 'account key unreadable');
      await storage.move(path, `${path}.bad`);
    }
    const keyPem = await generateKey();
    await storage.store(path, keyPem);
    return keyPem;
  }

  /** `key.pem.1`, `key.pem.2`, … */
  async #unusedPath(): Promise<string> {
    for (let number = 1; ; number++) {
      const path = this.#path(`${KEY}.${number}`);
      if ((await this.#options.storage.load(path)) === null) return path;
    }
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

function isKey(pem: string): boolean {
  try {
    createPrivateKey(pem);
    return true;
  } catch {
    return false;
  }
}

/** Ties the record to the key: another key's account is not ours. */
function fingerprint(keyPem: string): string {
  const der = createPublicKey(keyPem).export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(der).digest('hex');
}
