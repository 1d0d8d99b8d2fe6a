// The certificates at a glance, for whoever looks every second: counted, those in trouble, and one for each host. Gone through
// piece by piece with other work between, and the less often the longer that takes.
import { setImmediate } from 'node:timers/promises';
import type { CertificateStatus } from '../certs/certificate-status.ts';
import { monotonicMs } from '../core/clock.ts';
import type { AdminServices } from './admin-services.ts';
import { MAX_TROUBLES, SUPPLIED_MS } from './troubles.ts';

export interface CertificateOverview {
  readonly counts: Readonly<Record<CertificateStatus['state'], number>>;
  /** Those that need somebody, worst first, at most MAX_TROUBLES; how many there are tell `counts`. */
  readonly troubled: readonly CertificateStatus[];
  /** That of a site; of several the one that fares worst. */
  readonly byHost: ReadonlyMap<string, HostCertificate>;
}

export interface HostCertificate {
  readonly state: CertificateStatus['state'];
  readonly notAfter: number | null;
  readonly issuer: string | null;
  /** Valid, and ends soon: it is the operator's to replace. */
  readonly endsSoon: boolean;
}

/** Elements read before others may work. */
const BATCH = 32;
const FRESH_MS = 1_000;
/** At most one part in so many of the time is spent on it. */
const SHARE = 50;
const MAX_FRESH_MS = 30_000;

const WORST_FIRST: readonly CertificateStatus['state'][] = ['expired', 'missing', 'failing', 'valid'];

export class CertificateDigest {
  readonly #services: Pick<AdminServices, 'certificates' | 'clock'>;
  #latest: Promise<CertificateOverview> | null = null;
  #freshUntilMs = 0;

  constructor(services: Pick<AdminServices, 'certificates' | 'clock'>) {
    this.#services = services;
  }

  /** As it was a moment ago. */
  read(): Promise<CertificateOverview> {
    if (this.#latest === null || monotonicMs() >= this.#freshUntilMs) {
      this.#freshUntilMs = Number.POSITIVE_INFINITY; // while it is read
      this.#latest = this.#read();
    }
    return this.#latest;
  }

  async #read(): Promise<CertificateOverview> {
    const beganMs = monotonicMs();
    try {
      const overview = await this.#goThrough();
      const endedMs = monotonicMs();
      this.#freshUntilMs = endedMs + Math.min(MAX_FRESH_MS, Math.max(FRESH_MS, (endedMs - beganMs) * SHARE));
      return overview;
    } catch (error) {
      this.#freshUntilMs = 0;
      throw error;
    }
  }

  async #goThrough(): Promise<CertificateOverview> {
    const now = this.#services.clock.now();
    const counts = { valid: 0, failing: 0, missing: 0, expired: 0 };
    const troubled: CertificateStatus[] = [];
    const byHost = new Map<string, HostCertificate>();
    let count = 0;
    for (const status of this.#services.certificates()) {
      const { state, notAfter, issuer, source, names } = status;
      counts[state]++;
      const endsSoon = source === 'supplied' && notAfter !== null && notAfter - now < SUPPLIED_MS;
      if (state !== 'valid' || endsSoon) troubled.push(status);
      for (const name of names) {
        const known = byHost.get(name);
        if (known === undefined || isWorse(status, known)) byHost.set(name, { state, notAfter, issuer, endsSoon });
      }
      if (++count % BATCH === 0) await setImmediate();
    }
    troubled.sort((a, b) => (isWorse(a, b) ? -1 : isWorse(b, a) ? 1 : 0));
    return { counts, troubled: troubled.slice(0, MAX_TROUBLES), byHost };
  }
}

type Judged = Pick<HostCertificate, 'state' | 'notAfter'>;

function isWorse(a: Judged, b: Judged): boolean {
  const [rankA, rankB] = [WORST_FIRST.indexOf(a.state), WORST_FIRST.indexOf(b.state)];
  return rankA === rankB ? (a.notAfter ?? 0) < (b.notAfter ?? 0) : rankA < rankB;
}
