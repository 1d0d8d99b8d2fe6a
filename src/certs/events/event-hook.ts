// The hook of `onEvent`: hands every certificate event to a program or a URL, a few at a time. Whatever becomes of it,
// certificates are not delayed: a failure is a warning, and what piles up beyond a bound is dropped.
import { setTimeout as delay } from 'node:timers/promises';
import type { EventHookConfig } from '../../config/config.ts';
import { messageOf, PerantaraError } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import { runProgram } from '../../core/run-program.ts';
import type { CertificateEvent } from './certificate-event.ts';

export interface EventHookOptions {
  readonly hook: EventHookConfig;
  readonly log: Logger;
  /** What the program finds in its environment: nothing else is handed on. */
  readonly environment: Readonly<Record<string, string>>;
  /** One program's or one request's time. Default 30 s. */
  readonly timeoutMs?: number;
  /** Before a request that failed is made once more. Default 1 s. */
  readonly retryDelayMs?: number;
}

const TIMEOUT_MS = 30_000;
const RETRY_DELAY_MS = 1_000;
/** Programs or requests at once. */
const MAX_RUNNING = 4;
/** Events that wait; an outage of 1,000 names must not become a thousand programs. */
const MAX_WAITING = 1_000;
/** Kept of what a program says about its failure. */
const MAX_WORDS = 500;

export class EventHook {
  readonly #options: Required<EventHookOptions>;
  readonly #waiting: CertificateEvent[] = [];
  readonly #running = new Set<Promise<void>>();
  readonly #closed = new AbortController();
  #dropped = 0;

  constructor(options: EventHookOptions) {
    this.#options = { timeoutMs: TIMEOUT_MS, retryDelayMs: RETRY_DELAY_MS, ...options };
  }

  /** Returns at once, never throws. */
  readonly tell = (event: CertificateEvent): void => {
    if (this.#closed.signal.aborted) return;
    if (this.#waiting.length < MAX_WAITING) this.#waiting.push(event);
    else if (this.#dropped++ === 0)
      this.#options.log.warn({ waiting: MAX_WAITING }, 'event hook too slow: events dropped');
    this.#run();
  };

  /** Resolves when all that it was told is handed over; nobody is to tell it more. */
  async finish(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  /** Ends what runs, forgets what waits, resolves when nothing runs. Idempotent. */
  async close(): Promise<void> {
    this.#waiting.length = 0;
    this.#closed.abort(new PerantaraError('event hook closed', { code: 'closed', source: 'internal' }));
    await Promise.all(this.#running);
  }

  #run(): void {
    while (this.#running.size < MAX_RUNNING) {
      const event = this.#waiting.shift();
      if (event === undefined) {
        this.#dropped = 0;
        return;
      }
      const work = this.#hand(event).finally(() => {
        this.#running.delete(work);
        this.#run();
      });
      this.#running.add(work);
    }
  }

  async #hand(event: CertificateEvent): Promise<void> {
    const { hook, log } = this.#options;
    try {
      if (hook.kind === 'exec') await this.#exec(hook.program, [...hook.args, event.event], event);
      else await this.#post(hook.url, event);
    } catch (error) {
      if (!this.#closed.signal.aborted)
        log.warn({ event: event.event, name: event.name, err: error }, 'event hook failed');
    }
  }

  /** No shell between: nothing in a name can become a command. */
  async #exec(program: string, args: readonly string[], event: CertificateEvent): Promise<void> {
    const { environment, timeoutMs } = this.#options;
    const signal = AbortSignal.any([this.#closed.signal, AbortSignal.timeout(timeoutMs)]);
    const options = { env: environment, input: `${JSON.stringify(event)}\n`, graceMs: 0 };
    const { code, killedBy, stderr } = await runProgram(program, args, options, signal).catch((cause: unknown) => {
      throw hookFailed(`run "${program}"`, messageOf(cause), cause);
    });
    if (code === 0) return;
    if (signal.aborted)
      throw hookFailed(`run "${program}"`, `it ran longer than ${timeoutMs / 1_000} s`, signal.reason);
    const said = stderr.trim().slice(0, MAX_WORDS);
    const end = killedBy === null ? `it exited with ${code}` : `it was ended by ${killedBy}`;
    throw hookFailed(`run "${program}"`, said === '' ? end : `${end}: ${said}`);
  }

  async #post(url: string, event: CertificateEvent): Promise<void> {
    try {
      await this.#postOnce(url, event);
    } catch (error) {
      if (this.#closed.signal.aborted) throw error;
      await this.#pause();
      await this.#postOnce(url, event);
    }
  }

  async #postOnce(url: string, event: CertificateEvent): Promise<void> {
    const signal = AbortSignal.any([this.#closed.signal, AbortSignal.timeout(this.#options.timeoutMs)]);
    const headers = { 'content-type': 'application/json', 'user-agent': 'perantara' };
    let response: Response;
    try {
      response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(event), redirect: 'error', signal });
      await response.body?.cancel();
    } catch (cause) {
      throw hookFailed(`post to "${originOf(url)}"`, messageOf((cause as Error).cause ?? cause), cause);
    }
    if (!response.ok) throw hookFailed(`post to "${originOf(url)}"`, `it answered ${response.status}`);
  }

  async #pause(): Promise<void> {
    await delay(this.#options.retryDelayMs, undefined, { signal: this.#closed.signal, ref: false }).catch(() => {});
  }
}

/** Without path and query, which may hold a secret. */
function originOf(url: string): string {
  return new URL(url).origin;
}

function hookFailed(action: string, state: string, cause?: unknown): PerantaraError {
  return new PerantaraError(`cannot ${action}: ${state}`, { code: 'event_hook_failed', source: 'operator', cause });
}
