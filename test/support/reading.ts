// What a reader made of one direction of a connection: the form in which the codec, llhttp and the strict grammar are
// compared. Offsets count from the first byte of the connection; texts are latin1, one character a byte.

export class ReadMessage {
  /** Request: method, target, version. Response: version, status, reason. */
  readonly start: readonly string[];
  /** name, value, name, value … as on the wire. */
  readonly fields: readonly string[];
  /** Offset of the first byte after the head. */
  readonly headEnd: number;
  content = '';
  trailers: readonly string[] = [];
  /** Offset of the first byte after the message; null while it is not complete. */
  end: number | null = null;

  constructor(start: readonly string[], fields: readonly string[], headEnd: number) {
    this.start = start;
    this.fields = fields;
    this.headEnd = headEnd;
  }
}

export interface Reading {
  /** Those of which at least the head was accepted. */
  readonly messages: readonly ReadMessage[];
  /** Whether more bytes are awaited, were refused, or will not be read. */
  readonly outcome: 'waiting' | 'refused' | 'closed';
  readonly reason: string;
  /** How many bytes were looked at, where it was not all of them. */
  readonly readTo?: number;
}

/**
 * How one reader departs from another: it accepts what the other does not, or the other way round, or both accept the same
 * bytes as different messages.
 */
export interface Difference {
  readonly kind: 'laxer' | 'stricter' | 'framing';
  readonly what: string;
  /** Offset of the first byte of the message that is read differently. */
  readonly from: number;
}

/** Where `ours` departs from `theirs` first; null when they agree on everything that both have decided. */
export function difference(ours: Reading, theirs: Reading): Difference | null {
  let from = 0;
  for (const [index, mine] of ours.messages.entries()) {
    const their = theirs.messages[index];
    const kind = theirs.outcome === 'waiting' ? 'framing' : 'laxer';
    const reason = `${theirs.outcome} ${theirs.reason}`;
    if (their === undefined) return { kind, from, what: `message ${index}: head accepted; theirs: ${reason}` };
    const unequal = firstUnequal(mine, their);
    if (unequal !== null) return { kind: 'framing', from, what: `message ${index}: ${unequal}` };
    if (mine.end === null || their.end === null) {
      const isAhead = mine.end !== null || mine.content.length > their.content.length;
      if (isAhead)
        return { kind, from, what: `message ${index}: ${describe(mine)}; theirs: ${describe(their)} ${reason}` };
      const isBehind = their.end !== null && ours.outcome === 'waiting';
      if (isBehind)
        return { kind: 'framing', from, what: `message ${index}: not complete; theirs: ${describe(their)}` };
    } else from = mine.end;
  }
  const isBehind = completeIn(ours) < completeIn(theirs);
  const counts = `${ours.outcome} ${ours.reason}; theirs: ${theirs.outcome} after ${completeIn(theirs)} messages`;
  if (ours.outcome === 'refused' && (isBehind || theirs.outcome === 'waiting')) {
    return { kind: 'stricter', from, what: counts };
  }
  return isBehind ? { kind: 'framing', from, what: counts } : null;
}

/** Of two messages of which at least the heads are known. */
function firstUnequal(mine: ReadMessage, their: ReadMessage): string | null {
  const areWhole = mine.end !== null && their.end !== null;
  const parts = areWhole ? (['start', 'fields', 'headEnd', 'content', 'trailers', 'end'] as const) : HEAD_PARTS;
  for (const part of parts) {
    const [a, b] = [JSON.stringify(mine[part]), JSON.stringify(their[part])];
    if (a !== b) return `${part} ${a}; theirs: ${b}`;
  }
  const common = Math.min(mine.content.length, their.content.length);
  const isCommon = mine.content.slice(0, common) === their.content.slice(0, common);
  return isCommon ? null : `content ${JSON.stringify(mine.content)}; theirs: ${JSON.stringify(their.content)}`;
}

const HEAD_PARTS = ['start', 'fields', 'headEnd'] as const;

function completeIn({ messages }: Reading): number {
  return messages.filter((message) => message.end !== null).length;
}

function describe({ end, content }: ReadMessage): string {
  return end === null ? `${content.length} bytes of content` : `ended at ${end}`;
}
