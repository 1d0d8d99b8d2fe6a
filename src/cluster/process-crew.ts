// The workers of a primary, each in a process of its own, kept in step. None of them is needed for the others to go on; a
// configuration is in force in all of them or in none.
import { type Announcement, announceToNobody } from '../certs/announcement.ts';
import type { Config, ListenAddress } from '../config/config.ts';
import { messageOf, PerantaraError } from '../core/errors.ts';
import type { LogLevel } from '../core/log.ts';
import { configuredNames } from '../server/configured-names.ts';
import type { BoundAddresses, Crew, CrewChange, CrewMetrics, CrewServices } from '../server/crew.ts';
import { type ListenerChange, Listeners } from '../server/listeners.ts';
import type { TicketKeySet } from '../server/ticket-keys.ts';
import type { WorkerReport } from '../server/worker-report.ts';
import { answersTo } from './answers.ts';
import { type BoundHandle, handleOn } from './bound-handle.ts';
import { CrewAdmission } from './crew-admission.ts';
import { CrewFigures } from './crew-figures.ts';
import { InheritedListener } from './inherited-listener.ts';
import { SharedListener } from './shared-listener.ts';
import { BEAT_MS, type WorkerChild } from './worker-child.ts';
import { givenConfig, isCountedTogether } from './worker-config.ts';
import {
  SLOT_PATIENCE,
  type SlotPatience,
  type SlotSurroundings,
  type WorkerProgram,
  WorkerSlot,
} from './worker-slot.ts';

export interface ProcessCrewOptions {
  /** How many, at least 1. */
  readonly workers: number;
  readonly program: WorkerProgram;
  readonly patience?: Partial<SlotPatience>;
}

const FOLLOW_WITHIN_MS = 30_000;
const ANSWER_WITHIN_MS = 2_000;
/** What a worker has counted since it was asked last is lost when it is killed. */
const BEATS_PER_COLLECTION = 5;

export class ProcessCrew implements Crew {
  readonly #services: CrewServices;
  readonly #slots: readonly WorkerSlot[];
  readonly #listeners: Listeners;
  readonly #admission: CrewAdmission;
  /** By the key of CreateListener. */
  readonly #sockets = new Map<string, SharedListener | InheritedListener>();
  readonly #inherited = new Map<number, BoundHandle>();
  readonly #figures = new CrewFigures();
  #config: Config;
  #ticketKeys: TicketKeySet;
  #drained: ReadonlySet<string> = new Set();
  /** Of workers that ended and were, or will be, replaced. */
  #restarts = 0;
  #state: 'new' | 'starting' | 'serving' | 'closed' = 'new';
  /** Reloads and starts of single workers, one after the other. */
  #turn: Promise<void> = Promise.resolve();
  #beats: NodeJS.Timeout | undefined;

