// The work for one name, and the handshakes that wait for it. Whoever stops waiting is forgotten at once; the work goes on.
import type { SecureContext } from 'node:tls';

export type OnContext = (context: SecureContext | null) => void;

export class DemandFlight {
  readonly #waiting = new Set<OnContext>();
  #outcome: SecureContext | null | undefined;

  /** Handshakes waiting now. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Calls `done` once, when the work has ended: at once if it has. The function returned forgets it. */
  wait(done: OnContext): () => void {
    if (this.#outcome !== undefined) {
      done(this.#outcome);
      return () => {};
    }
    this.#waiting.add(done);
    return () => void this.#waiting.delete(done);
  }

  /** Only the first call counts. null: no certificate. */
  settle(context: SecureContext | null): void {
    if (this.#outcome !== undefined) return;
    this.#outcome = context;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const done of waiting) done(context);
  }
}
