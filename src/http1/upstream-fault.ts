// Why an upstream connection failed, other than by what it sent.
import { PerantaraError } from '../core/errors.ts';

export function upstreamFault(code: string, what: string, cause?: unknown): PerantaraError {
  return new PerantaraError(`cannot get a response: ${what}`, { code, source: 'upstream', cause });
}

export function closedEarly(isInContent: boolean): PerantaraError {
  const where = isInContent ? 'in the middle of' : 'before';
  return upstreamFault('upstream_closed', `the upstream closed the connection ${where} its response`);
}
