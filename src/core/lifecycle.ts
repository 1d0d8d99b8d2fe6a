// The contract of everything long-lived. Nothing starts in a constructor or on import.

export interface Lifecycle {
  /** Begins work. Rejects with a PerantaraError and leaves nothing running. */
  start(): Promise<void>;
  /** Takes no new work, finishes what is under way, resolves when all is released. Idempotent. */
  close(): Promise<void>;
  /** Releases everything now. Idempotent; also ends a close() under way. */
  destroy(reason?: Error): void;
}
