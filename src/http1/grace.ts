// How long a downstream connection is borne with: what is set, and what is not.

/** In milliseconds; config/config.ts says what each covers. */
export interface ServerTimeouts {
  readonly headMs: number;
  readonly bodyIdleMs: number;
  readonly keepAliveMs: number;
  readonly tunnelIdleMs: number;
}

/** How long a closing connection reads on, so that the last response is not lost to a reset (RFC 9112 section 9.6). */
export const LINGER_MS = 2_000;

/** How long a client that has closed its side may go without taking response bytes before it counts as gone. */
export const HALF_CLOSED_MS = 1_000;

/**
 * A client that takes its response slowly shows progress only when the system's send buffer (up to 4 MiB) has room for a
 * third of it again: silence while writing is borne this many times longer than silence while reading.
 */
export const SLOW_READER_FACTOR = 5;
