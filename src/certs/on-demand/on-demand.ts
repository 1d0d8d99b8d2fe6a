// Certificates for names that are not in the file, obtained when a handshake asks for one. Everything that a stranger can
// cause – questions, orders, memory, lines in the log – is bounded; names in the file never come this way.
import type { OnDemandConfig } from '../../config/config.ts';
import type { Clock } from '../../core/clock.ts';
import { PerantaraError } from '../../core/errors.ts';
import { GenerationMap } from '../../core/generation-map.ts';
import type { Lifecycle } from '../../core/lifecycle.ts';
import type { Logger } from '../../core/log.ts';
import type { Asks } from './ask.ts';
import { AddressBuckets, perHour } from './buckets.ts';
import { DemandedNames, type OnStored } from './demanded-names.ts';
import { DemandFlight } from './flight.ts';
import type { DemandStanding, OnDemandIssuance } from './issuance.ts';
import { demandableName } from './name.ts';
import { type Refusal, RefusalLog } from './refusals.ts';
import { type DemandContexts, DemandShelf, type DemandSites, type Shelved } from './shelf.ts';

export type OnDemandLimits = Pick<OnDemandConfig, 'refuseMs' | 'perAddressPerHour' | 'perHour' | 'maxPending'>;

export interface OnDemandServices extends DemandSites {
  readonly issuance: OnDemandIssuance;
  readonly asks: Asks;
  readonly contexts: DemandContexts;
  readonly log: Logger;
  readonly clock: Clock;
  readonly onStored?: OnStored;
}

/** Questions about names nobody has asked about, by one address: so many at once, and one a second. */
const QUESTIONS = { burst: 20, perMs: 1 / 1_000 };
/** Names whose failure is remembered. */
const MAX_FAILED = 10_000;
/** A file table may hold as few as 1024. */
const MAX_READS = 128;
const LOOK_INTERVAL_MS = 60_000;
/** What cannot be done now is tried again after this, at the next handshake. */
const PATIENCE_MS = 60_000;

export class OnDemandCertificates implements Lifecycle {
  /** What storage has. */
  readonly stored: DemandedNames;
  readonly #limits: OnDemandLimits;
  readonly #services: OnDemandServices;
  readonly #refusals: RefusalLog;
  readonly #questions = new AddressBuckets(QUESTIONS, null);
  readonly #newNames: AddressBuckets;
  #shelf: DemandShelf;
  /** Names that are not tried again for a while. */
  readonly #failed = new GenerationMap<string, { from: number; until: number }>(MAX_FAILED);
  readonly #flights = new Map<string, DemandFlight>();
  /** Names being obtained or renewed. */
  readonly #issuing = new Set<string>();
  readonly #work = new Set<Promise<void>>();
  readonly #abort = new AbortController();
  #reads = 0;
  #state: 'new' | 'started' | 'closed' = 'new';
  #timer: NodeJS.Timeout | undefined;

  constructor(limits: OnDemandLimits, services: OnDemandServices) {
    this.#limits = limits;
    this.stored = new DemandedNames(services.onStored);
    this.#services = services;
    this.#refusals = new RefusalLog(services.log, services.clock);
    this.#newNames = new AddressBuckets(perHour(limits.perAddressPerHour), perHour(limits.perHour));
    this.#shelf = new DemandShelf(services.contexts, services);
  }

  get isOpen(): boolean {
    return this.#state === 'started';
  }

  /** Names under way, for leak checks. */
  get pending(): number {
    return this.#flights.size;
  }

