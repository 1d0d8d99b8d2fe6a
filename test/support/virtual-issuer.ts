// The CA of virtual-ca.ts as an Issuer that hands out real certificates, for the real actor in virtual time.
import { AcmeProblem } from '../../src/certs/acme/problem.ts';
import type { Certificate } from '../../src/certs/certificate.ts';
import type { CertificateRequest, IssuedCertificate, Issuer, RenewalInfo } from '../../src/certs/issuer.ts';
import { PerantaraError } from '../../src/core/errors.ts';
import { makeAuthority, mint } from './minted.ts';
import { type VirtualCa, VirtualProblem } from './virtual-ca.ts';

export class VirtualIssuer implements Issuer {
  readonly id = 'virtual';
  readonly name = 'Virtual CA';
  readonly #root = makeAuthority();
  readonly #ca: VirtualCa;
  readonly #trueNow: () => number;
  /** Fingerprint → the CA's id. */
  readonly #ids = new Map<string, string>();

  constructor(ca: VirtualCa, trueNow: () => number) {
    this.#ca = ca;
    this.#trueNow = trueNow;
  }

  async issue({ names, keyType, profile, replaces }: CertificateRequest): Promise<IssuedCertificate> {
    const follows = replaces === null ? null : (this.#ids.get(replaces.fingerprint) ?? null);
    const order = { names, keyType, profile: profile?.name ?? null, replaces: follows };
    const issued = asked(() => this.#ca.issue(order, this.#trueNow()));
    const certificate = mint(names, this.#root, issued);
    this.#ids.set(certificate.fingerprint, issued.id);
    return { certificate, challenge: 'http-01', profile: order.profile };
  }

  async renewalInfo({ fingerprint }: Certificate): Promise<RenewalInfo | null> {
    return asked(() => this.#ca.renewalInfo(this.#ids.get(fingerprint)!, this.#trueNow()));
  }

  async recognizes(): Promise<boolean> {
    return true;
  }

  async revoke({ fingerprint }: Certificate): Promise<void> {
    this.#ca.revoke(this.#ids.get(fingerprint)!);
  }

  async close(): Promise<void> {}
}

/** Problems as AcmeIssuer tells them. */
function asked<T>(ask: () => T): T {
  try {
    return ask();
  } catch (error) {
    if (!(error instanceof VirtualProblem)) throw error;
    const { judged, retryAfterMs, message, identifiers } = error;
    if (!judged && message !== '503')
      throw new PerantaraError(`cannot reach the CA: ${message}`, { code: 'issuer_unreachable', source: 'issuer' });
    const subproblems = identifiers.map((identifier) => ({ type: 'dns', detail: message, identifier }));
    const [type, status] = !judged ? ['', 503] : message.startsWith('429') ? ['rateLimited', 429] : ['dns', 400];
    throw new AcmeProblem('order', {
      type: `${type}`,
      status: Number(status),
      detail: message,
      subproblems,
      retryAfterMs,
    });
  }
}
