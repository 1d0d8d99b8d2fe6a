// Certificates from an ACME server (RFC 8555): account, order, proof by HTTP-01, download.
// Never sleeps a rate limit out and never decides when to try again; that is renewal.ts.
import type { Clock } from '../../core/clock.ts';
import { messageOf, PerantaraError } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import { type Certificate, parseCertificate } from '../certificate.ts';
import type { CertificateRequest, IssuedCertificate, Issuer, RenewalInfo } from '../issuer.ts';
import { SingleFlight } from '../single-flight.ts';
import type { Locker, Storage } from '../storage.ts';
import { type AccountCredentials, AcmeAccount } from './account.ts';
import { AcmeClient } from './client.ts';
import { type Directory, readDirectory } from './messages.ts';
import { AcmeOrder, type ChallengePresenter } from './order.ts';
import { AcmeProblem } from './problem.ts';
import { AcmeTransport } from './transport.ts';

export interface AcmeIssuerOptions {
  /** RFC 8555 section 7.1.1. */
  readonly directoryUrl: string;
  readonly email: string | null;
  /** PEM bundle that alone authenticates the server, or null for the system's roots. */
  readonly trust: string | null;
  readonly challenges: ChallengePresenter;
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
const DIRECTORY_MAX_AGE_MS = 12 * 3_600_000;

export class AcmeIssuer implements Issuer {
  readonly id: string;
  readonly name: string;
  readonly #options: AcmeIssuerOptions;
  readonly #transport: AcmeTransport;
  readonly #account: AcmeAccount;
  readonly #closed = new AbortController();
  readonly #directoryFlight = new SingleFlight<Directory>();
  readonly #accountFlight = new SingleFlight<AccountCredentials>();
  #directory: { readonly value: Directory; readonly at: number } | null = null;

  constructor(options: AcmeIssuerOptions) {
    const { directoryUrl, trust, userAgent, clock, requestTimeoutMs: timeoutMs = REQUEST_TIMEOUT_MS } = options;
    this.id = acmeIssuerId(directoryUrl);
    this.name = new URL(directoryUrl).host;
    this.#options = options;
    this.#transport = new AcmeTransport({ trust, userAgent, clock, timeoutMs });
    this.#account = new AcmeAccount({ ...options, issuerId: this.id });
  }

  async issue({ names }: CertificateRequest, signal: AbortSignal): Promise<IssuedCertificate> {
    return { certificate: await this.#issue(names, signal), challenge: null, profile: null };
  }

  async renewalInfo(): Promise<RenewalInfo | null> {
    return null;
  }

  async revoke(certificate: Certificate): Promise<void> {
    throw new PerantaraError(`cannot revoke certificate ${certificate.serial}: not supported yet`, {
      code: 'unsupported',
      source: 'internal',
    });
  }

  async #issue(names: readonly string[], signal: AbortSignal): Promise<Certificate> {
    const credentials = await this.#credentials(signal);
    try {
      return await this.#order(credentials, names, signal);
    } catch (error) {
      if (!(error instanceof AcmeProblem) || error.type !== 'accountDoesNotExist') throw error;
      this.#account.forget(credentials.url);
      return await this.#order(await this.#credentials(signal), names, signal);
    }
  }

  /** What the CA once signed it stands by; revocation is another matter. */
  async recognizes(): Promise<boolean> {
    return true;
  }

  async close(): Promise<void> {
    this.#closed.abort(new PerantaraError(`issuer "${this.name}" closed`, { code: 'closed', source: 'internal' }));
    this.#transport.close();
    await this.#accountFlight.idle();
    await this.#directoryFlight.idle();
  }

  async #order(credentials: AccountCredentials, names: readonly string[], outer: AbortSignal): Promise<Certificate> {
    const { issueTimeoutMs = ISSUE_TIMEOUT_MS, challenges } = this.#options;
    const deadline = AbortSignal.timeout(issueTimeoutMs);
    const signal = AbortSignal.any([outer, deadline]);
    const client = await this.#open(credentials.keyPem, credentials.url, signal);
    const order = new AcmeOrder(client, challenges, names, signal);
    try {
      const { certPem, keyPem } = await order.complete();
      return readIssued(names, certPem, keyPem);
    } catch (error) {
      // Addresses may have changed since the directory was read; the next order reads it again.
      this.#directory = null;
      if (!deadline.aborted || outer.aborted) throw error;
      const state = `${order.step} after ${issueTimeoutMs / 1_000} s`;
      throw new PerantaraError(
        `cannot obtain certificate for ${names.map((name) => `"${name}"`).join(', ')}: ${state}`,
        {
          code: 'issuer_timeout',
          source: 'issuer',
          retryable: true,
          cause: error,
        },
      );
    }
  }

  /** Shared by all issuances under way; ends with the issuer, not with the one that came first. */
  #credentials(signal: AbortSignal): Promise<AccountCredentials> {
    const closed = this.#closed.signal;
    const register = async (keyPem: string): Promise<string> =>
      (await this.#open(keyPem, null, closed)).register(this.#options.email);
    return this.#accountFlight.run(() => this.#account.ensure(register, closed), signal);
  }

  async #open(accountKey: string, accountUrl: string | null, signal: AbortSignal): Promise<AcmeClient> {
    const { directoryUrl } = this.#options;
    const directory = await this.#directoryFlight.run(() => this.#readDirectory(), signal);
    return AcmeClient.open({ directoryUrl, directory, accountKey, accountUrl, transport: this.#transport, signal });
  }

  async #readDirectory(): Promise<Directory> {
    const now = this.#options.clock.now();
    const age = this.#directory === null ? -1 : now - this.#directory.at;
    if (this.#directory !== null && age >= 0 && age < DIRECTORY_MAX_AGE_MS) return this.#directory.value;
    const request = { method: 'GET', body: null, idempotent: true, signal: this.#closed.signal } as const;
    const { data } = await this.#transport.request(this.#options.directoryUrl, request);
    this.#directory = { value: readDirectory(data), at: now };
    return this.#directory.value;
  }
}

function readIssued(names: readonly string[], certPem: string, keyPem: string): Certificate {
  try {
    return parseCertificate(certPem, keyPem);
  } catch (cause) {
    throw new PerantaraError(`cannot use the certificate issued for ${names.join(', ')}: ${messageOf(cause)}`, {
      code: 'certificate_unfit',
      source: 'issuer',
      cause,
    });
  }
}

/** Host, port and path of the directory: `acme-v02.api.letsencrypt.org-directory`. */
export function acmeIssuerId(directoryUrl: string): string {
  const { host, pathname } = new URL(directoryUrl);
  return `${host}${pathname}`.replace(/[^A-Za-z0-9.]+/g, '-').replace(/^[-.]+|[-.]+$/g, '');
}