  constructor(config: Config, services: CrewServices, { workers, program, patience }: ProcessCrewOptions) {
    this.#config = config;
    this.#services = services;
    this.#ticketKeys = services.ticketKeys;
    this.#admission = new CrewAdmission(config.limits, isCountedTogether(config, workers));
    this.#listeners = new Listeners(
      () => {},
      (address, _, key) => this.#share(address, key, workers),
    );
    this.#slots = Array.from({ length: workers }, (_, index) => {
      return new WorkerSlot(index, this.#around(index, program, { ...SLOT_PATIENCE, ...patience }));
    });
  }

  get addresses(): BoundAddresses {
    return { http: this.#listeners.bound('http'), https: this.#listeners.bound('https') };
  }

  async start(): Promise<void> {
    if (this.#state !== 'new') return;
    this.#state = 'starting';
    try {
      (await this.#listeners.prepare(this.#config.listen)).commit();
      await this.#services.onListening();
      this.#services.certificates.audience = (announcement) => this.#announce(announcement);
      await Promise.all(this.#slots.map((slot) => slot.fill()));
      if (this.#isClosed) throw closing();
    } catch (error) {
      this.destroy();
      throw error;
    }
    this.#state = 'serving';
    let beats = 0;
    this.#beats = setInterval(() => {
      for (const slot of this.#slots) slot.beat();
      if (++beats % BEATS_PER_COLLECTION === 0 && this.#config.admin !== null) void this.#figures.collect(this.#ready);
    }, BEAT_MS).unref();
  }

  async prepare(config: Config): Promise<CrewChange> {
    const endTurn = await this.#takeTurn();
    const ready = this.#ready;
    const given = givenConfig(config, this.#slots.length);
    let listeners: ListenerChange | null = null;
    const abandon = (): void => {
      listeners?.abandon();
      for (const { channel } of ready) channel.call('abandon', null).catch(() => {});
      endTurn();
    };
    try {
      listeners = await this.#listeners.prepare(config.listen);
      const doing = 'get ready for the new configuration';
      const answers = await Promise.allSettled(
        ready.map((child) => child.unlessEnded(child.channel.call('prepare', given), doing, FOLLOW_WITHIN_MS)),
      );
      for (const answer of answers) if (answer.status === 'rejected') throw answer.reason;
    } catch (error) {
      abandon();
      throw error;
    }
    const { opened: listenersOpened, closed: listenersClosed } = listeners;
    const commit = async (): Promise<void> => {
      this.#config = config;
      this.#admission.adopt(config.limits, given.isCountedTogether);
      listeners.commit();
      await Promise.all(ready.map(follow));
      endTurn();
    };
    return { listenersOpened, listenersClosed, commit, abandon };
  }

  settle(): void {
    this.#figures.keepOnly(configuredNames(this.#config));
    this.#tell((child) => child.channel.call('settle', null));
  }

  useTicketKeys(keys: TicketKeySet): void {
    this.#ticketKeys = keys;
    this.#tell((child) => child.channel.call('useTicketKeys', keys));
  }

  async drainTargets(names: ReadonlySet<string>): Promise<void> {
    this.#drained = names;
    const children = this.#slots.flatMap(({ child }) => child ?? []);
    await Promise.all(children.map(({ channel }) => inTime(channel.call('drainTargets', names))));
  }

  setLogLevel(level: LogLevel): void {
    this.#tell((child) => child.channel.call('setLogLevel', level));
  }

  reopenLogs(): void {
    this.#tell((child) => child.channel.call('reopenLogs', null));
  }

  async reports(): Promise<readonly WorkerReport[]> {
    const reports = await Promise.all(this.#ready.map(({ channel }) => inTime(channel.call('report', null))));
    return reports.filter((report) => report !== null);
  }

  async metrics(): Promise<CrewMetrics> {
    const workers = await this.#figures.collect(this.#ready);
    return { together: await this.#figures.sums(), workers, restarts: this.#restarts };
  }

  async close(): Promise<void> {
    this.#stop();
    await Promise.all(this.#slots.map((slot) => slot.close()));
  }

  destroy(): void {
    this.#stop();
    for (const slot of this.#slots) slot.destroy();
  }

  get #isClosed(): boolean {
    return this.#state === 'closed';
  }

  get #ready(): readonly WorkerChild[] {
    return this.#slots.flatMap(({ ready }) => ready ?? []);
  }

  #stop(): void {
    this.#state = 'closed';
    clearInterval(this.#beats);
    this.#services.certificates.audience = announceToNobody;
    this.#listeners.close();
  }

  /** One that has ended by then is told when another takes its place. */
  #tell(call: (child: WorkerChild) => Promise<unknown>): void {
    for (const slot of this.#slots) if (slot.child !== null) call(slot.child).catch(() => {});
  }

  async #announce(announcement: Announcement): Promise<void> {
    const children = this.#slots.flatMap(({ child }) => child ?? []);
    await Promise.all(children.map(({ channel }) => channel.call('announce', [announcement]).catch(() => {})));
  }

  /** The others get its connections meanwhile. */
  #giveUp(index: number): void {
    for (const socket of this.#sockets.values()) socket.giveUp(index);
  }

  #share(address: ListenAddress, key: string, workers: number) {
    const onClose = (): void => {
      if (this.#sockets.get(key) === listener) this.#sockets.delete(key);
    };
    const inherited = this.#inheritedFor(address);
    const listener: SharedListener | InheritedListener =
      inherited === null ? new SharedListener(address, workers, onClose) : new InheritedListener(inherited, onClose);
    this.#sockets.set(key, listener);
    return listener;
  }

  /** Kept by descriptor: it is to be made one only once. */
  #inheritedFor(address: ListenAddress): BoundHandle | null {
    const fd = this.#services.inherited.fdFor(address);
    if (fd === null) return null;
    const handle = this.#inherited.get(fd) ?? handleOn(fd);
    this.#inherited.set(fd, handle);
    return handle;
  }

  #around(index: number, program: WorkerProgram, patience: SlotPatience): SlotSurroundings {
    const { certificates, log } = this.#services;
    return {
      log,
      program,
      patience,
      answersTo: (worker) =>
        answersTo(worker, {
          certificates,
          admission: this.#admission,
          handleFor: (key) => (this.#isClosed ? null : (this.#sockets.get(key)?.handleFor(index) ?? null)),
        }),
      start: () => ({
        ...givenConfig(this.#config, this.#slots.length),
        ticketKeys: this.#ticketKeys,
        drained: this.#drained,
        logLevel: log.level as LogLevel,
      }),
      announcements: () => certificates.announcements(),
      drainMs: () => this.#config.timeouts.drainMs,
      onGone: (worker) => {
        this.#admission.forget(worker);
        this.#figures.leave(worker);
      },
      onReady: () => {
        for (const slot of this.#slots) if (slot.isWaiting) this.#giveUp(slot.index);
      },
      onEnd: (delayMs) => {
        this.#restarts++;
        if (delayMs > 0 && this.#ready.length > 0) this.#giveUp(index);
      },
      inTurn: async (work) => {
        const endTurn = await this.#takeTurn();
        await work().finally(endTurn);
      },
    };
  }

  async #takeTurn(): Promise<() => void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const before = this.#turn;
    this.#turn = promise;
    await before;
    return resolve;
  }
}

/** One that cannot is replaced by one that does from the start. */
async function follow(child: WorkerChild): Promise<void> {
  const following = child.channel.call('commit', null);
  await child
    .unlessEnded(following, 'follow the new configuration', FOLLOW_WITHIN_MS)
    .catch((error: unknown) => child.kill(messageOf(error)));
}

/** null when it does not answer in time, or never will. */
async function inTime<T>(answer: Promise<T>): Promise<T | null> {
  const { promise: late, resolve } = Promise.withResolvers<null>();
  const timer = setTimeout(resolve, ANSWER_WITHIN_MS, null);
  try {
    return await Promise.race([answer, late]);
  } catch {
    return null;
  } finally {
    clearTimeout(timer);
  }
}

function closing(): PerantaraError {
  return new PerantaraError('the process is stopping', { code: 'closed', source: 'internal' });
}
