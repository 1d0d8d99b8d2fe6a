// How far a diagnostic request may still travel (RFC 9110 section 7.6.2): OPTIONS and TRACE count the intermediaries.
import { PerantaraError } from '../core/errors.ts';
import type { RequestHead } from './message.ts';

/** Larger counts are brought down to this: nobody is that far away. */
const MOST = 1_000_000;

/** Counts this hop. False when the request ends here, to be answered by whoever asks. Throws `bad_request`. */
export function mayTravelOn({ method, headers }: RequestHead): boolean {
  if (method !== 'OPTIONS' && method !== 'TRACE') return true;
  const written = headers.getJoined('max-forwards');
  if (written === null) return true;
  if (!/^\d+$/.test(written))
    throw new PerantaraError('cannot forward request: Max-Forwards is not a whole number', {
      code: 'bad_request',
      source: 'downstream',
    });
  const left = Math.min(Number(written), MOST);
  if (left === 0) return false;
  headers.remove('max-forwards');
  headers.append('Max-Forwards', String(left - 1));
  return true;
}
