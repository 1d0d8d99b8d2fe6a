// The place of one worker: a process is started for it, and another when that ends, after a while if that happens again and again.
import type { Announcement } from '../certs/announcement.ts';
import { monotonicMs } from '../core/clock.ts';
import { messageOf, PerantaraError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import type { Answers } from './answers.ts';
import type { WorkerStart } from './calls.ts';
import { WorkerChild } from './worker-child.ts';

/** What a worker runs. */
export interface WorkerProgram {
  /** Absolute path. */
  readonly path: string;
  /** Come after the worker's number, from 1. */
  readonly arguments: readonly string[];
}

/** How long is waited for what, in milliseconds. */
export interface SlotPatience {
  /** A worker that does not answer for so long is killed. */
  readonly hungMs: number;
  /** A worker that ends sooner than this after it was ready is not steady. */
  readonly steadyMs: number;
  /** The second in a row that was not steady is replaced after this, the next after twice as long, and so on. */
  readonly firstDelayMs: number;
  readonly maxDelayMs: number;
}

export const SLOT_PATIENCE: SlotPatience = {
  hungMs: 10_000,
  steadyMs: 10_000,
  firstDelayMs: 1_000,
  maxDelayMs: 30_000,
};

export interface SlotSurroundings {
  readonly log: Logger;
  readonly program: WorkerProgram;
  readonly patience: SlotPatience;
  answersTo(worker: WorkerChild): Answers;
  /** What is in force. */
  start(): WorkerStart;
  announcements(): Iterable<Announcement>;
  /** How long requests under way may take in a worker that is to end. */
  drainMs(): number;
  /** The process has ended, and all its connections with it. */
  onGone(worker: WorkerChild): void;
  onReady(): void;
  /** The worker has ended; another is started after `delayMs`. */
  onEnd(delayMs: number): void;
  /** Does `work` when nothing else changes what is in force, unless all is over by then. */
  inTurn(work: () => Promise<void>): Promise<void>;
}

const READY_WITHIN_MS = 60_000;
/** After the drain timeout, for lines that are still to be written. */
const END_WITHIN_MS = 5_000;
/** How a worker ends that has done what was to be done. */
const DONE = 'exit code 0';
/** Of announcements to a new worker in one message. */
const BATCH = 200;

export class WorkerSlot {
  /** From 0. */
  readonly index: number;
  readonly #around: SlotSurroundings;
  /** Those that have been replaced and finish what is under way. */
  readonly #former = new Set<WorkerChild>();
  #child: WorkerChild | null = null;
  #isReady = false;
  /** Some worker here has been ready: from then on there is always another. */
  #isProven = false;
  #readyAtMs = 0;
  #failures = 0;
  #isOver = false;
  #isWaiting = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(index: number, around: SlotSurroundings) {
    this.index = index;
    this.#around = around;
  }

  /** The process, from its first moment on. */
  get child(): WorkerChild | null {
    return this.#child;
  }

  /** With those that finish what is under way. */
  get children(): readonly WorkerChild[] {
    return this.#child === null ? [...this.#former] : [this.#child, ...this.#former];
  }

  /** The same as `child` once it answers requests. */
  get ready(): WorkerChild | null {
    return this.#isReady ? this.#child : null;
  }

  /** Whether the next process is not to come at once. */
  get isWaiting(): boolean {
    return this.#isWaiting;
  }

  /** Rejects when the process is not ready in the end; it is gone then. */
  async fill(): Promise<void> {
    this.#isWaiting = false;
    if (this.#isOver) return;
    const { log, start, onGone, onReady } = this.#around;
    const child = this.#create();
    this.#child = child;
    void child.ended.then((how) => {
      onGone(child);
      this.#onEnd(child, how);
    });
    this.#brief(child);
    const starting = child.channel.call('start', start());
    try {
      await child.unlessEnded(starting, 'start', READY_WITHIN_MS);
    } catch (error) {
      child.kill(messageOf(error));
      throw error;
    }
    if (this.#child !== child)
      throw new PerantaraError(`${child.name} ended as soon as it was ready`, {
        code: 'worker_ended',
        source: 'internal',
      });
    this.#isReady = true;
    this.#isProven = true;
    this.#readyAtMs = monotonicMs();
    log.info({ worker: this.index + 1, pid: child.pid }, 'worker ready');
    onReady();
  }

  /** Asks whether it still turns; to be called every BEAT_MS. */
  beat(): void {
    this.ready?.beat();
  }

  /** Starts no other any more. Resolves when all processes have finished what is under way and are gone. */
  async close(): Promise<void> {
    this.#stop();
    await Promise.all(this.children.map((child) => this.#finish(child)));
  }

  /** Ends all processes now. */
  destroy(): void {
    this.#stop();
    for (const child of this.children) child.kill();
  }

  /** Throws when the system has no room for another process; that is like one that ends at once. */
  #create(): WorkerChild {
    const { program, patience, answersTo } = this.#around;
    try {
      return new WorkerChild({
        program: program.path,
        programArguments: [`${this.index + 1}`, ...program.arguments],
        name: `worker ${this.index + 1}`,
        hungMs: patience.hungMs,
        answers: (worker) => ({ ...answersTo(worker), failing: () => this.#fail(worker) }),
      });
    } catch (error) {
      this.#onEnd(null, messageOf(error));
      throw error;
    }
  }

  #stop(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }

  /** All that is published, in one go: what is announced from now on comes after it. */
  #brief(child: WorkerChild): void {
    let batch: Announcement[] = [];
    const send = (): void => {
      child.channel.call('announce', batch).catch(() => {}); // it has ended, which is noticed elsewhere
      batch = [];
    };
    for (const announcement of this.#around.announcements()) if (batch.push(announcement) === BATCH) send();
    send();
  }

  /** It cannot be trusted any more: another takes over while it finishes its requests. */
  #fail(child: WorkerChild): void {
    if (this.#child !== child) return;
    this.#former.add(child);
    this.#onEnd(child, 'unexpected error');
    void this.#finish(child).finally(() => this.#former.delete(child));
  }

  async #finish(child: WorkerChild): Promise<void> {
    const withinMs = this.#around.drainMs() + END_WITHIN_MS;
    const closing = child.channel.call('close', null);
    await child.unlessEnded(closing, 'finish its requests', withinMs).catch(() => {});
    child.release();
    const timer = setTimeout(() => child.kill(), END_WITHIN_MS);
    const how = await child.ended;
    clearTimeout(timer);
    if (how === DONE) return;
    this.#around.log.warn({ worker: this.index + 1, pid: child.pid, how }, 'worker did not end in order');
  }

  #onEnd(child: WorkerChild | null, how: string): void {
    if (this.#child !== child) return;
    const { log, patience, onEnd } = this.#around;
    const wasSteady = this.#isReady && monotonicMs() - this.#readyAtMs >= patience.steadyMs;
    this.#child = null;
    this.#isReady = false;
    if (this.#isOver || !this.#isProven) return;
    this.#failures = wasSteady ? 0 : this.#failures + 1;
    const again = Math.min(this.#failures - 2, 20); // the first comes back at once
    const delayMs = again < 0 ? 0 : Math.min(patience.firstDelayMs * 2 ** again, patience.maxDelayMs);
    log.error({ worker: this.index + 1, pid: child?.pid, how, delayMs }, 'worker ended, another takes its place');
    this.#isWaiting = delayMs > 0;
    onEnd(delayMs);
    // What goes wrong with the next one comes back here as its end.
    this.#timer = setTimeout(() => void this.#around.inTurn(() => this.fill().catch(() => {})), delayMs);
  }
}
