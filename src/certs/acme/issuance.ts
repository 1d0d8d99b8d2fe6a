// One certificate from one account: takes up what a crash left, else orders; orders anew with another challenge when one
// failed. Everything that must outlive the process is in the journal before the CA hears of it.
import { isIP } from 'node:net';
import type { ChallengeType } from '../../config/config.ts';
import type { Clock } from '../../core/clock.ts';
import { messageOf, PerantaraError } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import { ariCertId, type Certificate, parseCertificate, verifyIssued } from '../certificate.ts';
import type { ChallengeSolver } from '../challenges/challenge-solver.ts';
import type { CertificateRequest, IssuedCertificate } from '../issuer.ts';
import { generateKey } from '../key.ts';
import { assertProvable } from './challenge-choice.ts';
import type { AcmeClient } from './client.ts';
import type { Order } from './messages.ts';
import { mayObjectToReplacing } from './objections.ts';
import { AcmeOrder, type Delivery } from './order.ts';
import type { OrderJournal, OrderRecord } from './order-journal.ts';
import { resumableOrder } from './order-resumption.ts';
import { choosePreferredChain, issuersFromTop } from './preferred-chain.ts';
import { AcmeProblem } from './problem.ts';
import { ProofFailed } from './proof.ts';
import { ProofsFailed } from './proofs-failed.ts';

export interface IssuanceServices {
  readonly client: AcmeClient;
  readonly journal: OrderJournal;
  readonly solvers: readonly ChallengeSolver[];
  /** Common name, or null. */
  readonly preferredChain: string | null;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** RFC 8555 leaves it to the CA how long an order lives; Let's Encrypt says 7 days. */
const ORDER_LIFE_MS = 7 * 24 * 3_600_000;
const MAX_ALTERNATES = 10;
const FINAL: ReadonlySet<string> = new Set([
  'acme_problem',
  'certificate_unfit',
  'challenge_unfit',
  'issuer_answer_invalid',
  'issuer_insecure',
]);

export class Issuance {
  readonly #services: IssuanceServices;
  readonly #request: CertificateRequest;
  /** As ordered. */
  readonly #profile: string | null;
  readonly #failed = new Map<string, Set<ChallengeType>>();
  readonly #failures: ProofFailed[] = [];
  #order: AcmeOrder | null = null;

  constructor(request: CertificateRequest, profile: string | null, services: IssuanceServices) {
    this.#request = request;
    this.#profile = profile;
    this.#services = services;
  }

  /** How far it got: `the order is processing`. */
  get step(): string {
    return this.#order?.step ?? 'the order was not made';
  }

  async run(): Promise<IssuedCertificate> {
    const { journal } = this.#services;
    this.#assertProvable();
    let left = await journal.load(this.#request.names, this.#request.keyType);
    for (;;) {
      const resumed = left === null ? null : await this.#resume(left);
      const { record, order } = resumed ?? (await this.#newOrder());
      left = null;
      try {
        const issued = await this.#complete(record, order);
        if (issued !== null) return issued;
        if (resumed === null) throw unfit(this.#request.names, 'it is the one that it should replace');
      } catch (error) {
        if (resumed === null || !isUnfit(error)) await this.#survive(error, record);
        // What was left belongs to another key or other names: forgotten, and ordered anew.
      }
      await journal.forget(record);
    }
  }

  /** What a crash left, if it is worth anything; else it is forgotten. */
  async #resume(left: OrderRecord): Promise<{ readonly record: OrderRecord; readonly order: Order } | null> {
    const { client, journal, clock, log } = this.#services;
    const wanted = { account: client.accountUrl, profile: this.#profile, names: this.#request.names };
    const order = await resumableOrder(left, wanted, client, journal, clock.now());
    if (order === null) {
      await journal.forget(left);
      return null;
    }
    const record = { ...left, order: order.url };
    if (left.order === null) await journal.store(record);
    log.info({ names: left.names, order: order.url, status: order.status }, 'order resumed');
    return { record, order };
  }

  async #newOrder(): Promise<{ readonly record: OrderRecord; readonly order: Order }> {
    const { client, journal, clock } = this.#services;
    const { names, keyType } = this.#request;
    const intent: OrderRecord = {
      names: [...names],
      keyType,
      profile: this.#profile,
      keyPem: await generateKey(keyType),
      account: client.accountUrl,
      expiresAt: clock.now() + ORDER_LIFE_MS,
      order: null,
    };
    await journal.store(intent);
    let order: Order;
    try {
      order = await this.#ask();
    } catch (error) {
      // Refused, so nothing was made; otherwise nobody knows.
      if (error instanceof AcmeProblem && error.status < 500) await journal.forget(intent);
      throw error;
    }
    const record = { ...intent, order: order.url, expiresAt: order.expires ?? intent.expiresAt };
    await journal.store(record);
    return { record, order };
  }

  async #ask(): Promise<Order> {
    const { client, log } = this.#services;
    const { names, replaces } = this.#request;
    const identifiers = names.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value }) as const);
    const hasAri = client.directory.renewalInfo !== undefined;
    const id = replaces === null || !hasAri ? null : ariCertId(replaces);
    const order = { identifiers, profile: this.#profile, replaces: id };
    try {
      return await client.newOrder(order);
    } catch (error) {
      if (id === null || !mayObjectToReplacing(error)) throw error;
      log.info({ names, replaces: id, reason: messageOf(error) }, 'order repeated without what it replaces');
      return await client.newOrder({ ...order, replaces: null });
    }
  }

