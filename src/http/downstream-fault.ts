// Why a downstream connection failed, other than by what it sent.
import { PerantaraError } from '../core/errors.ts';

export const CLIENT_GONE = 'client_gone';
export const SHUTTING_DOWN = 'shutting_down';

export function clientGone(when: string): PerantaraError {
  return new PerantaraError(`client closed the connection ${when}`, { code: CLIENT_GONE, source: 'downstream' });
}

export function tooSlow(what: string): PerantaraError {
  return new PerantaraError(`cannot wait longer for the ${what}`, { code: 'request_timeout', source: 'downstream' });
}

export function unexpected(cause: unknown): PerantaraError {
  return new PerantaraError('cannot handle request: unexpected error', { code: 'internal', source: 'internal', cause });
}

export function tunnelIdle(): PerantaraError {
  return new PerantaraError('cannot keep the tunnel: both sides are silent', {
    code: 'tunnel_idle',
    source: 'downstream',
  });
}

export function shuttingDown(): PerantaraError {
  return new PerantaraError('cannot finish the exchange: Perantara ends', { code: SHUTTING_DOWN, source: 'operator' });
}
