// Takes requests on in their traces, or begins traces for them, and tells the next hop. Where tracing is not configured there is
// none of these, and fields about traces pass like any others.
import { randomBytes } from 'node:crypto';
import type { HeaderList } from './header-list.ts';
import { parseTraceparent, type TraceContext, writeTraceparent } from './trace-context.ts';

export interface TracingOptions {
  /** Of traces that begin here, how many are recorded: 0 to 1. Others have been decided on. */
  readonly sampleRatio: number;
  /** Whether spans of ours come to be known, so that others may refer to them. */
  readonly exported: boolean;
}

const POOL_BYTES = 4_096;
/** The last 56 bits of a trace id are random, and all who sample by a ratio look at them: they agree. */
const RANDOM_DIGITS = 14;
const RANDOM_RANGE = 16 ** RANDOM_DIGITS;

export class Tracing {
  readonly #options: TracingOptions;
  /** Hexadecimal digits that have not been used. */
  #random = '';
  #at = 0;

  constructor(options: TracingOptions) {
    this.#options = options;
  }

  /** Of a request with these fields, which are not touched; null: it has none. */
  contextOf(headers: HeaderList | null): TraceContext {
    const known = headers?.count('traceparent') === 1 ? parseTraceparent(headers.get('traceparent')!) : null;
    if (known === null) return this.#begin();
    const { traceId, parentId, sampled } = known;
    return { traceId, parentId, sampled, spanId: this.#options.exported ? this.#digits(16) : parentId! };
  }

  /** Makes of the fields that came those that the next hop gets. */
  follow(headers: HeaderList): TraceContext {
    const context = this.contextOf(headers);
    if (context.spanId === context.parentId) return context;
    if (headers.count('traceparent') > 0) headers.remove('traceparent');
    // What others say of a trace does not belong to another one (section 3.3 of the specification).
    if (context.parentId === null && headers.count('tracestate') > 0) headers.remove('tracestate');
    headers.append('traceparent', writeTraceparent(context));
    return context;
  }

  #begin(): TraceContext {
    const traceId = this.#digits(32);
    const chance = Number.parseInt(traceId.slice(-RANDOM_DIGITS), 16) / RANDOM_RANGE;
    return { traceId, spanId: this.#digits(16), parentId: null, sampled: chance < this.#options.sampleRatio };
  }

  #digits(count: number): string {
    if (this.#at + count > this.#random.length) {
      this.#random = randomBytes(POOL_BYTES).toString('hex');
      this.#at = 0;
    }
    const digits = this.#random.slice(this.#at, this.#at + count);
    this.#at += count;
    return digits;
  }
}
