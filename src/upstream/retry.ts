// Whether a failed attempt may be repeated: only where nothing of the request can have been acted on (design section 4).
import type { PerantaraError } from '../core/errors.ts';
import { isIdempotent } from '../http/message.ts';

export interface Attempt {
  readonly method: string;
  /** Whether request content has been taken from the client; it cannot be sent twice. */
  readonly contentTaken: boolean;
  /** Whether the request has content at all. */
  readonly hasContent: boolean;
  /** Whether the connection had served before, so that the upstream may have closed it before the request came. */
  readonly reused: boolean;
  readonly responseStarted: boolean;
  /** How often it has been repeated on its target. */
  readonly repeats: number;
}

/** An upstream that refuses everything, or closes on everything, is not asked for ever. */
const MAX_REPEATS = 2;

export type Retry = 'next-target' | 'same-target' | 'no';

export function shouldRetry(error: PerantaraError, attempt: Attempt): Retry {
  if (error.code === 'connect_failed' || error.code === 'connect_timeout')
    return attempt.contentTaken ? 'no' : 'next-target';
  if (attempt.repeats >= MAX_REPEATS) return 'no';
  // HTTP/2: the upstream says that it has not looked at it (RFC 9113 section 8.7), so the method does not matter.
  if (error.code === 'upstream_refused') return attempt.contentTaken ? 'no' : 'same-target';
  const isStaleConnection = error.code === 'upstream_closed' && attempt.reused && !attempt.responseStarted;
  return isStaleConnection && isIdempotent(attempt.method) && !attempt.hasContent ? 'same-target' : 'no';
}
