// One order from the first request to the downloaded chain (RFC 8555 section 7.4), proving names by HTTP-01. Its step is
// always known, so that an order that never ends can say where it stood.
import { isIP } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { PerantaraError } from '../../core/errors.ts';
import { normalizeHostname } from '../../core/hostname.ts';
import { generateKey } from '../key.ts';
import type { AcmeClient } from './client.ts';
import type { Authorization, Challenge, Order } from './messages.ts';
import { AcmeProblem, readProblem } from './problem.ts';

/** Where HTTP-01 answers are put before the CA is told to look. */
export interface ChallengePresenter {
  present(host: string, token: string, keyAuthorization: string): Promise<void>;
  cleanUp(host: string, token: string): Promise<void>;
}

const FIRST_POLL_MS = 250;
const SLOWEST_POLL_MS = 5_000;
/** The longest Retry-After that is obeyed while polling. */
const MAX_RETRY_AFTER_MS = 60_000;
const MAX_SUBMISSIONS = 3;

export class AcmeOrder {
  readonly #client: AcmeClient;
  readonly #challenges: ChallengePresenter;
  readonly #names: readonly string[];
  readonly #signal: AbortSignal;
  #step = 'the order was not made';

  constructor(client: AcmeClient, challenges: ChallengePresenter, names: readonly string[], signal: AbortSignal) {
    this.#client = client;
    this.#challenges = challenges;
    this.#names = names;
    this.#signal = signal;
  }

  /** How far it got: `the order is processing`. */
  get step(): string {
    return this.#step;
  }

  async complete(): Promise<{ readonly certPem: string; readonly keyPem: string }> {
    const identifiers = this.#names.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value }) as const);
    const order = await this.#client.newOrder(identifiers);
    this.#step = `the order is ${order.status}`;
    await Promise.all(order.authorizations.map((url) => this.#authorize(url)));
    const keyPem = await generateKey();
    const url = await this.#finalize(order, await createRequest(this.#names, keyPem));
    this.#step = 'the certificate is issued, not downloaded';
    return { certPem: await this.#client.download(url), keyPem };
  }

  /** Proves one name; at once when the CA still holds an earlier proof for valid. */
  async #authorize(url: string): Promise<void> {
    const { value: authorization } = await this.#client.authorization(url);
    const host = this.#hostOf(authorization);
    if (authorization.status === 'valid') return;
    if (authorization.status !== 'pending') throw refusal(host, authorization);
    const challenge = this.#choose(host, authorization);
    const token = challenge.token ?? '';
    await this.#challenges.present(host, token, await this.#client.keyAuthorization(challenge));
    try {
      this.#step = `the CA is validating "${host}"`;
      if (challenge.status === 'pending') await this.#client.respond(challenge);
      const pace = new Pace(this.#signal);
      let retryAfterMs: number | null = null;
      for (;;) {
        await pace.wait(retryAfterMs);
        const polled = await this.#client.authorization(url);
        if (polled.value.status === 'valid') return;
        if (polled.value.status !== 'pending') throw refusal(host, polled.value);
        retryAfterMs = polled.retryAfterMs;
      }
    } finally {
      await this.#challenges.cleanUp(host, token);
    }
  }

  /** Returns the certificate's URL. A lost answer is no reason to submit twice: the order tells whether it arrived. */
  async #finalize(created: Order, csr: string): Promise<string> {
    const pace = new Pace(this.#signal);
    let submissions = 0;
    let accepted = false;
    for (;;) {
      const { value: order, retryAfterMs } = await this.#client.order(created.url);
      this.#step = `the order is ${order.status}`;
      if (order.status === 'valid' && order.certificate !== undefined) return order.certificate;
      if (order.status === 'invalid')
        throw new AcmeProblem(`obtain certificate for ${this.#list()}`, readProblem(order.error, 0, null));
      if (order.status === 'ready' && !accepted) accepted = await this.#submit(order, csr, ++submissions);
      await pace.wait(retryAfterMs);
    }
  }

  async #submit(order: Order, csr: string, submissions: number): Promise<boolean> {
    try {
      await this.#client.finalize(order, csr);
      return true;
    } catch (error) {
      this.#signal.throwIfAborted();
      const temporary = error instanceof PerantaraError && error.retryable && !isRateLimit(error);
      if (!temporary || submissions >= MAX_SUBMISSIONS) throw error;
      return false;
    }
  }

  #hostOf({ identifier }: Authorization): string {
    const host = normalizeHostname(identifier.value);
    // RFC 8555 section 7.1.4: the authorization of a wildcard names its base domain.
    if (host !== null && (this.#names.includes(host) || this.#names.includes(`*.${host}`))) return host;
    throw unusable(`it wants proof for "${identifier.value}", which was not ordered`);
  }

  #choose(host: string, { challenges }: Authorization): Challenge {
    const challenge = challenges.find(({ type }) => type === 'http-01');
    if (challenge === undefined)
      throw unusable(`it offers ${challenges.map(({ type }) => type).join(', ')} for "${host}", not http-01`);
    if (!/^[A-Za-z0-9_-]{16,512}$/.test(challenge.token ?? '')) throw unusable(`its token for "${host}" is malformed`);
    return challenge;
  }

  #list(): string {
    return this.#names.map((name) => `"${name}"`).join(', ');
  }
}

/** Waits between looks: as the CA asks, else a little longer each time. */
class Pace {
  readonly #signal: AbortSignal;
  #nextMs = FIRST_POLL_MS;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  async wait(retryAfterMs: number | null): Promise<void> {
    const ms =
      retryAfterMs === null ? this.#nextMs : Math.min(Math.max(retryAfterMs, FIRST_POLL_MS), MAX_RETRY_AFTER_MS);
    this.#nextMs = Math.min(this.#nextMs * 1.5, SLOWEST_POLL_MS);
    await delay(ms, undefined, { signal: this.#signal }).catch(() => this.#signal.throwIfAborted());
  }
}

/** A PKCS#10 request with all names as subjectAltName and no common name (RFC 8555 section 7.4). */
async function createRequest(names: readonly string[], keyPem: string): Promise<string> {
  const { crypto } = await import('acme-client');
  const [, csr] = await crypto.createCsr({ altNames: [...names] }, keyPem);
  return csr.toString();
}

/** The CA's words about a name it did not accept stand in the challenge that failed. */
function refusal(host: string, { status, challenges }: Authorization): AcmeProblem {
  const failed = challenges.find(({ error }) => error !== undefined && error !== null);
  const problem = failed?.error ?? { detail: `the authorization is ${status}` };
  return new AcmeProblem(`validate "${host}"`, readProblem(problem, 0, null));
}

function isRateLimit(error: PerantaraError): boolean {
  return error instanceof AcmeProblem && error.status < 500;
}

function unusable(state: string): PerantaraError {
  return new PerantaraError(`cannot use the CA's answer: ${state}`, {
    code: 'issuer_answer_invalid',
    source: 'issuer',
  });
}
