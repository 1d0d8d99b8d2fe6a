// One worker process as its primary has it: started, asked whether it still turns, ended. What it does is in worker-process.ts.
import { type ChildProcess, fork } from 'node:child_process';
import { PerantaraError } from '../core/errors.ts';
import type { PrimaryCalls, WorkerCalls } from './calls.ts';
import { Channel, type Handlers } from './channel.ts';

/** How often a worker is asked whether it still turns. */
export const BEAT_MS = 1_000;

export interface WorkerChildOptions {
  /** Absolute path of the program; see cli/worker-main.ts. */
  readonly program: string;
  readonly programArguments: readonly string[];
  /** For messages: `worker 1`. */
  readonly name: string;
  readonly answers: (worker: WorkerChild) => Handlers<PrimaryCalls>;
  /** One that does not answer for so long is killed. */
  readonly hungMs: number;
}

export class WorkerChild {
  readonly name: string;
  readonly channel: Channel<WorkerCalls, PrimaryCalls>;
  /** Resolves when the process is gone, with how it ended: `SIGKILL`, `exit code 1`, or why it was killed. */
  readonly ended: Promise<string>;
  readonly #process: ChildProcess;
  readonly #hungMs: number;
  /** Whoever waits for the end, for as long as it does. */
  readonly #waiting = new Set<(how: string) => void>();
  #how: string | null = null;
  /** Since it was asked; null: it has answered. */
  #silentMs: number | null = null;
  #reason: string | null = null;

  constructor({ program, programArguments, name, answers, hungMs }: WorkerChildOptions) {
    this.name = name;
    this.#hungMs = hungMs;
    this.#process = fork(program, programArguments, {
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.channel = new Channel(this.#process, name, answers(this));
    const { promise, resolve } = Promise.withResolvers<string>();
    this.ended = promise;
    this.#process.on('error', (error) => resolve(error.message)); // it could not be started, or not be killed
    this.#process.once('exit', (code, signal) => resolve(this.#reason ?? signal ?? `exit code ${code}`));
    void promise.then((how) => {
      this.#how = how;
      this.channel.close();
      for (const onEnd of this.#waiting) onEnd(how);
    });
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** To be called every BEAT_MS. Time in which nobody calls does not count: this process stood still, and the worker perhaps too. */
  beat(): void {
    if (this.#silentMs !== null) {
      this.#silentMs += BEAT_MS;
      if (this.#silentMs > this.#hungMs) this.kill(`did not answer for ${this.#hungMs / 1_000} s`);
      return;
    }
    this.#silentMs = 0;
    const answered = (): void => {
      this.#silentMs = null;
    };
    this.channel.call('beat', null).then(answered, answered);
  }

  /** Rejects with PerantaraError `worker_ended` when it ends before `work` does, or that takes too long, and it is ended for that. */
  async unlessEnded<T>(work: Promise<T>, doing: string, withinMs: number): Promise<T> {
    const timer = setTimeout(() => this.kill(`took more than ${withinMs / 1_000} s to ${doing}`), withinMs);
    const { promise: end, reject } = Promise.withResolvers<never>();
    const onEnd = (how: string): void => {
      const message = `${this.name} ended while it was to ${doing}: ${how}`;
      reject(new PerantaraError(message, { code: 'worker_ended', source: 'internal' }));
    };
    if (this.#how === null) this.#waiting.add(onEnd);
    else onEnd(this.#how);
    try {
      return await Promise.race([work, end]);
    } catch (error) {
      // The channel is closed a moment before the process is gone.
      if ((error as { code?: unknown }).code === 'channel_closed') return await end;
      throw error;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(onEnd);
    }
  }

  /** It has done what was to be done: it ends when the channel does. */
  release(): void {
    if (this.#process.connected) this.#process.disconnect();
  }

  /** `reason`: what `ended` tells. */
  kill(reason: string | null = null): void {
    this.#reason ??= reason;
    this.#process.kill('SIGKILL');
  }
}
