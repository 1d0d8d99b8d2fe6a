// The acme-client package behind our own transport. It builds and signs the requests of RFC 8555; its HTTP side (axios,
// its sleeps, its untyped errors) is replaced on every instance and never runs. One instance serves one issuance.
import type { Client } from 'acme-client';
import { messageOf, PerantaraError } from '../../core/errors.ts';
import type { AcmeResponse } from './exchange.ts';
import {
  type Authorization,
  type Challenge,
  type Directory,
  type Order,
  readAuthorization,
  readOrder,
} from './messages.ts';
import type { AcmeTransport } from './transport.ts';

export interface AcmeClientOptions {
  readonly directoryUrl: string;
  readonly directory: Directory;
  /** PEM. */
  readonly accountKey: string;
  /** null before the account is registered. */
  readonly accountUrl: string | null;
  readonly transport: AcmeTransport;
  readonly signal: AbortSignal;
}

/** What acme-client 5.4.0 has but does not declare: the seam. */
interface Internals {
  readonly http: {
    request(url: string, method: string, options?: { data?: { payload: string } }): Promise<AcmeResponse>;
    getNonce(): Promise<string>;
    getDirectory(): Promise<unknown>;
    maxBadNonceRetries: number;
  };
  readonly api: {
    apiRequest(url: string, payload: object | null, validStatusCodes: number[]): Promise<AcmeResponse>;
  };
}

/** Enough for a server that refuses every second nonce: 20 in a row are then one in a million. */
const MAX_BAD_NONCES = 20;
/** `{}`: the answer to a challenge, the one request with a payload that is safe to repeat. */
const EMPTY_OBJECT = Buffer.from('{}').toString('base64url');

export class AcmeClient {
  readonly #client: Client;
  readonly #internals: Internals;
  readonly #transport: AcmeTransport;
  readonly #signal: AbortSignal;

  private constructor(client: Client, { transport, signal }: AcmeClientOptions) {
    this.#client = client;
    this.#internals = client as unknown as Internals;
    this.#transport = transport;
    this.#signal = signal;
  }

  static async open(options: AcmeClientOptions): Promise<AcmeClient> {
    const { directoryUrl, directory, accountKey, accountUrl, transport, signal } = options;
    // Loaded when first needed: it brings 50 packages and a third of a second, and most starts ask no CA.
    const { Client } = await import('acme-client');
    const client = new Client({ directoryUrl, accountKey, ...(accountUrl === null ? {} : { accountUrl }) });
    const { http } = client as unknown as Internals;
    http.maxBadNonceRetries = MAX_BAD_NONCES;
    http.getDirectory = async () => directory;
    http.request = (url, method, { data } = {}) =>
      transport.request(url, {
        method: method.toUpperCase() as 'GET' | 'HEAD' | 'POST',
        body: data === undefined ? null : JSON.stringify(data),
        idempotent: data === undefined || data.payload === '' || data.payload === EMPTY_OBJECT,
        signal,
      });
    http.getNonce = async () => {
      for (let attempt = 1; ; attempt++) {
        const nonce = transport.takeNonce();
        if (nonce !== null) return nonce;
        if (attempt > 3) throw new Error('it hands out no nonces');
        await http.request(directory.newNonce, 'head');
      }
    };
    return new AcmeClient(client, options);
  }

  /** Registers the account key, or finds its account. Returns the account's URL. Agrees to the terms of service. */
  async register(email: string | null): Promise<string> {
    const contact = email === null ? {} : { contact: [`mailto:${email}`] };
    await this.#do(() => this.#client.createAccount({ termsOfServiceAgreed: true, ...contact }));
    return this.#do(() => this.#client.getAccountUrl());
  }

  async newOrder(identifiers: readonly { readonly type: 'dns' | 'ip'; readonly value: string }[]): Promise<Order> {
    const order = await this.#do(() => this.#client.createOrder({ identifiers: [...identifiers] }));
    return readOrder(order, order.url);
  }

  async order(url: string): Promise<Polled<Order>> {
    const { data, headers } = await this.#read(url);
    return { value: readOrder(data, url), retryAfterMs: this.#transport.retryAfterMs(headers) };
  }

  async authorization(url: string): Promise<Polled<Authorization>> {
    const { data, headers } = await this.#read(url);
    return { value: readAuthorization(data), retryAfterMs: this.#transport.retryAfterMs(headers) };
  }

  /** What the CA must find at the token's place (RFC 8555 section 8.1). */
  keyAuthorization(challenge: Challenge): Promise<string> {
    return this.#do(() => this.#client.getChallengeKeyAuthorization(challenge as never));
  }

  /** Tells the CA to look now. */
  async respond(challenge: Challenge): Promise<void> {
    await this.#do(() => this.#client.completeChallenge(challenge as never));
  }

  /** `csr`: PEM. */
  async finalize(order: Order, csr: string): Promise<void> {
    await this.#do(() => this.#client.finalizeOrder(order as never, csr));
  }

  /** The chain as PEM, leaf first, as the CA prefers it. */
  async download(url: string): Promise<string> {
    const { data } = await this.#read(url);
    return typeof data === 'string' ? data : '';
  }

  /** POST-as-GET (RFC 8555 section 6.3). */
  #read(url: string): Promise<AcmeResponse> {
    return this.#do(() => this.#internals.api.apiRequest(url, null, [200]));
  }

  /** What acme-client throws by itself are plain errors about answers it could not use. */
  async #do<T>(step: () => T | Promise<T>): Promise<T> {
    try {
      return await step();
    } catch (cause) {
      if (cause instanceof PerantaraError || this.#signal.aborted) throw cause;
      throw new PerantaraError(`cannot understand the CA: ${messageOf(cause)}`, {
        code: 'issuer_answer_invalid',
        source: 'issuer',
        cause,
      });
    }
  }
}

/** A resource and how long the CA asks to wait before it is read again. */
export interface Polled<T> {
  readonly value: T;
  readonly retryAfterMs: number | null;
}
