// The composition root: certificates on one side, whoever answers requests on the other, and what is in force for both. Another
// configuration takes the place of the first without losing a request. Start and reload never wait for a certificate authority.
import { CertificateAutomation } from '../certs/automation.ts';
import type { CertificateStatus } from '../certs/certificate-status.ts';
import type { CertificateGauges } from '../certs/events/gauges.ts';
import type { Config } from '../config/config.ts';
import type { Problem } from '../config/problem.ts';
import type { Clock } from '../core/clock.ts';
import { codeOf, messageOf } from '../core/errors.ts';
import type { Lifecycle } from '../core/lifecycle.ts';
import type { Logger, LogLevel } from '../core/log.ts';
import { obstacleTo, siteChanges } from './config-change.ts';
import type { BoundAddresses, CreateCrew, Crew, CrewChange, CrewMetrics } from './crew.ts';
import { DrainedTargets } from './drained-targets.ts';
import { InheritedSockets } from './inherited-sockets.ts';
import { type ReloadResult, refusedReload } from './reload-result.ts';
import { rotatedTicketKeys, TICKET_KEY_LIFE_MS, type TicketKeySet } from './ticket-keys.ts';
import { secureContextOptions } from './tls-acceptor.ts';
import { Worker } from './worker.ts';
import type { WorkerReport } from './worker-report.ts';

export interface ServerServices {
  readonly log: Logger;
  readonly clock: Clock;
  /** Default one worker in this process. */
  readonly createCrew?: CreateCrew;
  /** Called when the listeners are open, before anything that comes from them is looked at. Default: nothing. */
  readonly onListening?: () => void;
  /** Listening sockets that the process was started with. Default none. */
  readonly inherited?: InheritedSockets;
}

const HAS_GIVEN_UP = '. This process was root when it started and has given that up: a restart opens the port as well';

export class Server implements Lifecycle {
  readonly #log: Logger;
  readonly #certificates: CertificateAutomation;
  readonly #crew: Crew;
  readonly #loadsLater: boolean;
  #config: Config;
  #generation = 1;
  #state: 'new' | 'started' | 'closing' | 'closed' = 'new';
  #reloading: Promise<unknown> = Promise.resolve();
  #closed: Promise<void> | null = null;
  readonly #drained = new DrainedTargets();
  #ticketKeys: TicketKeySet = rotatedTicketKeys(null);
  #rotation: NodeJS.Timeout | undefined;

  constructor(config: Config, services: ServerServices) {
    const { log, clock, createCrew = oneWorker, inherited = new InheritedSockets() } = services;
    const onListening = async (): Promise<void> => {
      if (services.onListening === undefined) return;
      services.onListening();
      await certificates.load();
    };
    const certificates = new CertificateAutomation(config, { log, clock, contextOptions: secureContextOptions() });
    this.#config = config;
    this.#loadsLater = services.onListening !== undefined;
    this.#log = log;
    this.#certificates = certificates;
    this.#crew = createCrew(config, { log, clock, certificates, ticketKeys: this.#ticketKeys, inherited, onListening });
  }

  /** The configuration in force. */
  get config(): Config {
    return this.#config;
  }

  /** Counts the configurations that have been in force. */
  get generation(): number {
    return this.#generation;
  }

