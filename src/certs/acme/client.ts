// The acme-client package behind our own transport. It builds and signs the requests of RFC 8555; its HTTP side (axios,
// its sleeps, its untyped errors) is replaced on every instance and never runs. One instance serves one issuance.
import type { Client } from 'acme-client';
import { messageOf, PerantaraError } from '../../core/errors.ts';
import type { AcmeResponse } from './exchange.ts';
import {
  type Account,
  type Authorization,
  type Challenge,
  type Directory,
  type Order,
  readAccount,
  readAuthorization,
  readOrder,
  readOrderList,
} from './messages.ts';
import { AcmeProblem } from './problem.ts';
import type { AcmeTransport } from './transport.ts';

export interface AcmeClientOptions {
  readonly directoryUrl: string;
  readonly directory: Directory;
  /** PEM. */
  readonly accountKey: string;
  /** null before the account is registered. */
  readonly accountUrl: string | null;
  /** External account binding (RFC 8555 section 7.3.4), sent when an account is registered. */
  readonly binding: ExternalBinding | null;
  readonly transport: AcmeTransport;
  readonly signal: AbortSignal;
}

/** `hmacKey`: base64url. */
export interface ExternalBinding {
  readonly keyId: string;
  readonly hmacKey: string;
}

export interface NewOrder {
  readonly identifiers: readonly { readonly type: 'dns' | 'ip'; readonly value: string }[];
  /** draft-ietf-acme-profiles; null: the CA's default. */
  readonly profile: string | null;
  /** RFC 9773 section 5: the ARI certificate identifier, or null. */
  readonly replaces: string | null;
}

/** What acme-client 5.4.0 has but does not declare: the seam. */
interface Internals {
  readonly http: {
    request(url: string, method: string, options?: { data?: { payload: string } }): Promise<AcmeResponse>;
    getNonce(): Promise<string>;
    getDirectory(): Promise<unknown>;
    getJwk(): object;
    createSignedBody(url: string, payload: object): object;
    maxBadNonceRetries: number;
  };
  readonly api: {
    apiRequest(url: string, payload: object | null, statuses: number[], options?: object): Promise<AcmeResponse>;
    createAccount(data: object): Promise<AcmeResponse>;
    updateAccount(data: object): Promise<AcmeResponse>;
  };
}

/** Enough for a server that refuses every second nonce: 20 in a row are then one in a million. */
const MAX_BAD_NONCES = 20;
/** `{}`: the answer to a challenge, the one request with a payload that is safe to repeat. */
const EMPTY_OBJECT = Buffer.from('{}').toString('base64url');

export class AcmeClient {
  readonly #client: Client;
  readonly #internals: Internals;
  readonly #options: AcmeClientOptions;

  private constructor(client: Client, options: AcmeClientOptions) {
    this.#client = client;
    this.#internals = client as unknown as Internals;
    this.#options = options;
  }

  get directory(): Directory {
    return this.#options.directory;
  }

  /** The account's URL; only of a client that was opened with one. */
  get accountUrl(): string {
    return this.#options.accountUrl ?? '';
  }

  static async open(options: AcmeClientOptions): Promise<AcmeClient> {
    const { directoryUrl, directory, accountKey, accountUrl, binding, transport, signal } = options;
    // Loaded when first needed: it brings 50 packages and a third of a second, and most starts ask no CA.
    const { Client } = await import('acme-client');
    const externalAccountBinding = binding === null ? {} : { kid: binding.keyId, hmacKey: binding.hmacKey };
    const client = new Client({
      directoryUrl,
      accountKey,
      externalAccountBinding: externalAccountBinding as { kid: string; hmacKey: string },
      ...(accountUrl === null ? {} : { accountUrl }),
    });
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
    const { api } = this.#internals;
    const answer = await this.#do(() => api.createAccount({ termsOfServiceAgreed: true, ...contact }));
    if (answer.status === 200 && email !== null) await this.#do(() => api.updateAccount(contact));
    return this.#do(() => this.#client.getAccountUrl());
  }

  /** The URL of the account that the key has (RFC 8555 section 7.3.1), or null when the CA does not know the key. */
  async find(): Promise<string | null> {
    try {
      await this.#do(() => this.#internals.api.createAccount({ onlyReturnExisting: true }));
      return await this.#do(() => this.#client.getAccountUrl());
    } catch (error) {
      if (error instanceof AcmeProblem && error.status < 500 && error.type !== 'rateLimited') return null;
      throw error;
    }
  }

