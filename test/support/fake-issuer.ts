// An Issuer that a test directs, and a publisher that a test can wait for.
import type { Certificate } from '../../src/certs/certificate.ts';
import type { CertificatePublisher } from '../../src/certs/certificate-publisher.ts';
import type { CertificateRequest, IssuedCertificate, Issuer, RenewalInfo } from '../../src/certs/issuer.ts';
import type { ChallengeType } from '../../src/config/config.ts';

export type Issue = (name: string, signal: AbortSignal, request: CertificateRequest) => Promise<Certificate>;

export class FakeIssuer implements Issuer {
  readonly id: string;
  readonly name: string;
  /** The first names asked for so far, and the whole requests. */
  readonly asked: string[] = [];
  readonly requests: CertificateRequest[] = [];
  /** Asked for a renewal window so far: serial numbers. */
  readonly windowsAsked: string[] = [];
  window: (certificate: Certificate) => Promise<RenewalInfo | null> = async () => null;
  /** What proved the names. */
  challenge: ChallengeType | null = null;
  closed = false;
  recognizing = true;
  issueOne: Issue;
  /** What it says that it ordered. */
  profileFor: (request: CertificateRequest) => string | null = () => null;
  readonly #changed = new Changes();

  constructor(issueOne: Issue, id = 'fake', name = 'Fake CA') {
    this.issueOne = issueOne;
    this.id = id;
    this.name = name;
  }

  async issue(request: CertificateRequest, signal: AbortSignal): Promise<IssuedCertificate> {
    const name = request.names[0]!;
    this.asked.push(name);
    this.requests.push(request);
    this.#changed.tell();
    return {
      certificate: await this.issueOne(name, signal, request),
      challenge: this.challenge,
      profile: this.profileFor(request),
    };
  }

  async renewalInfo(certificate: Certificate): Promise<RenewalInfo | null> {
    this.windowsAsked.push(certificate.serial);
    return this.window(certificate);
  }

  async revoke(): Promise<void> {}

  async recognizes(): Promise<boolean> {
    return this.recognizing;
  }

  async close(): Promise<void> {
    this.closed = true;
  }

  /** Resolves when it has been asked so many times. */
  async askedTimes(count: number): Promise<void> {
    while (this.asked.length < count) await this.#changed.next();
  }
}

export class RecordingPublisher implements CertificatePublisher {
  /** Without the second publication of what was restored, which only checks it. */
  readonly published: { readonly pattern: string; readonly certificate: Certificate }[] = [];
  readonly withdrawn: string[] = [];
  refuse: (pattern: string) => boolean = () => false;
  readonly #unchecked = new Map<string, string>();
  readonly #changed = new Changes();

  publish(pattern: string, certificate: Certificate): void {
    const restored = this.#unchecked.get(pattern);
    this.#unchecked.delete(pattern);
    if (this.refuse(pattern)) throw new Error('refused');
    if (restored !== certificate.fingerprint) this.#record(pattern, certificate);
  }

  restore(pattern: string, certificate: Certificate): void {
    this.#unchecked.set(pattern, certificate.fingerprint);
    this.#record(pattern, certificate);
  }

  withdraw(pattern: string): void {
    this.withdrawn.push(pattern);
  }

  names(): string[] {
    return this.published.map(({ pattern }) => pattern);
  }

  #record(pattern: string, certificate: Certificate): void {
    this.published.push({ pattern, certificate });
    this.#changed.tell();
  }

  /** Resolves when so many certificates have been published. */
  async times(count: number): Promise<void> {
    while (this.published.length < count) await this.#changed.next();
  }
}

/** Wakes whoever waits at each change. */
export class Changes {
  #wait = Promise.withResolvers<void>();

  tell(): void {
    const { resolve } = this.#wait;
    this.#wait = Promise.withResolvers<void>();
    resolve();
  }

  next(): Promise<void> {
    return this.#wait.promise;
  }
}
