// A worker's copy of what the primary publishes: certificates, challenges, and which names it may be asked for. Handshakes read it.
import type { SecureContextOptions } from 'node:tls';
import type { Announcement } from '../certs/announcement.ts';
import { AlpnContexts } from '../certs/challenges/alpn-contexts.ts';
import { ChallengeTokens } from '../certs/challenges/challenge-tokens.ts';
import { type CertificatePart, CertificateResolver, type ServedCertificate } from '../certs/resolver.ts';
import type { Logger } from '../core/log.ts';
import type { CertificateSource } from '../server/certificate-source.ts';
import { DemandMirror } from './demand-mirror.ts';

export interface CertificateMirrorOptions {
  readonly contextOptions: SecureContextOptions;
  readonly log: Logger;
  /** Resolves when the certificate has been announced, or there will be none. */
  readonly demand: (servername: string, address: string) => Promise<void>;
  /** Never rejects. */
  readonly findToken: (host: string, token: string) => Promise<string | null>;
}

export class CertificateMirror implements CertificateSource {
  readonly resolver: CertificateResolver;
  readonly challenges: ChallengeTokens;
  readonly alpnChallenges: AlpnContexts;
  /** Whether the configuration in force has certificates on demand. */
  isOnDemand = false;
  readonly #demand: DemandMirror;
  /** By part: one value, and so one secure context, for a certificate that many patterns have, which come one after the other. */
  readonly #last: [ServedCertificate | null, ServedCertificate | null] = [null, null];

  constructor({ contextOptions, log, demand, findToken }: CertificateMirrorOptions) {
    this.resolver = new CertificateResolver({ contextOptions, log });
    this.challenges = new ChallengeTokens({ put: async () => {}, remove: async () => {}, find: findToken });
    this.alpnChallenges = new AlpnContexts(contextOptions);
    this.#demand = new DemandMirror(this.resolver, demand);
  }

  get onDemand(): DemandMirror | null {
    return this.isOnDemand ? this.#demand : null;
  }

  /** At once: announcements count in the order in which they come. */
  take(announcement: Announcement): void {
    switch (announcement.kind) {
      case 'certificate': {
        const { pattern, part, certificate } = announcement;
        if (certificate === null) this.resolver.withdraw(pattern, part);
        else this.resolver.restore(pattern, this.#known(certificate, part), part);
        return;
      }
      case 'token': {
        const { host, token, answer } = announcement;
        if (answer === null) void this.challenges.cleanUp(host, token);
        else void this.challenges.present(host, token, answer);
        return;
      }
      case 'alpn': {
        const { name, certificate } = announcement;
        if (certificate === null) this.alpnChallenges.hide(name);
        else this.alpnChallenges.show(name, certificate);
        return;
      }
      case 'stored':
        this.#demand.learn(announcement);
    }
  }

  #known(certificate: ServedCertificate, part: CertificatePart): ServedCertificate {
    const last = this.#last[part];
    if (last?.certPem === certificate.certPem && last.keyPem === certificate.keyPem) return last;
    this.#last[part] = certificate;
    return certificate;
  }
}
