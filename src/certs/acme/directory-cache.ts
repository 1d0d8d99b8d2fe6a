// The CA's directory (RFC 8555 section 7.1.1), read when needed and kept for half a day.
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../../core/clock.ts';
import { SingleFlight } from '../single-flight.ts';
import { type Directory, readDirectory } from './messages.ts';
import type { AcmeTransport } from './transport.ts';

const MAX_AGE_MS = 12 * 3_600_000;

export class DirectoryCache {
  readonly #url: string;
  readonly #transport: AcmeTransport;
  readonly #clock: Clock;
  /** Ends the reading itself; callers leave by their own signals. */
  readonly #closed: AbortSignal;
  readonly #flight = new SingleFlight<Directory>();
  #kept: { readonly value: Directory; readonly at: number } | null = null;

  constructor(url: string, transport: AcmeTransport, clock: Clock, closed: AbortSignal) {
    this.#url = url;
    this.#transport = transport;
    this.#clock = clock;
    this.#closed = closed;
  }

  read(signal: AbortSignal): Promise<Directory> {
    const kept = this.#fresh();
    return kept === null ? this.#flight.run(() => this.#fetch(), signal) : Promise.resolve(kept);
  }

  /** What is kept is no longer believed. */
  forget(): void {
    this.#kept = null;
  }

  /** What is kept, or null. */
  peek(): Directory | null {
    return this.#fresh();
  }

  /** Reads it again; true when it says something else than `former`. */
  async changed(former: Directory, signal: AbortSignal): Promise<boolean> {
    this.forget();
    return !isDeepStrictEqual(await this.read(signal), former);
  }

  idle(): Promise<void> {
    return this.#flight.idle();
  }

  #fresh(): Directory | null {
    if (this.#kept === null) return null;
    const age = this.#clock.now() - this.#kept.at;
    return age >= 0 && age < MAX_AGE_MS ? this.#kept.value : null;
  }

  async #fetch(): Promise<Directory> {
    const request = { method: 'GET', body: null, idempotent: true, signal: this.#closed } as const;
    const { data } = await this.#transport.request(this.#url, request);
    this.#kept = { value: readDirectory(data), at: this.#clock.now() };
    return this.#kept.value;
  }
}
