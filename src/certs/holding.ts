// What is held of one issuer for one name: the certificate and the state in their folder, and what is known about both.
// Reads and writes; decides nothing, asks the issuer for nothing but whether it knows the certificate.
import type { KeyType, ProfileChoice } from '../config/config.ts';
import type { Authority } from './authority.ts';
import { type Certificate, keyTypeOf } from './certificate.ts';
import type { RenewalFacts } from './renewal/renewal.ts';
import { type CertificateState, FRESH_STATE } from './storage/certificate-state.ts';
import { type CertificateStore, certificateFolder } from './storage/certificate-store.ts';
import type { ChangeJournal } from './storage/change-journal.ts';
import type { CompromisedKeys } from './storage/compromised-keys.ts';
import type { Lock } from './storage/storage.ts';

export interface HoldingOptions {
  readonly name: string;
  readonly issuerId: string;
  /** null: an issuer that is no longer allowed; what it once issued is served until there is something better. */
  readonly authority: Authority | null;
  readonly profile: ProfileChoice | null;
  readonly store: CertificateStore;
  readonly journal: ChangeJournal;
  readonly compromised: CompromisedKeys;
}

const LONGEST_WAIT_MS = 8 * 86_400_000;
/** What no longer holds once there is another certificate: a new one that was asked for is there. */
const NEW_CERTIFICATE = { fingerprint: null, issued: null, window: null, failedCheck: null, requestedAt: null };

export class Holding {
  readonly issuerId: string;
  readonly authority: Authority | null;
  readonly profile: ProfileChoice | null;
  readonly #options: HoldingOptions;
  #certificate: Certificate | null = null;
  #state: CertificateState = FRESH_STATE;
  #keyType: KeyType | null | undefined;
  #recognized = true;
  /** Fingerprint of what lies in storage, or null. */
  #stored: string | null = null;
  /** Fingerprint of a certificate that cannot be served. */
  #refused: string | null = null;

  constructor(options: HoldingOptions) {
    this.issuerId = options.issuerId;
    this.authority = options.authority;
    this.profile = options.profile;
    this.#options = options;
  }

  get certificate(): Certificate | null {
    return this.#certificate;
  }

  get state(): CertificateState {
    return this.#state;
  }

  /** Reads without a lock and mends nothing. Rejects when storage cannot be read. */
  async read(): Promise<void> {
    const { store, name } = this.#options;
    this.#state = await store.loadState(this.issuerId, name);
    await this.#take(await store.read(this.issuerId, name));
  }

  /** Reads under the lock, and mends what a crash left. */
  async load(): Promise<void> {
    const { store, name } = this.#options;
    const certificate = await store.load(this.issuerId, name);
    this.#state = await store.loadState(this.issuerId, name);
    await this.#take(certificate);
  }

  /** Holds a certificate that was obtained and is not stored yet. */
  hold(certificate: Certificate, now: number): void {
    const { fingerprint } = certificate;
    this.#certificate = certificate;
    this.#keyType = undefined;
    this.#recognized = true;
    this.#state = { ...this.#state, fingerprint, obtainedAt: now, issued: null, window: null, failedCheck: null };
  }

  /** Stores what is held. Rejects with `lock_lost` when another process has taken over. */
  async save(certificate: Certificate, lock: Lock): Promise<void> {
    const { store, journal, name } = this.#options;
    await store.save(this.issuerId, name, certificate, { lock, replacing: this.#stored });
    this.#stored = certificate.fingerprint;
    await journal.note(certificateFolder(this.issuerId, name));
  }

  /** Remembers in memory whatever happens; rejects when it cannot be stored, or no longer may be. */
  async remember(change: Partial<CertificateState>, lock: Lock | null): Promise<void> {
    this.#state = { ...this.#state, ...change };
    if (lock === null) return;
    await lock.assertHeld();
    await this.#options.store.saveState(this.issuerId, this.#options.name, this.#state);
  }

  /** OpenSSL does not take what is held. */
  refuse(): void {
    this.#refused = this.#certificate?.fingerprint ?? null;
  }

  get refused(): boolean {
    return this.#certificate !== null && this.#certificate.fingerprint === this.#refused;
  }

  /** Whether it may be served for as long as there is nothing newer. */
  usable(now: number): boolean {
    const certificate = this.#certificate;
    return certificate !== null && !this.refused && this.#recognized && now < certificate.notAfter && !this.compromised;
  }

  get compromised(): boolean {
    return this.#certificate !== null && this.#options.compromised.has(this.#certificate);
  }

  /** Until when the issuer's budget lets no order pass; 0 when it does. A wait that no limit could ask for counts for nothing. */
  waitsUntil(now: number): number {
    const { waiting } = this.#state;
    return waiting === null || waiting.at - now > LONGEST_WAIT_MS ? 0 : waiting.at;
  }

  /** When what is held was obtained, as well as it is known; 0 without a certificate. */
  get since(): number {
    return this.#certificate === null ? 0 : Math.max(this.#state.obtainedAt ?? 0, this.#certificate.notBefore);
  }

  /** Of what is held; null: some other key, or nothing held. */
  get keyType(): KeyType | null {
    if (this.#keyType === undefined) this.#keyType = this.#certificate === null ? null : keyTypeOf(this.#certificate);
    return this.#keyType;
  }

  /** null without a certificate that can be served. */
  facts(): RenewalFacts | null {
    const certificate = this.#certificate;
    if (certificate === null || this.refused) return null;
    const { issued, window } = this.#state;
    return {
      names: certificate.names,
      notBefore: certificate.notBefore,
      notAfter: certificate.notAfter,
      issuerId: this.issuerId,
      keyType: this.keyType,
      // Nobody remembers how an old one was ordered: then as it would be today.
      profile: issued === null ? (this.profile?.name ?? null) : issued.wishedProfile,
      recognized: this.#recognized,
      compromised: this.compromised,
      window,
      requested: false,
    };
  }

  async #take(certificate: Certificate | null): Promise<void> {
    this.#certificate = certificate;
    this.#keyType = undefined;
    this.#stored = certificate?.fingerprint ?? null;
    const about = this.#state.fingerprint;
    // A process that died between storing the two left a state that is about the certificate before.
    if (about !== null && about !== this.#stored) this.#state = { ...this.#state, ...NEW_CERTIFICATE };
    this.#recognized = certificate === null || (await this.authority?.issuer.recognizes(certificate)) !== false;
  }
}

/** An issuer that is down comes last. */
export function byHealth(holdings: readonly Holding[]): readonly Holding[] {
  return holdings.toSorted((a, b) => Number(b.authority!.healthy) - Number(a.authority!.healthy));
}