  /** Learns which names storage has. What cannot be read is logged, and found again when its name is obtained. */
  async start(): Promise<void> {
    if (this.#state !== 'new') return;
    this.#state = 'started';
    this.#timer = setInterval(() => this.look(), LOOK_INTERVAL_MS).unref();
    try {
      this.stored.learn(await this.#services.issuance.stored());
    } catch (error) {
      this.#services.log.error({ err: error }, 'stored certificates on demand not listed');
    }
  }

  async close(): Promise<void> {
    this.destroy();
    await Promise.all(this.#work);
  }

  destroy(reason?: Error): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    clearInterval(this.#timer);
    this.#abort.abort(
      reason ?? new PerantaraError('certificates on demand closed', { code: 'closed', source: 'internal' }),
    );
    this.#services.asks.close();
    for (const flight of this.#flights.values()) flight.settle(null);
    this.#shelf.clear();
  }

  /** Serves on what `former` has in memory. */
  succeed(former: OnDemandCertificates): void {
    [this.#shelf, former.#shelf] = [former.#shelf, this.#shelf];
  }

  /** Whether there is a certificate for the name, in memory or in storage. `servername`: as a client writes it. */
  serves(servername: string): boolean {
    const name = demandableName(servername);
    if (name === null || this.#services.isConfigured(name)) return false;
    return this.#shelf.get(name) !== undefined || this.stored.has(name);
  }

  /**
   * For a server name that the resolver does not know: the work that may bring its certificate, or null: refuse now.
   * `address`: the client's, in normal form.
   */
  demand(servername: string, address: string): DemandFlight | null {
    if (this.#state !== 'started') return null;
    const name = demandableName(servername);
    if (name === null || this.#services.isConfigured(name)) return null;
    const flying = this.#flights.get(name);
    if (flying !== undefined) return flying;
    const shelved = this.#shelf.get(name);
    if (shelved !== undefined) {
      if (shelved.certificate.notAfter > this.#services.clock.now()) return this.#fromShelf(shelved, address);
      this.#forget(name);
    }
    if (this.stored.has(name)) {
      if (this.#reads < MAX_READS) return this.#launch(name, (flight) => this.#fromStorage(name, address, flight));
      this.#refusals.add('too many certificates read at once', name, address);
      return null;
    }
    return this.#mayAsk(name, address) ? this.#launch(name, () => this.#fromIssuer(name, address)) : null;
  }

  /** Runs by itself once a minute; to be called when other names are configured. */
  look(): void {
    for (const name of this.#shelf.look(this.#services.clock.now())) this.stored.delete(name);
  }

  #launch(name: string, work: (flight: DemandFlight) => Promise<void>): DemandFlight {
    const flight = new DemandFlight();
    this.#flights.set(name, flight);
    this.#track(
      work(flight).finally(() => {
        this.#flights.delete(name);
        flight.settle(this.#state === 'started' ? this.#services.contexts.resolve(name) : null);
      }),
    );
    return flight;
  }

  #fromShelf(shelved: Shelved, address: string): DemandFlight {
    const { contexts, clock } = this.#services;
    const flight = new DemandFlight();
    this.#shelf.wake(shelved);
    if (shelved.dueAt <= clock.now()) this.#track(this.#renew(shelved.name, address));
    const context = contexts.resolve(shelved.name);
    if (context === null) this.#forget(shelved.name); // OpenSSL does not take it after all
    flight.settle(context);
    return flight;
  }

  async #fromStorage(name: string, address: string, flight: DemandFlight): Promise<void> {
    const { issuance, contexts, clock, log } = this.#services;
    this.#reads++;
    try {
      const { certificate, dueAt } = await issuance.load(name);
      if (this.#state !== 'started') return;
      if (certificate !== null && certificate.notAfter > clock.now()) {
        this.#shelf.publish(name, certificate, dueAt);
        flight.settle(contexts.resolve(name));
        if (dueAt <= clock.now()) this.#track(this.#renew(name, address));
        return;
      }
    } catch (error) {
      log.error({ name, err: error }, 'stored certificate not served');
      return;
    } finally {
      this.#reads--;
    }
    this.#forget(name);
    if (this.#mayAsk(name, address)) await this.#fromIssuer(name, address);
  }

  /** Whether the name is worth a question; what is refused here has cost a few look-ups in memory. */
  #mayAsk(name: string, address: string): boolean {
    const { asks, clock } = this.#services;
    const now = clock.now();
    const failed = this.#failed.get(name);
    if (failed !== undefined && now >= failed.from && now < failed.until) return false;
    const known = asks.known(name);
    if (known !== null) return known === 'yes';
    if (this.#questions.take(address, now) === null) return true;
    this.#refusals.add('too many questions from this address', name, address);
    return false;
  }

  async #fromIssuer(name: string, address: string): Promise<void> {
    const { asks, log } = this.#services;
    const answer = await asks.ask(name, address);
    if (this.#state !== 'started') return;
    if (answer === 'no') log.debug({ name, address }, 'certificate on demand refused by the ask endpoint');
    else if (answer === 'busy') this.#refusals.add('too many questions at once', name, address);
    else if (answer === 'unavailable') this.#refusals.add('ask endpoint unavailable', name, address);
    else {
      const obstacle = this.#takeToken(address);
      if (obstacle !== null) this.#refusals.add(obstacle, name, address);
      else await this.#holdPlace(name, () => this.#obtain(name));
    }
  }

  #takeToken(address: string): Refusal | null {
    if (this.#issuing.size >= this.#limits.maxPending) return 'too many names under way';
    switch (this.#newNames.take(address, this.#services.clock.now())) {
      case 'address':
        return 'too many new names from this address';
      case 'all':
        return 'too many new names';
      case null:
        return null;
    }
  }

  /** In the background: the certificate is served meanwhile, and whatever happens until it ends. */
  async #renew(name: string, address: string): Promise<void> {
    if (this.#issuing.has(name)) return;
    if (this.#issuing.size >= this.#limits.maxPending) this.#postpone(name, PATIENCE_MS);
    else
      await this.#holdPlace(name, async () => {
        const answer = await this.#services.asks.ask(name, address);
        if (this.#state !== 'started') return;
        if (answer === 'yes') await this.#obtain(name);
        else this.#postpone(name, answer === 'no' ? Math.max(this.#limits.refuseMs, PATIENCE_MS) : PATIENCE_MS);
      });
  }

  #postpone(name: string, ms: number): void {
    const shelved = this.#shelf.get(name);
    if (shelved !== undefined) shelved.dueAt = this.#services.clock.now() + ms;
  }

  async #holdPlace(name: string, work: () => Promise<void>): Promise<void> {
    this.#issuing.add(name);
    try {
      await work();
    } finally {
      this.#issuing.delete(name);
    }
  }

  async #obtain(name: string): Promise<void> {
    const { issuance, log, clock } = this.#services;
    try {
      this.#keep(name, await issuance.obtain(name, this.#abort.signal));
    } catch (error) {
      if (this.#state !== 'started') return;
      log.error({ name, err: error }, 'certificate on demand not obtained');
      this.#rest(name, clock.now(), PATIENCE_MS);
    }
  }

  #keep(name: string, { certificate, dueAt }: DemandStanding): void {
    if (this.#state !== 'started') return;
    const now = this.#services.clock.now();
    const waitMs = Math.max(dueAt - now, PATIENCE_MS);
    if (certificate !== null && certificate.notAfter > now) {
      this.#failed.delete(name);
      this.stored.add(name);
      this.#shelf.put(name, certificate, now + waitMs);
    } else {
      this.#forget(name);
      this.#rest(name, now, waitMs);
    }
  }

  #rest(name: string, from: number, ms: number): void {
    this.#failed.set(name, { from, until: from + ms });
  }

  #forget(name: string): void {
    this.#shelf.delete(name);
    this.stored.delete(name);
  }

  #track(work: Promise<void>): void {
    const { log } = this.#services;
    const tracked = work
      .catch((error: unknown) => log.error({ err: error }, 'certificate on demand failed inside Perantara'))
      .finally(() => this.#work.delete(tracked));
    this.#work.add(tracked);
  }
}
