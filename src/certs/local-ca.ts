// An authority of this machine for names that no public CA certifies: a root made once, kept in storage, and leaves
// signed by it. Whoever should accept the leaves trusts the root; its place is logged when it is made.
import { createPrivateKey, createPublicKey, randomBytes, X509Certificate } from 'node:crypto';
import type { Clock } from '../core/clock.ts';
import { PerantaraError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import { type Certificate, formatBundle, parseBundle, parseCertificate } from './certificate.ts';
import type { CertificateRequest, IssuedCertificate, Issuer } from './issuer.ts';
import { generateKey } from './key.ts';
import { SingleFlight } from './single-flight.ts';
import type { Locker, Storage } from './storage/storage.ts';

export interface LocalCaOptions {
  readonly storage: Storage;
  readonly locker: Locker;
  readonly log: Logger;
  readonly clock: Clock;
}

const DAY_MS = 86_400_000;
const ROOT_LIFETIME_MS = 10 * 365 * DAY_MS;
const LEAF_LIFETIME_MS = 90 * DAY_MS;
/** A root with less left is replaced; twice a leaf's life, so that no leaf is cut short. */
const ROOT_LEAST_LEFT_MS = 2 * LEAF_LIFETIME_MS;
/** Clients whose clock is a little behind accept new certificates too. */
const BACKDATE_MS = 3_600_000;

/** Its folder in storage. */
export const LOCAL_CA_ID = 'local';
/** The truth: key and certificate in one file. */
const BUNDLE = 'local-ca/bundle.pem';
/** The certificate alone, to be trusted and handed around. */
export const LOCAL_ROOT = 'local-ca/root.pem';

export class LocalCa implements Issuer {
  readonly id = LOCAL_CA_ID;
  readonly name = 'local CA';
  readonly #options: LocalCaOptions;
  readonly #closed = new AbortController();
  readonly #flight = new SingleFlight<Certificate>();
  #root: Certificate | null = null;

  constructor(options: LocalCaOptions) {
    this.#options = options;
  }

  /** Where the root certificate lies (PEM), once there is one. */
  get rootPath(): string {
    return this.#options.storage.locate(LOCAL_ROOT);
  }

  /** The root, made now if there is none that lives long enough. */
  ensureRoot(signal: AbortSignal): Promise<Certificate> {
    return this.#flight.run(() => this.#ensureRoot(), signal);
  }

  async issue({ names }: CertificateRequest, signal: AbortSignal): Promise<IssuedCertificate> {
    const root = await this.ensureRoot(signal);
    const keyPem = await generateKey();
    // Loaded when first needed: most installations never ask.
    const { mintCertificate } = await import('./mint.ts');
    const now = this.#options.clock.now();
    const notAfter = Math.min(now + LEAF_LIFETIME_MS, root.notAfter);
    const template = { subject: names[0]!, names, authority: false, notBefore: now - BACKDATE_MS, notAfter };
    const signer = { subject: root.issuer, key: createPrivateKey(root.keyPem) };
    const certificate = parseCertificate(mintCertificate(template, createPublicKey(keyPem), signer), keyPem);
    return { certificate, challenge: null, profile: null };
  }

  /** Its leaves end when its root does, or when they are due: it never wants one back earlier. */
  async renewalInfo(): Promise<null> {
    return null;
  }

  async revoke(): Promise<void> {
    throw new PerantaraError('cannot revoke a certificate of the local CA: nobody would hear of it', {
      code: 'unsupported',
      source: 'operator',
    });
  }

  async recognizes(certificate: Certificate): Promise<boolean> {
    this.#root ??= await this.#loadRoot();
    if (this.#root === null) return false;
    const [leaf, root] = [new X509Certificate(certificate.certPem), new X509Certificate(this.#root.certPem)];
    return leaf.checkIssued(root) && leaf.verify(root.publicKey);
  }

  async close(): Promise<void> {
    this.#closed.abort(new PerantaraError('local CA closed', { code: 'closed', source: 'internal' }));
    await this.#flight.idle();
  }

  async #ensureRoot(): Promise<Certificate> {
    if (this.#isFit(this.#root)) return this.#root;
    const lock = await this.#options.locker.acquire('local-ca', this.#closed.signal);
    try {
      this.#root = await this.#loadRoot();
      if (!this.#isFit(this.#root)) this.#root = await this.#makeRoot();
      await this.#writeCopy(this.#root);
      return this.#root;
    } finally {
      await lock.release();
    }
  }

  async #makeRoot(): Promise<Certificate> {
    const { storage, log, clock } = this.#options;
    const keyPem = await generateKey();
    const { mintCertificate } = await import('./mint.ts');
    // The suffix tells roots apart in lists of authorities.
    const subject = `Perantara Local Root ${randomBytes(3).toString('hex')}`;
    const now = clock.now();
    const period = { notBefore: now - BACKDATE_MS, notAfter: now + ROOT_LIFETIME_MS };
    const template = { subject, names: [], authority: true, ...period };
    const key = createPrivateKey(keyPem);
    const root = parseCertificate(mintCertificate(template, createPublicKey(keyPem), { subject, key }), keyPem);
    await storage.store(BUNDLE, formatBundle(root));
    log.info(
      { file: this.rootPath, trust: `perantara certs trust, or curl --cacert ${this.rootPath} …` },
      'local root certificate created',
    );
    return root;
  }

  async #loadRoot(): Promise<Certificate | null> {
    const { storage, log } = this.#options;
    const bundle = await storage.load(BUNDLE);
    if (bundle === null) return null;
    try {
      return parseBundle(bundle);
    } catch (error) {
      log.error({ file: storage.locate(BUNDLE), err: error }, 'local root unreadable');
      await storage.move(BUNDLE, `${BUNDLE}.bad`);
      return null;
    }
  }

  async #writeCopy(root: Certificate): Promise<void> {
    const { storage } = this.#options;
    if ((await storage.load(LOCAL_ROOT)) !== root.certPem) await storage.store(LOCAL_ROOT, root.certPem);
  }

  #isFit(root: Certificate | null): root is Certificate {
    return root !== null && root.notAfter - this.#options.clock.now() > ROOT_LEAST_LEFT_MS;
  }
}
