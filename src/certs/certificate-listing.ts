// Lists every certificate of a configuration for whoever asks how they fare, one after another: those that are kept from memory, the
// operator's own files from what is served of them.
import type { SiteConfig } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';
import { parseCertificate } from './certificate.ts';
import type { PlannedCertificate } from './certificate-plan.ts';
import { type CertificateStatus, statusOf, suppliedStatus } from './certificate-status.ts';
import { type CertificateGauges, gaugesOf } from './events/gauges.ts';
import type { CertificateManager } from './manager.ts';
import type { CertificateResolver, ServedCertificate } from './resolver.ts';

/** By the first host. */
type Planned = ReadonlyMap<string, readonly PlannedCertificate[]>;

export class CertificateListing {
  readonly #manager: Pick<CertificateManager, 'find'>;
  readonly #resolver: Pick<CertificateResolver, 'servedFor'>;
  readonly #clock: Clock;
  /** Each is parsed once. */
  readonly #supplied = new WeakMap<ServedCertificate, CertificateGauges>();

  constructor(
    manager: Pick<CertificateManager, 'find'>,
    resolver: Pick<CertificateResolver, 'servedFor'>,
    clock: Clock,
  ) {
    this.#manager = manager;
    this.#resolver = resolver;
    this.#clock = clock;
  }

  *statuses(sites: readonly SiteConfig[], all: Planned): Generator<CertificateStatus> {
    for (const site of sites) {
      if (site.tls.kind === 'supplied')
        yield suppliedStatus(
          { ...site, tls: { ...site.tls, ...this.#resolver.servedFor(site.host) } },
          this.#clock.now(),
        );
      else
        for (const planned of all.get(site.host) ?? []) {
          const certificate = this.#manager.find(planned.name);
          if (certificate === null) continue;
          const authorities = certificate.wish.issuers.map(({ authority }) => authority);
          const budgetOf = (issuerId: string): CertificateStatus['budget'] =>
            authorities.find(({ id }) => id === issuerId)?.ledger?.left(planned.names) ?? [];
          yield statusOf(planned, certificate.holdings, { onDemand: false, budgetOf, now: this.#clock.now() });
        }
    }
  }

  *gauges(sites: readonly SiteConfig[], planned: Planned): Generator<CertificateGauges> {
    for (const { host, tls } of sites) {
      const served = tls.kind === 'supplied' ? this.#resolver.servedFor(host) : null;
      if (served !== null) yield this.#ofSupplied(host, served);
      if (tls.kind === 'supplied') continue;
      for (const { name } of planned.get(host) ?? []) {
        const certificate = this.#manager.find(name);
        if (certificate !== null) yield gaugesOf(certificate, this.#clock.now());
      }
    }
  }

  #ofSupplied(host: string, served: ServedCertificate): CertificateGauges {
    const known = this.#supplied.get(served);
    if (known?.name === host) return known;
    const gauges = suppliedGauges(host, served);
    this.#supplied.set(served, gauges);
    return gauges;
  }
}

function suppliedGauges(name: string, { certPem, keyPem }: ServedCertificate): CertificateGauges {
  const { names, issuer, notBefore, notAfter } = parseCertificate(certPem, keyPem);
  return {
    ...{ name, names, issuer, notBefore, notAfter },
    lastSuccessAt: null,
    failures: 0,
    lastError: null,
    nextTurnAt: null,
    waitingFor: null,
    window: null,
    budget: [],
  };
}
