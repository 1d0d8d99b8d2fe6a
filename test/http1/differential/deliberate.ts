// A difference between Perantara and llhttp that is meant, and which differences found it explains.
import type { Difference } from '../../support/reading.ts';

export interface Deliberate {
  readonly kind: 'stricter' | 'laxer';
  readonly what: string;
  readonly why: string;
  /**
   * Whether it explains the difference. `message`: all bytes from the start of the message on that is read differently;
   * `head`: those up to its empty line, if it has one; `before`: the messages before it.
   */
  readonly covers: (head: string, message: string, before: string) => boolean;
  /** One connection's bytes each. */
  readonly examples: readonly string[];
}

export function explains(row: Deliberate, text: string, found: Difference): boolean {
  if (row.kind !== found.kind) return false;
  let from = found.from;
  for (;;) {
    const message = text.slice(from);
    const head = message.slice(0, message.indexOf('\r\n\r\n') + 2) || message;
    if (row.covers(head, message, text.slice(0, from))) return true;
    // Interim responses that are passed over (102) are not among the messages that were compared.
    if (!/^HTTP\/1\.[01] 1(?!0[013])\d\d/.test(head) || head === message) return false;
    from += head.length + 2;
  }
}