  get state(): 'starting' | 'serving' | 'stopping' {
    if (this.#state === 'new') return 'starting';
    return this.#state === 'started' ? 'serving' : 'stopping';
  }

  /** How every certificate of the file stands; to be read piece by piece. */
  certificates(): Iterable<CertificateStatus> {
    return this.#certificates.statuses();
  }

  /** What is measured of each of them; to be read piece by piece. */
  certificateGauges(): Iterable<CertificateGauges> {
    return this.#certificates.gauges();
  }

  /** Never rejects. */
  metrics(): Promise<CrewMetrics> {
    return this.#crew.metrics();
  }

  /** Of every worker that answers in time. Never rejects. */
  reports(): Promise<readonly WorkerReport[]> {
    return this.#crew.reports();
  }

  /** Bound addresses in config order; only while listening. */
  get addresses(): BoundAddresses {
    return this.#crew.addresses;
  }

  /**
   * Opens every listener and begins to look after certificates. Rejects with one PerantaraError whose message names
   * every listener that cannot be opened (`listen_*`); nothing is left running then.
   */
  start(): Promise<void> {
    const started = this.#start();
    this.#reloading = started.catch(() => {});
    return started;
  }

  /**
   * Puts another configuration in force, whole or not at all: when it is refused, nothing has changed. What both have in
   * common goes on untouched. Calls are done one after another, after the start; never rejects, never waits for an authority.
   */
  reload(config: Config, warnings: readonly Problem[] = []): Promise<ReloadResult> {
    const result = this.#reloading
      .then(() => this.#reload(config, warnings))
      .catch((error: unknown) => {
        this.#log.error({ err: error }, 'reload failed inside Perantara');
        return refusedReload(messageOf(error));
      });
    this.#reloading = result;
    return result;
  }

  /** Tickets are made with a new key from now on, and those by the one before are still taken. Happens by itself twice a day. */
  rotateTicketKeys(): void {
    this.#ticketKeys = rotatedTicketKeys(this.#ticketKeys);
    this.#crew.useTicketKeys(this.#ticketKeys);
  }

  /** New requests go to other targets from now on, or to it again; those under way go on. False: it was so already. */
  async drainTarget(name: string, isDrained: boolean): Promise<boolean> {
    const isNew = this.#drained.set(name, isDrained);
    await this.#crew.drainTargets(this.#drained.names);
    return isNew;
  }

  setLogLevel(level: LogLevel): void {
    this.#log.level = level;
    this.#crew.setLogLevel(level);
  }

  /** Goes on in new files: the old ones have been moved away. */
  reopenLogs(): void {
    this.#crew.reopenLogs();
  }

  /** Stops accepting, closes idle connections at once, and waits for the others up to the drain timeout. */
  close(): Promise<void> {
    this.#closed ??= this.#drain();
    return this.#closed;
  }

  destroy(reason?: Error): void {
    this.#state = 'closed';
    clearInterval(this.#rotation);
    this.#crew.destroy();
    this.#certificates.destroy(reason);
  }

  async #start(): Promise<void> {
    // Stored certificates first, so that no handshake is refused that need not be; the CA only once it can be answered.
    // Not yet, when somebody else is to read them: a user that this process becomes once it listens.
    if (!this.#loadsLater) await this.#certificates.load();
    if (this.#state !== 'new') return; // closed meanwhile
    this.#state = 'started';
    this.#rotation = setInterval(() => this.rotateTicketKeys(), TICKET_KEY_LIFE_MS).unref();
    try {
      await this.#crew.start();
      await this.#certificates.start();
    } catch (error) {
      this.destroy();
      throw error;
    }
  }

  async #reload(config: Config, warnings: readonly Problem[]): Promise<ReloadResult> {
    if (this.#state !== 'started') return refusedReload('cannot use the new configuration: the process is not serving');
    const before = this.#config;
    const obstacle = obstacleTo(before, config);
    if (obstacle !== null) return refusedReload(obstacle);
    let change: CrewChange;
    try {
      change = await this.#crew.prepare(config);
    } catch (error) {
      const isForUs = this.#loadsLater && codeOf(error) === 'listen_denied';
      return refusedReload(isForUs ? `${messageOf(error)}${HAS_GIVEN_UP}` : messageOf(error));
    }
    this.#config = config;
    this.#generation++;
    const { listenersOpened, listenersClosed } = change;
    await change.commit();
    await this.#certificates.adopt(config);
    this.#crew.settle();
    this.#drained.keepOnly(config);
    void this.#crew.drainTargets(this.#drained.names);
    const changes = { ...siteChanges(before, config), listenersOpened, listenersClosed };
    return { accepted: true, generation: this.#generation, changes, warnings };
  }

  async #drain(): Promise<void> {
    const wasServing = this.#state === 'started';
    if (wasServing) this.#state = 'closing';
    else this.destroy();
    // At once: without listeners nobody could prove a name, and what failed would count at the CA.
    const certificates = wasServing ? this.#certificates.close() : null;
    await this.#crew.close();
    await certificates;
    this.destroy();
  }
}

function oneWorker(...[config, services]: Parameters<CreateCrew>): Crew {
  return new Worker(config, services);
}
