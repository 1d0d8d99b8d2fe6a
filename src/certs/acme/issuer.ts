// Certificates from an ACME server (RFC 8555): account, order, proof, download; renewal information and revocation.
// Never sleeps a rate limit out and never decides when to try again; that is renewal.ts.
import { X509Certificate } from 'node:crypto';
import type { Clock } from '../../core/clock.ts';
import { PerantaraError } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { Certificate } from '../certificate.ts';
import type { ChallengeSolver } from '../challenges/challenge-solver.ts';
import type { CertificateRequest, IssuedCertificate, Issuer, RenewalInfo, RevocationReason } from '../issuer.ts';
import { SingleFlight } from '../single-flight.ts';
import type { Locker, Storage } from '../storage/storage.ts';
import { type AccountCredentials, type AccountRegistrar, AcmeAccount } from './account.ts';
import { AcmeClient, type ExternalBinding } from './client.ts';
import { DirectoryCache } from './directory-cache.ts';
import { Issuance } from './issuance.ts';
import { saysAccountClosed, saysMoved } from './objections.ts';
import { digestOf, OrderJournal } from './order-journal.ts';
import { AcmeProblem } from './problem.ts';
import { chooseProfile } from './profile.ts';
import { askRenewalInfo } from './renewal-info.ts';
import { AcmeTransport } from './transport.ts';

export interface AcmeIssuerOptions {
  /** RFC 8555 section 7.1.1. */
  readonly directoryUrl: string;
  readonly email: string | null;
  /** PEM bundle that alone authenticates the server, or null for the system's roots. */
  readonly trust: string | null;
  /** External account binding (RFC 8555 section 7.3.4). Default none. */
  readonly binding?: ExternalBinding | null;
  /** Common name of an issuer in the chain that clients should see. Default the CA's choice. */
  readonly preferredChain?: string | null;
  /** The ways to prove names here, one for each type at most. */
  readonly solvers: readonly ChallengeSolver[];
  readonly storage: Storage;
  readonly locker: Locker;
  readonly log: Logger;
  readonly clock: Clock;
  /** `perantara/1.2.3` */
  readonly userAgent: string;
  /** One HTTP exchange. Default 30 s. */
  readonly requestTimeoutMs?: number;
  /** From the order to the chain. Default 5 min. */
  readonly issueTimeoutMs?: number;
}

const REQUEST_TIMEOUT_MS = 30_000;
const ISSUE_TIMEOUT_MS = 5 * 60_000;
/** RFC 5280 section 5.3.1. */
const REASON_CODES: Readonly<Record<RevocationReason, number>> = {
  unspecified: 0,
  keyCompromise: 1,
  superseded: 4,
  cessationOfOperation: 5,
};

export class AcmeIssuer implements Issuer {
  readonly id: string;
  readonly name: string;
  readonly #options: AcmeIssuerOptions;
  readonly #transport: AcmeTransport;
  readonly #directories: DirectoryCache;
  readonly #account: AcmeAccount;
  readonly #journal: OrderJournal;
  readonly #closed = new AbortController();
  readonly #accountFlight = new SingleFlight<AccountCredentials>();
  /** Profiles that were warned about. */
  readonly #warned = new Set<string>();

  constructor(options: AcmeIssuerOptions) {
    const { directoryUrl, trust, userAgent, clock, requestTimeoutMs: timeoutMs = REQUEST_TIMEOUT_MS } = options;
    this.id = acmeIssuerId(directoryUrl);
    this.name = new URL(directoryUrl).host;
    this.#options = options;
    this.#transport = new AcmeTransport({ trust, userAgent, clock, timeoutMs });
    this.#directories = new DirectoryCache(directoryUrl, this.#transport, clock, this.#closed.signal);
    this.#account = new AcmeAccount({ ...options, issuerId: this.id });
    this.#journal = new OrderJournal({ ...options, issuerId: this.id });
  }

