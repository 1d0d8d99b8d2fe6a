// One piece of work for all who ask for it at the same time. Whoever loses patience leaves alone; the work goes on.

export class SingleFlight<T> {
  #current: Promise<T> | null = null;

  /** Joins the work under way or starts `work`. Rejects with the signal's reason when it aborts first. */
  async run(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    this.#current ??= work().finally(() => {
      this.#current = null;
    });
    const flight = this.#current;
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await Promise.race([flight, aborted]);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** Resolves when no work is under way, however it ended. */
  async idle(): Promise<void> {
    await this.#current?.catch(() => {});
  }
}