  /** null: it leads to the very certificate that is to be replaced. */
  async #complete(record: OrderRecord, order: Order): Promise<IssuedCertificate | null> {
    const { client, solvers, signal, journal, log } = this.#services;
    const { names, challenges: allowed, replaces } = this.#request;
    const onUnpresented = (name: string, challenge: ChallengeType, error: unknown): void =>
      log.warn({ name, challenge, reason: messageOf(error) }, 'challenge not set up, another is tried');
    this.#order = new AcmeOrder({ client, solvers, names, allowed, failed: this.#failed, signal, onUnpresented });
    const delivery = await this.#order.complete(order, record.keyPem);
    const certificate = readIssued(names, await this.#chain(delivery), record.keyPem);
    if (certificate.fingerprint === replaces?.fingerprint) return null;
    const settle = (): Promise<void> => journal.forget(record).catch(() => {});
    return { certificate, challenge: delivery.challenge, profile: this.#profile, settle };
  }

  /** Returns when another order with another challenge makes sense; else throws the error. */
  async #survive(error: unknown, record: OrderRecord): Promise<void> {
    const failures = error instanceof AggregateError ? error.errors.filter((each) => each instanceof ProofFailed) : [];
    if (failures.length === 0) {
      if (isFinal(error)) await this.#services.journal.forget(record);
      throw error;
    }
    this.#failures.push(...failures);
    const last = failures.filter(({ alternative }) => !alternative);
    if (last.length > 0) {
      await this.#services.journal.forget(record);
      throw new ProofsFailed(last, this.#failures);
    }
    for (const { key, type, problem } of failures) {
      this.#failed.set(key, (this.#failed.get(key) ?? new Set()).add(type));
      const reason = messageOf(problem);
      this.#services.log.warn({ name: key, challenge: type, reason }, 'challenge failed, another is tried');
    }
  }

  async #chain({ certPem, alternates }: Delivery): Promise<string> {
    const { client, preferredChain, log, signal } = this.#services;
    if (preferredChain === null) return certPem;
    const chains = [certPem];
    for (const url of alternates.slice(0, MAX_ALTERNATES)) {
      try {
        chains.push((await client.download(url)).certPem);
      } catch (error) {
        signal.throwIfAborted();
        log.warn({ url, reason: messageOf(error) }, 'alternate chain not downloaded');
      }
    }
    const index = choosePreferredChain(chains, preferredChain);
    if (index !== null) return chains[index]!;
    const offered = [...new Set(chains.flatMap(issuersFromTop))];
    log.warn({ names: this.#request.names, preferredChain, offered }, 'preferred chain not offered');
    return certPem;
  }

  #assertProvable(): void {
    const { names, challenges: allowed } = this.#request;
    const { solvers } = this.#services;
    for (const name of names) {
      const wildcard = name.startsWith('*.');
      const identifier = wildcard ? name.slice(2) : name;
      assertProvable({ identifier, wildcard, allowed, solvers, failed: new Set() });
    }
  }
}

/** Judged at its own beginning: whether the clocks agree is for whoever serves it. */
function readIssued(names: readonly string[], certPem: string, keyPem: string): Certificate {
  try {
    const certificate = parseCertificate(certPem, keyPem);
    verifyIssued(certificate, names, certificate.notBefore);
    return certificate;
  } catch (cause) {
    if (isUnfit(cause)) throw cause;
    throw unfit(names, messageOf(cause), cause);
  }
}

function isUnfit(error: unknown): boolean {
  return error instanceof PerantaraError && error.code === 'certificate_unfit';
}

/** Whether asking again for the same order is pointless. */
function isFinal(error: unknown): boolean {
  return error instanceof PerantaraError && !error.retryable && FINAL.has(error.code);
}

function unfit(names: readonly string[], state: string, cause?: unknown): PerantaraError {
  return new PerantaraError(`cannot use the certificate issued for ${names.join(', ')}: ${state}`, {
    code: 'certificate_unfit',
    source: 'issuer',
    cause,
  });
}
