// One order that the CA has made, to the downloaded chain (RFC 8555 section 7.4). Its step is always known, so that an
// order that never ends can say where it stood.
import type { ChallengeType } from '../../config/config.ts';
import { PerantaraError } from '../../core/errors.ts';
import { invalidAnswer } from './answer.ts';
import type { AcmeClient, Polled } from './client.ts';
import { createCsr } from './csr.ts';
import type { Order } from './messages.ts';
import { Pace } from './pace.ts';
import { AcmeProblem, readProblem } from './problem.ts';
import { Proof, ProofFailed, type ProofServices } from './proof.ts';

export interface Delivery {
  readonly certPem: string;
  /** Other chains for the same certificate: their addresses. */
  readonly alternates: readonly string[];
  /** What proved the first name that had to be proved; null: nothing had to be. */
  readonly challenge: ChallengeType | null;
}

const MAX_SUBMISSIONS = 3;
const MAX_OTHER_AUTHORIZATIONS = 100;

export class AcmeOrder {
  readonly #client: AcmeClient;
  readonly #services: Omit<ProofServices, 'onStep'>;
  readonly #signal: AbortSignal;
  #step = 'the order was not made';

  constructor(services: Omit<ProofServices, 'onStep'>) {
    this.#client = services.client;
    this.#services = services;
    this.#signal = services.signal;
  }

  /** How far it got: `the order is processing`. */
  get step(): string {
    return this.#step;
  }

  /** Throws an AggregateError of ProofFailed, one for each name, or a PerantaraError. */
  async complete(order: Order, keyPem: string): Promise<Delivery> {
    this.#step = `the order is ${order.status}`;
    const challenge = order.status === 'pending' ? await this.#prove(order) : null;
    const url = await this.#finalize(order, keyPem);
    this.#step = 'the certificate is issued, not downloaded';
    return { ...(await this.#client.download(url)), challenge };
  }

  /** All names at once. Waits for every judgement: each tells something, and no answer is left behind. */
  async #prove(order: Order): Promise<ChallengeType | null> {
    const onStep = (step: string): void => {
      this.#step = step;
    };
    const proof = new Proof({ ...this.#services, onStep });
    const urls = [...new Set(order.authorizations)];
    // RFC 8555 section 7.1.3: there may be others than one for each name, but not any number.
    if (urls.length > this.#services.names.length + MAX_OTHER_AUTHORIZATIONS)
      throw invalidAnswer(`it wants ${urls.length} proofs for ${this.#list()}`);
    const results = await Promise.allSettled(urls.map((url) => proof.authorize(url)));
    const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
    const other = errors.find((error) => !(error instanceof ProofFailed));
    if (other !== undefined) throw other;
    if (errors.length > 0) throw new AggregateError(errors);
    const proved = results.map((result) => (result.status === 'fulfilled' ? result.value : null));
    return proved.find((type) => type !== null) ?? null;
  }

  /** Returns the certificate's URL. A lost answer is no reason to submit twice: the order tells whether it arrived. */
  async #finalize(created: Order, keyPem: string): Promise<string> {
    const pace = new Pace(this.#signal);
    let submissions = 0;
    let accepted = false;
    for (;;) {
      const { value: order, retryAfterMs }: Polled<Order> = await this.#client.order(created.url);
      this.#step = `the order is ${order.status}`;
      if (order.status === 'valid' && order.certificate !== undefined) return order.certificate;
      if (order.status === 'invalid')
        throw new AcmeProblem(`obtain certificate for ${this.#list()}`, readProblem(order.error, 0, null));
      if (order.status === 'ready' && !accepted) accepted = await this.#submit(order, keyPem, ++submissions);
      await pace.wait(retryAfterMs);
    }
  }

  async #submit(order: Order, keyPem: string, submissions: number): Promise<boolean> {
    try {
      await this.#client.finalize(order, await createCsr(this.#services.names, keyPem));
      return true;
    } catch (error) {
      this.#signal.throwIfAborted();
      const temporary = error instanceof PerantaraError && error.retryable && !isRateLimit(error);
      if (!temporary || submissions >= MAX_SUBMISSIONS) throw error;
      return false;
    }
  }

  #list(): string {
    return this.#services.names.map((name) => `"${name}"`).join(', ');
  }
}

function isRateLimit(error: PerantaraError): boolean {
  return error instanceof AcmeProblem && error.status < 500;
}
