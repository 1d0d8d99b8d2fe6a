// One hostile handshake as data: bytes to the TLS port, and how they are met.

/** How the first record that came back begins, or what came in place of it. */
export type Outcome = 'ServerHello' | `alert ${number}` | '400' | 'closed' | 'open' | 'nonsense';

export interface HandshakeCase {
  readonly item: number;
  readonly name: string;
  readonly source: string;
  readonly bytes: Buffer;
  /** Where to. Default the TLS port. */
  readonly to?: 'tls' | 'redirect';
  /** All that are right. Whatever is refused is closed too. */
  readonly expect: readonly Outcome[];
}

export interface HandshakeObservation {
  readonly outcome: Outcome;
  /** Whether the connection was closed then. */
  readonly closed: boolean;
  readonly alive: boolean;
  readonly died: boolean;
}

/** What the bytes received so far mean; null while that is not clear. */
export function readOutcome(received: string, ended: boolean): Outcome | null {
  if (received.startsWith('HTTP/1.')) return received.length >= 12 ? '400' : null;
  const type = received.charCodeAt(0);
  if (type === 21 && received.length >= 7) return `alert ${received.charCodeAt(6)}`;
  if (type === 22) return 'ServerHello';
  if (!ended) return null;
  return received === '' ? 'closed' : 'nonsense';
}

/** Deviations from what is expected, one line each. */
export function handshakeDeviations(hostile: HandshakeCase, seen: HandshakeObservation): readonly string[] {
  const found: string[] = [];
  if (!hostile.expect.includes(seen.outcome)) found.push(`${seen.outcome}, expected ${hostile.expect.join(' or ')}`);
  if (seen.outcome !== 'ServerHello' && !seen.closed) found.push('refused, but the connection stayed open');
  if (!seen.alive) found.push('a normal request afterwards got no answer');
  if (seen.died) found.push('the process ended');
  return found;
}
