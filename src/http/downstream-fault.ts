// Why a downstream connection failed, other than by what it sent.
import { PerantaraError } from '../core/errors.ts';

export function clientGone(when: string): PerantaraError {
  return new PerantaraError(`client closed the connection ${when}`, { code: 'client_gone', source: 'downstream' });
}

export function tooSlow(what: string): PerantaraError {
  return new PerantaraError(`cannot wait longer for the ${what}`, { code: 'request_timeout', source: 'downstream' });
}

export function unexpected(cause: unknown): PerantaraError {
  return new PerantaraError('cannot handle request: unexpected error', { code: 'internal', source: 'internal', cause });
}