  async account(): Promise<Account> {
    return readAccount((await this.#read(this.accountUrl)).data);
  }

  /** RFC 8555 section 7.3.6: for ever. */
  async deactivateAccount(): Promise<void> {
    await this.#do(() => this.#internals.api.updateAccount({ status: 'deactivated' }));
  }

  /** RFC 8555 section 7.3.5: from now on the account has `newKey` (PEM). */
  async changeKey(newKey: string): Promise<void> {
    const url = this.#resource('keyChange');
    const other = await AcmeClient.open({ ...this.#options, accountKey: newKey });
    const payload = { account: this.accountUrl, oldKey: this.#internals.http.getJwk() };
    const inner = other.#internals.http.createSignedBody(url, payload);
    await this.#do(() => this.#internals.api.apiRequest(url, inner, [200]));
  }

  /** One page of the account's orders, and where the next one is (RFC 8555 section 7.1.2.1). */
  async orders(url: string): Promise<{ readonly urls: readonly string[]; readonly next: string | null }> {
    const { data, headers } = await this.#read(url);
    return { urls: readOrderList(data), next: linksOf(headers.link, 'next')[0] ?? null };
  }

  async newOrder({ identifiers, profile, replaces }: NewOrder): Promise<Order> {
    const data = {
      identifiers: [...identifiers],
      ...(profile === null ? {} : { profile }),
      ...(replaces === null ? {} : { replaces }),
    };
    const order = await this.#do(() => this.#client.createOrder(data));
    return readOrder(order, order.url);
  }

  async order(url: string): Promise<Polled<Order>> {
    const { data, headers } = await this.#read(url);
    return { value: readOrder(data, url), retryAfterMs: this.#options.transport.retryAfterMs(headers) };
  }

  async authorization(url: string): Promise<Polled<Authorization>> {
    const { data, headers } = await this.#read(url);
    return { value: readAuthorization(data), retryAfterMs: this.#options.transport.retryAfterMs(headers) };
  }

  /** `token.thumbprint` (RFC 8555 section 8.1). acme-client knows that form as HTTP-01's. */
  keyAuthorization(token: string): Promise<string> {
    return this.#do(() => this.#client.getChallengeKeyAuthorization({ type: 'http-01', token } as never));
  }

  /** Tells the CA to look now. */
  async respond(challenge: Challenge): Promise<void> {
    await this.#do(() => this.#client.completeChallenge(challenge as never));
  }

  /** `csr`: PEM. */
  async finalize(order: Order, csr: string): Promise<void> {
    await this.#do(() => this.#client.finalizeOrder(order as never, csr));
  }

  /** The chain as PEM, leaf first, and where the others are that the CA offers (RFC 8555 section 7.4.2). */
  async download(url: string): Promise<{ readonly certPem: string; readonly alternates: readonly string[] }> {
    const { data, headers } = await this.#read(url);
    return { certPem: typeof data === 'string' ? data : '', alternates: linksOf(headers.link, 'alternate') };
  }

  /**
   * RFC 8555 section 7.6; `der` is the leaf. Signed for the account, or, by a client that was opened without one, with
   * its key, which must be the certificate's.
   */
  async revoke(der: Buffer, reason: number): Promise<void> {
    const url = this.#resource('revokeCert');
    const payload = { certificate: der.toString('base64url'), reason };
    const options = { includeJwsKid: this.#options.accountUrl !== null };
    await this.#do(() => this.#internals.api.apiRequest(url, payload, [200], options));
  }

  #resource(name: 'keyChange' | 'revokeCert'): string {
    const url = this.directory[name];
    if (url !== undefined) return url;
    throw new PerantaraError(`cannot use the CA's directory: it has no ${name}`, {
      code: 'issuer_answer_invalid',
      source: 'issuer',
    });
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
      if (cause instanceof PerantaraError || this.#options.signal.aborted) throw cause;
      throw new PerantaraError(`cannot understand the CA: ${messageOf(cause)}`, {
        code: 'issuer_answer_invalid',
        source: 'issuer',
        retryable: true,
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

/** The targets of a Link field (RFC 8288) that have this relation; nonsense is passed over. */
function linksOf(field: string | string[] | undefined, relation: string): string[] {
  const text = Array.isArray(field) ? field.join(', ') : (field ?? '');
  return [...text.matchAll(/<([^<>]*)>((?:[^",<]|"[^"]*")*)/g)]
    .filter(([, , parameters = '']) => new RegExp(`;\\s*rel="?${relation}"?\\s*(;|$)`, 'i').test(parameters.trim()))
    .map(([, target = '']) => target)
    .filter((target) => URL.canParse(target));
}
