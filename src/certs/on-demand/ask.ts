// Asks the operator's endpoint whether a name may have a certificate, and remembers the answers. Whatever the endpoint
// does – down, slow, endless – costs a bounded number of sockets and bounded memory, and allows nothing.
import { Agent, type ClientRequestArgs, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest, Agent as SecureAgent } from 'node:https';
import type { OnDemandConfig } from '../../config/config.ts';
import type { Clock } from '../../core/clock.ts';
import { messageOf, PerantaraError } from '../../core/errors.ts';
import { GenerationMap } from '../../core/generation-map.ts';
import type { Logger } from '../../core/log.ts';

/** `unavailable`: no answer, or one that says nothing about the name (5xx, 429). `busy`: not asked, too much is. */
export type AskAnswer = 'yes' | 'no' | 'unavailable' | 'busy';

/** The part of it that decides. */
export interface Asks {
  /** What is remembered, or null. */
  known(name: string): 'yes' | 'no' | null;
  /** Never rejects. `address`: of the client that wants the name. */
  ask(name: string, address: string): Promise<AskAnswer>;
  /** Ends questions under way. Idempotent. */
  close(): void;
}

export interface AskClientOptions extends Pick<OnDemandConfig, 'ask' | 'allowMs' | 'refuseMs'> {
  readonly clock: Clock;
  readonly log: Logger;
  /** For the whole answer. Default 5 s. */
  readonly timeoutMs?: number;
}

interface Remembered {
  readonly allowed: boolean;
  readonly from: number;
  readonly until: number;
}

/** Answers remembered; about 200 bytes each. */
const MAX_ANSWERS = 10_000;
/** Questions under way at once. */
const MAX_QUESTIONS = 16;
const TIMEOUT_MS = 5_000;
/** An endpoint that could not be reached is left alone for so long. */
const REST_MS = 1_000;
/** More of an answer's content is not read: the status says it all. */
const MAX_BODY_BYTES = 16 * 1024;

export class AskClient implements Asks {
  readonly #options: AskClientOptions;
  readonly #url: URL;
  readonly #agent: Agent;
  readonly #answers = new GenerationMap<string, Remembered>(MAX_ANSWERS);
  readonly #closing = new AbortController();
  #questions = 0;
  #restUntil = 0;
  #reachable = true;

  constructor(options: AskClientOptions) {
    this.#options = options;
    this.#url = new URL(options.ask);
    const settings = { keepAlive: true, maxSockets: MAX_QUESTIONS, maxFreeSockets: 2, timeout: TIMEOUT_MS };
    this.#agent = this.#url.protocol === 'https:' ? new SecureAgent(settings) : new Agent(settings);
  }

  /** Answers remembered now. */
  get size(): number {
    return this.#answers.size;
  }

  known(name: string): 'yes' | 'no' | null {
    const answer = this.#answers.get(name);
    if (answer === undefined) return null;
    const now = this.#options.clock.now();
    if (now >= answer.from && now < answer.until) return answer.allowed ? 'yes' : 'no';
    this.#answers.delete(name);
    return null;
  }

  async ask(name: string, address: string): Promise<AskAnswer> {
    const known = this.known(name);
    if (known !== null) return known;
    if (this.#questions >= MAX_QUESTIONS) return 'busy';
    const { clock } = this.#options;
    const startedAt = clock.now();
    if (startedAt < this.#restUntil && startedAt >= this.#restUntil - REST_MS) return 'unavailable';
    this.#questions++;
    try {
      const status = await this.#statusFor(name, address);
      if (status >= 500 || status === 429) throw unusable(this.#url, `it answered ${status}`);
      this.#tellReachable(true);
      const allowed = status === 200;
      const { allowMs, refuseMs } = this.#options;
      const from = clock.now();
      this.#answers.set(name, { allowed, from, until: from + (allowed ? allowMs : refuseMs) });
      return allowed ? 'yes' : 'no';
    } catch (error) {
      if (this.#closing.signal.aborted) return 'unavailable';
      // One that is only slow is held back by the number of questions.
      if (error instanceof Unreachable) this.#restUntil = clock.now() + REST_MS;
      this.#tellReachable(false, error);
      return 'unavailable';
    } finally {
      this.#questions--;
    }
  }

  /** Ends questions under way and drops connections. Idempotent. */
  close(): void {
    this.#closing.abort();
    this.#agent.destroy();
  }

  #statusFor(name: string, address: string): Promise<number> {
    const url = new URL(this.#url);
    url.searchParams.set('domain', name);
    url.searchParams.set('address', address);
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const patience = AbortSignal.timeout(this.#options.timeoutMs ?? TIMEOUT_MS);
    const settings: ClientRequestArgs = {
      agent: this.#agent,
      signal: AbortSignal.any([patience, this.#closing.signal]),
      headers: { 'user-agent': 'perantara', accept: '*/*' },
    };
    const question = url.protocol === 'https:' ? httpsRequest(url, settings) : httpRequest(url, settings);
    question.on('response', (response) => {
      resolve(response.statusCode ?? 0);
      discard(response);
    });
    question.on('error', (cause) => {
      if (patience.aborted) reject(unusable(this.#url, 'it did not answer in time', cause));
      else reject(new Unreachable(this.#url, cause));
    });
    question.end();
    return promise;
  }

  /** Says so when it changes, not at every name. */
  #tellReachable(reachable: boolean, error?: unknown): void {
    if (reachable === this.#reachable) return;
    this.#reachable = reachable;
    if (reachable) this.#options.log.info('ask endpoint answers again');
    else this.#options.log.error({ err: error }, 'ask endpoint unavailable: no new names until it answers');
  }
}

/** Reads to the end, so that the connection can be used again, unless the end is far. */
function discard(response: IncomingMessage): void {
  let bytes = 0;
  response.on('error', () => {});
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) response.destroy();
  });
}

class Unreachable extends PerantaraError {
  constructor(url: URL, cause: unknown) {
    const message = `cannot ask "${url.origin}${url.pathname}": ${messageOf(cause)}`;
    super(message, { code: 'ask_unavailable', source: 'operator', retryable: true, cause });
  }
}

/** The query may hold a secret: it is not shown. */
function unusable(url: URL, why: string, cause?: unknown): PerantaraError {
  return new PerantaraError(`cannot ask "${url.origin}${url.pathname}": ${why}`, {
    code: 'ask_unavailable',
    source: 'operator',
    retryable: true,
    cause,
  });
}
