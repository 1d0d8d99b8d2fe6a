// Says why names are refused without a line for each: somebody who sends ten thousand names a second does not fill the log.
import type { Clock } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';

/** Why a name that could have a certificate is refused now. */
export type Refusal =
  | 'too many questions from this address'
  | 'too many questions at once'
  | 'ask endpoint unavailable'
  | 'too many new names from this address'
  | 'too many new names'
  | 'too many names under way'
  | 'too many certificates read at once';

const INTERVAL_MS = 60_000;

export class RefusalLog {
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #spoken = new Map<Refusal, { at: number; unspoken: number }>();

  constructor(log: Logger, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  /** One line a minute for each reason; `refused` counts those since the last. */
  add(reason: Refusal, name: string, address: string): void {
    const now = this.#clock.now();
    const last = this.#spoken.get(reason);
    if (last !== undefined && now >= last.at && now < last.at + INTERVAL_MS) {
      last.unspoken++;
      return;
    }
    this.#spoken.set(reason, { at: now, unspoken: 0 });
    this.#log.warn({ reason, name, address, refused: (last?.unspoken ?? 0) + 1 }, 'certificates on demand refused');
  }
}
