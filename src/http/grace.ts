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

/** How long a client that has just connected has for its first request when connections are drained: nobody asks again for one. */
export const FIRST_REQUEST_MS = 1_000;

/**
 * How long a client that has closed its side may go without response bytes before it is asked whether it is still there
 * (102, twice, then doubling the wait each time) or, where that cannot be asked, counts as gone.
 */
export const HALF_CLOSED_MS = 2_000;

/**
 * A client that takes its response slowly shows progress only when the system's send buffer (up to 4 MiB) has room for a
 * third of it again: silence while writing is borne this many times longer than silence while reading.
 */
export const SLOW_READER_FACTOR = 5;

/**
 * Content that comes slower than this over the whole idle limit counts as silence, or a byte now and then would hold a
 * client's connection and an upstream's for ever (slow POST). No working network is that slow; Kestrel's figure too
 * (MinRequestBodyDataRate). Not once the response has begun: two that talk with each other may be terse.
 */
export const MIN_UPLOAD_BYTES_PER_SECOND = 240;

/** Bytes of content that earn their client another idle limit. */
export function leastUpload(timeouts: ServerTimeouts): number {
  return (timeouts.bodyIdleMs / 1_000) * MIN_UPLOAD_BYTES_PER_SECOND;
}

/**
 * Bytes of a response that earn their client another wait, where it can take any number of them (HTTP/2's windows): of
 * readers that are slower than the slowest sender neither side gains anything.
 */
export function leastDownload(timeouts: ServerTimeouts): number {
  return SLOW_READER_FACTOR * leastUpload(timeouts);
}

/** How long a client is waited for that does not read. */
export function slowReaderMs(timeouts: ServerTimeouts): number {
  return timeouts.bodyIdleMs * SLOW_READER_FACTOR;
}

/** How long the client of an exchange is waited for, by what is wanted of it; Infinity when the upstream has to act. */
export function patienceMs(
  exchange: { readonly tunnelling: boolean; readonly wantsInput: boolean },
  isBlocked: boolean,
  timeouts: ServerTimeouts,
): number {
  if (exchange.tunnelling) return timeouts.tunnelIdleMs;
  if (isBlocked) return slowReaderMs(timeouts);
  return exchange.wantsInput ? timeouts.bodyIdleMs : Number.POSITIVE_INFINITY;
}
