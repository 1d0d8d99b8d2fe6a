// What is needed to take an order up again after a crash: which order, for what, with which key. One file for the same
// names and key type, written before the CA is asked and gone once the certificate is stored elsewhere.
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { KeyType } from '../../config/config.ts';
import type { Clock } from '../../core/clock.ts';
import { messageOf } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { Storage } from '../storage/storage.ts';

const recordSchema = z.object({
  names: z.array(z.string()),
  keyType: z.enum(['p256', 'p384', 'rsa2048', 'rsa4096']),
  /** As ordered. */
  profile: z.string().nullable(),
  /** Secret: never logged. */
  keyPem: z.string(),
  /** URL of the account that orders. */
  account: z.string(),
  /** Milliseconds since the epoch: nothing is taken up again after it. */
  expiresAt: z.number(),
  /** null: the CA was about to be asked, and may have made an order whose address we never learned. */
  order: z.url().nullable(),
});

export type OrderRecord = Readonly<z.infer<typeof recordSchema>>;

export interface OrderJournalOptions {
  readonly storage: Storage;
  readonly log: Logger;
  readonly clock: Clock;
  readonly issuerId: string;
}

/** How often records that are over are looked for. */
const SWEEP_MS = 24 * 3_600_000;

export class OrderJournal {
  readonly #options: OrderJournalOptions;
  #sweptAt: number | null = null;

  constructor(options: OrderJournalOptions) {
    this.#options = options;
  }

  /** The record, or null when there is none that can be read. */
  async load(names: readonly string[], keyType: KeyType): Promise<OrderRecord | null> {
    const path = this.#path(names, keyType);
    const text = await this.#options.storage.load(path);
    return text === null ? null : this.#read(path, text);
  }

  async store(record: OrderRecord): Promise<void> {
    const path = this.#path(record.names, record.keyType);
    await this.#options.storage.store(path, `${JSON.stringify(record, null, 2)}\n`);
    await this.#sweep();
  }

  async forget({ names, keyType }: Pick<OrderRecord, 'names' | 'keyType'>): Promise<void> {
    await this.#options.storage.delete(this.#path(names, keyType));
  }

  /** The orders that are recorded, whatever for. */
  async orders(): Promise<ReadonlySet<string>> {
    const { storage, issuerId } = this.#options;
    const paths = await storage.list(`orders/${issuerId}`);
    const texts = await Promise.all(paths.map(async (path) => [path, (await storage.load(path)) ?? ''] as const));
    return new Set(texts.flatMap(([path, text]) => this.#read(path, text)?.order ?? []));
  }

  /** Removes what nobody comes back for (the names have changed, or it could not be removed in its time), key included. */
  async #sweep(): Promise<void> {
    const { storage, clock, issuerId } = this.#options;
    const now = clock.now();
    if (this.#sweptAt !== null && Math.abs(now - this.#sweptAt) < SWEEP_MS) return;
    this.#sweptAt = now;
    try {
      for (const path of await storage.list(`orders/${issuerId}`)) {
        const record = this.#read(path, (await storage.load(path)) ?? '');
        if (record !== null && record.expiresAt <= now) await storage.delete(path);
      }
    } catch {
      // Tomorrow, then. Storage that fails is reported where it matters.
    }
  }

  #read(path: string, text: string): OrderRecord | null {
    try {
      return recordSchema.parse(JSON.parse(text));
    } catch (error) {
      const { storage, log } = this.#options;
      log.warn({ file: storage.locate(path), reason: messageOf(error) }, 'order record unreadable');
      return null;
    }
  }

  #path(names: readonly string[], keyType: KeyType): string {
    return `orders/${this.#options.issuerId}/${digestOf(names)}-${keyType}.json`;
  }
}

/** The same for the same names in any order; fits in a file name. */
export function digestOf(names: readonly string[]): string {
  return createHash('sha256')
    .update([...names].sort().join('\n'))
    .digest('hex')
    .slice(0, 32);
}
