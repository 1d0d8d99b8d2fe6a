// Handshakes that wait for a certificate that may be obtained for them: the exception to "a handshake only reads memory".
// Each ends in time, by certificate or alert, and holds nothing once its client has left.
import type { Socket } from 'node:net';
import type { SecureContext } from 'node:tls';

/** Asked about names that no site has: certs/on-demand. */
export interface ContextLastResort {
  /** The work under way for the name, or null: refuse now. `address`: the client's. */
  demand(servername: string, address: string): ContextWork | null;
  /** Whether a session for the name, once served, may be resumed; costs nothing. */
  serves(servername: string): boolean;
}

export interface ContextWork {
  /** Calls `done` once, perhaps before it returns. The function returned forgets it. */
  wait(done: (context: SecureContext | null) => void): () => void;
}

/** Node reads on while a handshake waits, and keeps what it reads; a client has nothing to say before the server's answer. */
const MAX_EARLY_BYTES = 64 * 1024;
const WATCH_INTERVAL_MS = 50;

interface Waiting {
  readonly raw: Socket;
  /** How much may have been read in all. */
  readonly maxBytes: number;
}

export class CertificateWait {
  readonly #waiting = new Set<Waiting>();
  #watch: NodeJS.Timeout | undefined;

  /** Handshakes waiting now, for leak checks. */
  get size(): number {
    return this.#waiting.size;
  }

  /**
   * Calls `done` once: null when it takes longer than `waitMs`. Never after the socket has closed. `raw`: that under the TLS
   * socket.
   */
  begin(raw: Socket, work: ContextWork, waitMs: number, done: (context: SecureContext | null) => void): void {
    const waiting: Waiting = { raw, maxBytes: raw.bytesRead + MAX_EARLY_BYTES };
    let forget = (): void => {};
    let ended = false;
    const end = (): void => {
      ended = true;
      clearTimeout(patience);
      forget();
      raw.off('close', end);
      this.#delete(waiting);
    };
    const finish = (context: SecureContext | null): void => {
      end();
      if (!raw.destroyed) done(context);
    };
    const patience = setTimeout(finish, waitMs, null);
    patience.unref();
    raw.once('close', end);
    this.#add(waiting);
    forget = work.wait(finish);
    if (ended) forget();
  }

  #add(waiting: Waiting): void {
    this.#waiting.add(waiting);
    this.#watch ??= setInterval(() => this.#look(), WATCH_INTERVAL_MS).unref();
  }

  #delete(waiting: Waiting): void {
    this.#waiting.delete(waiting);
    if (this.#waiting.size > 0) return;
    clearInterval(this.#watch);
    this.#watch = undefined;
  }

  #look(): void {
    for (const { raw, maxBytes } of this.#waiting) if (raw.bytesRead > maxBytes) raw.destroy();
  }
}
