// Why an upstream connection failed.
import { messageOf, PerantaraError } from '../core/errors.ts';

export function upstreamFault(code: string, what: string, cause?: unknown): PerantaraError {
  return new PerantaraError(`cannot get a response: ${what}`, { code, source: 'upstream', cause });
}

/** `why`: ` after …`, or nothing. */
export function closedEarly(isInContent: boolean, why = ''): PerantaraError {
  const where = isInContent ? 'in the middle of' : 'before';
  return upstreamFault('upstream_closed', `the upstream closed the connection ${where} its response${why}`);
}

/** Re-blames an error of a parser that both sides share on the upstream that sent the bytes; our own faults stay ours. */
export function blameUpstream(error: unknown): PerantaraError {
  if (error instanceof PerantaraError && error.source === 'internal') return error;
  return new PerantaraError(messageOf(error), { code: 'upstream_malformed', source: 'upstream', cause: error });
}

/** A fault of our own while reading a response. */
export function unexpected(cause: unknown): PerantaraError {
  return new PerantaraError('cannot read response: unexpected error', { code: 'internal', source: 'internal', cause });
}
