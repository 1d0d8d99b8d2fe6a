// Certificates on demand as a worker sees them: which names have one, and the asking for others, which the primary decides about.
import type { Announcement } from '../certs/announcement.ts';
import { DemandFlight } from '../certs/on-demand/flight.ts';
import { demandableName, folderOf } from '../certs/on-demand/name.ts';
import type { CertificateResolver } from '../certs/resolver.ts';
import type { ContextLastResort } from '../server/certificate-wait.ts';

/** Names asked about at once; more are refused. The primary has its own bounds, which are lower for what costs more. */
const MAX_ASKED = 1_000;

export class DemandMirror implements ContextLastResort {
  readonly #resolver: Pick<CertificateResolver, 'resolve'>;
  readonly #demand: (servername: string, address: string) => Promise<void>;
  readonly #flights = new Map<string, DemandFlight>();
  /** As folders are called. */
  readonly #stored = new Set<string>();

  /** `demand`: resolves when `resolver` has the certificate, or there will be none; may reject. */
  constructor(
    resolver: Pick<CertificateResolver, 'resolve'>,
    demand: (servername: string, address: string) => Promise<void>,
  ) {
    this.#resolver = resolver;
    this.#demand = demand;
  }

  learn({ names, isAll, isGone }: Extract<Announcement, { kind: 'stored' }>): void {
    if (isAll) this.#stored.clear();
    for (const name of names)
      if (isGone) this.#stored.delete(name);
      else this.#stored.add(name);
  }

  serves(servername: string): boolean {
    const name = demandableName(servername);
    return name !== null && this.#stored.has(folderOf(name));
  }

  demand(servername: string, address: string): DemandFlight | null {
    const name = demandableName(servername);
    if (name === null) return null;
    const flying = this.#flights.get(name);
    if (flying !== undefined) return flying;
    if (this.#flights.size >= MAX_ASKED) return null;
    const flight = new DemandFlight();
    this.#flights.set(name, flight);
    const end = (): void => {
      this.#flights.delete(name);
      flight.settle(this.#resolver.resolve(name));
    };
    this.#demand(name, address).then(end, end);
    return flight;
  }
}
