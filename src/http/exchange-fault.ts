// What a handler or a client does wrong in an exchange that is under way, said alike for both versions of HTTP.
import { PerantaraError } from '../core/errors.ts';

export function contentTooLarge(limitBytes: number): PerantaraError {
  const how = { code: 'body_too_large', source: 'downstream' } as const;
  return new PerantaraError(`cannot accept request content: over ${limitBytes} bytes`, how);
}

export function respondedTwice(): PerantaraError {
  return new PerantaraError('cannot respond twice', { code: 'responded', source: 'internal' });
}

export function wrongLength(): PerantaraError {
  const how = { code: 'length_mismatch', source: 'internal' } as const;
  return new PerantaraError('cannot end response: its length is not as declared', how);
}