  /** One order at a time for the same names: a CA may give the same pending order to whoever asks for them. */
  async issue(request: CertificateRequest, outer: AbortSignal): Promise<IssuedCertificate> {
    const lock = await this.#options.locker.acquire(`orders/${this.id}/${digestOf(request.names)}`, outer);
    try {
      const signal = AbortSignal.any([outer, lock.lost]);
      return await this.#current(signal, () =>
        this.#withAccount(signal, (account) => this.#issue(account, request, signal)),
      );
    } finally {
      await lock.release();
    }
  }

  async renewalInfo(certificate: Certificate, signal: AbortSignal): Promise<RenewalInfo | null> {
    return this.#current(signal, async () => {
      const { renewalInfo: base } = await this.#directories.read(signal);
      return base === undefined ? null : askRenewalInfo(base, certificate, this.#transport, signal);
    });
  }

  /** With the account that ordered it, else with its own key, which any CA accepts (RFC 8555 section 7.6). */
  async revoke(certificate: Certificate, reason: RevocationReason, signal: AbortSignal): Promise<void> {
    const der = new X509Certificate(certificate.certPem).raw;
    const code = REASON_CODES[reason];
    const byKey = async (): Promise<void> => (await this.#open(certificate.keyPem, null, signal)).revoke(der, code);
    try {
      // The key alone proves that the key is in wrong hands.
      if (reason === 'keyCompromise') await byKey();
      else
        await this.#withAccount(signal, async ({ keyPem, url }) =>
          (await this.#open(keyPem, url, signal)).revoke(der, code),
        );
    } catch (error) {
      if (isRevoked(error)) return;
      if (!(error instanceof AcmeProblem) || error.type !== 'unauthorized' || reason === 'keyCompromise') throw error;
      await byKey().catch((cause: unknown) => {
        if (!isRevoked(cause)) throw cause;
      });
    }
  }

  /** Gives the account a new key (RFC 8555 section 7.3.5). Rejects with a PerantaraError; the old key then stays. */
  async rollOver(signal: AbortSignal): Promise<void> {
    await this.#account.rollOver(this.#registrar(signal), signal);
  }

  /** What the CA once signed it stands by; revocation is another matter. */
  async recognizes(): Promise<boolean> {
    return true;
  }

  async close(): Promise<void> {
    this.#closed.abort(new PerantaraError(`issuer "${this.name}" closed`, { code: 'closed', source: 'internal' }));
    this.#transport.close();
    await this.#accountFlight.idle();
    await this.#directories.idle();
  }

  async #issue(
    { keyPem, url }: AccountCredentials,
    request: CertificateRequest,
    outer: AbortSignal,
  ): Promise<IssuedCertificate> {
    const { issueTimeoutMs = ISSUE_TIMEOUT_MS, preferredChain = null } = this.#options;
    const deadline = AbortSignal.timeout(issueTimeoutMs);
    const signal = AbortSignal.any([outer, deadline]);
    const client = await this.#open(keyPem, url, signal);
    const profile = this.#chooseProfile(client, request);
    const journal = this.#journal;
    const services = { ...this.#options, client, journal, preferredChain, signal };
    const issuance = new Issuance(request, profile, services);
    try {
      return await issuance.run();
    } catch (error) {
      // Addresses may have changed since the directory was read; the next order reads it again.
      this.#directories.forget();
      if (!deadline.aborted || outer.aborted) throw error;
      const names = request.names.map((name) => `"${name}"`).join(', ');
      const state = `${issuance.step} after ${issueTimeoutMs / 1_000} s`;
      throw new PerantaraError(`cannot obtain certificate for ${names}: ${state}`, {
        code: 'issuer_timeout',
        source: 'issuer',
        retryable: true,
        cause: error,
      });
    }
  }

  #chooseProfile({ directory }: AcmeClient, { profile, names }: CertificateRequest): string | null {
    const { ordered, unknown } = chooseProfile(profile, names, directory, this.name);
    if (unknown !== null && !this.#warned.has(unknown.profile)) {
      this.#warned.add(unknown.profile);
      this.#options.log.warn({ issuer: this.name, ...unknown }, 'profile not offered, ordered without');
    }
    return ordered;
  }

  /** Once more with the directory as it is now, if what was kept of it led nowhere. */
  async #current<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const kept = this.#directories.peek();
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      if (kept === null || !saysMoved(error) || !(await this.#directories.changed(kept, signal))) throw error;
      return await work();
    }
  }

  /** An account that the CA has lost is registered again, one that it has closed is replaced: each once. */
  async #withAccount<T>(signal: AbortSignal, work: (account: AccountCredentials) => Promise<T>): Promise<T> {
    let lost = false;
    let closed = false;
    for (;;) {
      const credentials = await this.#credentials(signal);
      try {
        return await work(credentials);
      } catch (error) {
        if (!lost && error instanceof AcmeProblem && error.type === 'accountDoesNotExist') {
          lost = true;
          this.#account.forget(credentials.url);
        } else if (!closed && saysAccountClosed(error)) {
          closed = true;
          this.#account.retire(credentials);
        } else throw error;
      }
    }
  }

  /** Shared by all issuances under way; ends with the issuer, not with the one that came first. */
  #credentials(signal: AbortSignal): Promise<AccountCredentials> {
    const closed = this.#closed.signal;
    return this.#accountFlight.run(() => this.#account.ensure(this.#registrar(closed), closed), signal);
  }

  #registrar(signal: AbortSignal): AccountRegistrar {
    const { email, binding = null } = this.#options;
    return {
      register: async (keyPem) => {
        const client = await this.#open(keyPem, null, signal);
        if (binding === null && client.directory.meta?.externalAccountRequired === true) throw unbound(this.name);
        return client.register(email);
      },
      find: async (keyPem) => (await this.#open(keyPem, null, signal)).find(),
      changeKey: async ({ keyPem, url }, newKey) => (await this.#open(keyPem, url, signal)).changeKey(newKey),
    };
  }

  async #open(accountKey: string, accountUrl: string | null, signal: AbortSignal): Promise<AcmeClient> {
    const { directoryUrl, binding = null } = this.#options;
    const directory = await this.#directories.read(signal);
    const transport = this.#transport;
    return AcmeClient.open({ directoryUrl, directory, accountKey, accountUrl, binding, transport, signal });
  }
}

function isRevoked(error: unknown): boolean {
  return error instanceof AcmeProblem && error.type === 'alreadyRevoked';
}

function unbound(ca: string): PerantaraError {
  return new PerantaraError(
    `cannot register an account at "${ca}": it wants to know whose it is; set "acme.binding" to the key id and HMAC key that it gave you`,
    { code: 'binding_missing', source: 'operator' },
  );
}

/** Host, port and path of the directory: `acme-v02.api.letsencrypt.org-directory`. */
export function acmeIssuerId(directoryUrl: string): string {
  const { host, pathname } = new URL(directoryUrl);
  return `${host}${pathname}`.replace(/[^A-Za-z0-9.]+/g, '-').replace(/^[-.]+|[-.]+$/g, '');
}
