// Where a request belongs in a trace: W3C Trace Context, level 1 (https://www.w3.org/TR/trace-context-1/). Pure.

export interface TraceContext {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 of them: the span of this hop. Without export that of whoever sent the request, since nobody would know ours. */
  readonly spanId: string;
  /** The span of whoever sent the request; null: the trace began here. */
  readonly parentId: string | null;
  /** Whether it is recorded. */
  readonly sampled: boolean;
}

const FIELD = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const NO_TRACE = '0'.repeat(32);
const NO_SPAN = '0'.repeat(16);
const SAMPLED = 1;

/** What a field `traceparent` says (section 3.2), or null: it is to be treated as if it were not there. */
export function parseTraceparent(field: string): Omit<TraceContext, 'spanId'> | null {
  const match = FIELD.exec(field);
  if (match === null) return null;
  const [, version, traceId, parentId, flags, rest] = match as unknown as [
    string,
    string,
    string,
    string,
    string,
    string?,
  ];
  // Later versions may add to the end; this one has none.
  if (version === 'ff' || (version === '00' && rest !== undefined)) return null;
  if (traceId === NO_TRACE || parentId === NO_SPAN) return null;
  return { traceId, parentId, sampled: (Number.parseInt(flags, 16) & SAMPLED) !== 0 };
}

/** Flags that this version does not know are not passed on (section 3.2.2.5.2). */
export function writeTraceparent({ traceId, spanId, sampled }: Omit<TraceContext, 'parentId'>): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;
}
