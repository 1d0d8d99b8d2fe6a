// The pseudo-field of every status, made once (RFC 9113 section 8.3.2).
import type { PseudoFields } from './frame-writer.ts';

export const STATUS_FIELDS: readonly PseudoFields[] = Array.from({ length: 600 }, (_, status) => [
  ':status',
  String(status),
]);
