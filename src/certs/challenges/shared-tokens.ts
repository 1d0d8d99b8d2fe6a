// HTTP-01 answers in storage, for the other processes that share it: whichever of them a validator reaches can answer.
// Look-ups come from anybody on the internet: they are few at a time, and names and tokens are checked first.
import { isIPv6 } from 'node:net';
import { z } from 'zod';
import type { Clock } from '../../core/clock.ts';
import { messageOf } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { Storage } from '../storage/storage.ts';

export interface SharedTokensOptions {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly log: Logger;
}

const FOLDER = 'challenges';
/** RFC 8555 section 8: base64url of at least 128 bits; here also a file name. */
const TOKEN = /^[A-Za-z0-9_-]{16,200}$/;
const MAX_LOOKUPS = 16;
const DAY_MS = 24 * 3_600_000;
const SWEEP_MS = 3_600_000;

const recordSchema = z.object({ keyAuthorization: z.string(), at: z.number() });

export class SharedTokens {
  readonly #options: SharedTokensOptions;
  #lookups = 0;
  #sweptAt: number | null = null;

  constructor(options: SharedTokensOptions) {
    this.#options = options;
  }

  /** `host`: normalised. Never rejects: this process answers in any case. */
  async put(host: string, token: string, keyAuthorization: string): Promise<void> {
    const { storage, clock } = this.#options;
    const path = pathOf(host, token);
    if (path === null) return;
    const record = JSON.stringify({ keyAuthorization, at: clock.now() });
    await this.#tolerated(storage.store(path, record));
    await this.#tolerated(this.#sweep());
  }

  async remove(host: string, token: string): Promise<void> {
    const path = pathOf(host, token);
    if (path !== null) await this.#tolerated(this.#options.storage.delete(path));
  }

  /** What another process put there within a day, or null. Never rejects. */
  async find(host: string, token: string): Promise<string | null> {
    const path = pathOf(host, token);
    if (path === null || this.#lookups >= MAX_LOOKUPS) return null;
    this.#lookups++;
    try {
      const record = await this.#read(path);
      return record === null || this.#isOld(record.at) ? null : record.keyAuthorization;
    } catch {
      return null; // storage that fails is reported where it is written
    } finally {
      this.#lookups--;
    }
  }

  async #read(path: string): Promise<z.infer<typeof recordSchema> | null> {
    const text = await this.#options.storage.load(path);
    return text === null ? null : recordSchema.parse(JSON.parse(text));
  }

  #isOld(at: number): boolean {
    return Math.abs(this.#options.clock.now() - at) > DAY_MS;
  }

  /** Removes what processes that died have left. */
  async #sweep(): Promise<void> {
    const { storage, clock } = this.#options;
    const now = clock.now();
    if (this.#sweptAt !== null && Math.abs(now - this.#sweptAt) < SWEEP_MS) return;
    this.#sweptAt = now;
    for (const path of await storage.list(FOLDER)) {
      const record = await this.#read(path).catch(() => null);
      if (record === null || this.#isOld(record.at)) await storage.delete(path);
    }
  }

  async #tolerated(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      this.#options.log.warn({ reason: messageOf(error) }, 'challenge answer not shared');
    }
  }
}

/** null when host or token cannot be what they should. */
function pathOf(host: string, token: string): string | null {
  const folder = isIPv6(host) ? `_ipv6.${host.replaceAll(':', '-')}` : host;
  return TOKEN.test(token) && /^[a-z0-9_][a-z0-9._-]{0,239}$/.test(folder) ? `${FOLDER}/${folder}/${token}` : null;
}
