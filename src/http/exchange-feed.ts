// Where the records of exchanges come from and go to. Whoever listens may change while exchanges are under way: those that
// began while nobody did have no record.
import type { Client } from './exchange.ts';
import { ExchangeRecord } from './exchange-record.ts';
import type { HeaderList } from './header-list.ts';
import type { RequestHead } from './message.ts';
import type { Tracing } from './tracing.ts';

export interface ExchangeListener {
  /** Once per exchange, when it is over. Must not throw. */
  onExchange(record: ExchangeRecord): void;
}

export class ExchangeFeed {
  /** Where exchanges belong that nobody has forwarded; null: requests are not followed. May change. */
  tracing: Tracing | null = null;
  #listeners: readonly ExchangeListener[] = [];
  #underWay = 0;

  /** Whether anybody listens. */
  get wanted(): boolean {
    return this.#listeners.length > 0;
  }

  /** Exchanges that have a record and are not over. */
  get underWay(): number {
    return this.#underWay;
  }

  add(listener: ExchangeListener): void {
    if (!this.#listeners.includes(listener)) this.#listeners = [...this.#listeners, listener];
  }

  delete(listener: ExchangeListener): void {
    this.#listeners = this.#listeners.filter((other) => other !== listener);
  }

  /** The record of an exchange that begins now; null when nobody listens. Arguments as in ExchangeRecord. */
  begin(
    client: Client,
    method: string,
    target: string,
    version: RequestHead['version'],
    host: string | null,
    headers: HeaderList | null,
  ): ExchangeRecord | null {
    if (this.#listeners.length === 0) return null;
    this.#underWay++;
    return new ExchangeRecord(this, client, method, target, version, host, headers);
  }

  /** For the record itself. */
  tell(record: ExchangeRecord): void {
    this.#underWay--;
    if (this.tracing !== null) record.trace ??= this.tracing.contextOf(record.headers);
    for (const listener of this.#listeners) listener.onExchange(record);
  }
}
