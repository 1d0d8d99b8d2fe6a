// A listener that remembers what it is told of exchanges, and waits for more of it.
import type { ExchangeFeed, ExchangeListener } from '../../src/http/exchange-feed.ts';
import type { ExchangeRecord } from '../../src/http/exchange-record.ts';

/** No wait of a test is longer; a wait that long is a failure. */
const PATIENCE_MS = 10_000;

export class ToldExchanges implements ExchangeListener {
  readonly records: ExchangeRecord[] = [];
  #changed = Promise.withResolvers<void>();

  constructor(feed: ExchangeFeed) {
    feed.add(this);
  }

  onExchange(record: ExchangeRecord): void {
    this.records.push(record);
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  /** Waits until there are so many; takes them out. */
  async take(count = 1): Promise<ExchangeRecord[]> {
    const timer = setTimeout(
      () => this.#changed.reject(new Error(`${this.records.length} in ${PATIENCE_MS} ms`)),
      PATIENCE_MS,
    );
    try {
      while (this.records.length < count) await this.#changed.promise;
    } finally {
      clearTimeout(timer);
    }
    return this.records.splice(0);
  }

  /** The one that comes, in words: `outcome status code`. */
  async word(): Promise<string> {
    return (await this.take()).map(inWords).join();
  }
}

export function inWords({ outcome, status, error }: ExchangeRecord): string {
  return [outcome, status, ...(error === null ? [] : [error.code])].join(' ');
}
