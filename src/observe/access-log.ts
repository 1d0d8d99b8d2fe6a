// The access log: which exchanges have a line, in which form, and where it goes.
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import type { ExchangeFeed, ExchangeListener } from '../http/exchange-feed.ts';
import type { ExchangeRecord } from '../http/exchange-record.ts';
import { combinedLines } from './combined-line.ts';
import { type JsonLineOptions, jsonLines } from './json-line.ts';
import { LogOutput, type LogPlace } from './log-output.ts';
import { Redaction } from './redaction.ts';

export interface AccessLogOptions extends JsonLineOptions {
  readonly output: LogPlace;
  readonly format: 'json' | 'combined';
  /** One exchange in so many has a line; 0: none has. Of sites that are not in `sites`, and of no site. */
  readonly oneIn: number;
  /** Site → likewise. */
  readonly sites: Readonly<Record<string, number>>;
  /** Names of header fields and parameters, in lower case, that are shown though they are secret. */
  readonly reveal: readonly string[];
}

export interface AccessLogServices {
  readonly clock: Clock;
  readonly log: Logger;
  readonly records: ExchangeFeed;
}

export class AccessLog implements ExchangeListener {
  readonly #clock: Clock;
  readonly #records: ExchangeFeed;
  readonly #output: LogOutput;
  readonly #line: (record: ExchangeRecord, now: number) => string;
  readonly #others: Sample;
  readonly #sites: ReadonlyMap<string, Sample>;

  constructor(options: AccessLogOptions, { clock, log, records }: AccessLogServices) {
    const redaction = new Redaction(options.reveal);
    this.#clock = clock;
    this.#records = records;
    this.#output = new LogOutput(options.output, log);
    this.#line = options.format === 'json' ? jsonLines(options, redaction) : combinedLines(redaction);
    this.#others = new Sample(options.oneIn);
    this.#sites = new Map(Object.entries(options.sites).map(([site, oneIn]) => [site, new Sample(oneIn)]));
  }

  /** Throws PerantaraError `access_log_open`. */
  open(): void {
    this.#output.open();
  }

  /** Of every exchange that ends from now on it may write a line. */
  listen(): void {
    this.#records.add(this);
  }

  /** Goes on in a new file: the old one has been moved away. */
  reopen(): void {
    this.#output.reopen();
  }

  /** Resolves when all lines are written, or cannot be. Idempotent. */
  close(): Promise<void> {
    this.#records.delete(this);
    return this.#output.close();
  }

  onExchange(record: ExchangeRecord): void {
    const sample = record.site === null ? this.#others : (this.#sites.get(record.site) ?? this.#others);
    if (sample.takes()) this.#output.line(this.#line(record, this.#clock.now()));
  }
}

/** The first of so many, and so on; 0: none. */
class Sample {
  readonly #oneIn: number;
  #left = 0;

  constructor(oneIn: number) {
    this.#oneIn = oneIn;
  }

  takes(): boolean {
    if (this.#oneIn <= 1) return this.#oneIn === 1;
    if (this.#left-- > 0) return false;
    this.#left = this.#oneIn - 1;
    return true;
  }
}
