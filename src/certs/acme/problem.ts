// What a CA answers when it refuses (RFC 7807, RFC 8555 section 6.7), kept in its own words.
import type { IncomingHttpHeaders } from 'node:http';
import { PerantaraError } from '../../core/errors.ts';

/** Of problems with single names, in a message. */
const MAX_SHOWN = 10;
const ACME_ERROR = 'urn:ietf:params:acme:error:';

export interface ProblemDetails {
  /** Short form for ACME's own types (`rateLimited`, `unauthorized`), else the URI, or '' when none was given. */
  readonly type: string;
  /** HTTP status; 0 when the problem came inside an object (a failed challenge) without one. */
  readonly status: number;
  /** The CA's sentence, control characters removed; '' when none was given. */
  readonly detail: string;
  readonly subproblems: readonly Subproblem[];
  /** How long the CA asks to wait, or null. */
  readonly retryAfterMs: number | null;
}

export interface Subproblem {
  readonly type: string;
  readonly detail: string;
  /** The name it is about, or null. */
  readonly identifier: string | null;
}

export class AcmeProblem extends PerantaraError implements ProblemDetails {
  readonly type: string;
  readonly status: number;
  readonly detail: string;
  readonly subproblems: readonly Subproblem[];
  readonly retryAfterMs: number | null;

  /** `action`: what could not be done, to complete `cannot …`. */
  constructor(action: string, details: ProblemDetails) {
    super(`cannot ${action}: ${describe(details)}`, {
      code: 'acme_problem',
      source: 'issuer',
      retryable: details.status >= 500 || details.status === 429 || details.type === 'rateLimited',
    });
    this.name = 'AcmeProblem';
    this.type = details.type;
    this.status = details.status;
    this.detail = details.detail;
    this.subproblems = details.subproblems;
    this.retryAfterMs = details.retryAfterMs;
  }
}

/** Reads a problem document; anything missing or of the wrong type is left empty. `body` may be any JSON value or text. */
export function readProblem(body: unknown, status: number, retryAfterMs: number | null): ProblemDetails {
  if (typeof body === 'string') return { type: '', status, detail: clean(body), subproblems: [], retryAfterMs };
  const fields = fieldsOf(body);
  const subproblems = Array.isArray(fields.subproblems) ? fields.subproblems : [];
  return {
    type: shortType(fields.type),
    status: status || (typeof fields.status === 'number' ? fields.status : 0),
    detail: clean(fields.detail),
    subproblems: subproblems.slice(0, 100).map((each: unknown) => {
      const { type, detail, identifier } = fieldsOf(each);
      return { type: shortType(type), detail: clean(detail), identifier: clean(fieldsOf(identifier).value) || null };
    }),
    retryAfterMs,
  };
}

/** `Retry-After` in seconds or as a date (RFC 9110 section 10.2.3) → milliseconds from `now`, or null. */
export function retryAfterOf(headers: IncomingHttpHeaders, now: number): number | null {
  const value = headers['retry-after']?.trim() ?? '';
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1_000;
  const at = /^[A-Z][a-z]{2,8},? /.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(at) ? null : Math.max(0, at - now);
}

/** `the CA says: DNS problem: NXDOMAIN … (dns)`, with what it says about single names after it. */
function describe({ type, status, detail, subproblems }: ProblemDetails): string {
  const kind = [type, status >= 400 && (type === '' || status >= 500) ? `HTTP ${status}` : '']
    .filter(Boolean)
    .join(', ');
  const words = detail === '' ? 'the CA gave no reason' : `the CA says: ${detail}`;
  const parts = subproblems.slice(0, MAX_SHOWN).map((each) => `${each.identifier ?? each.type}: ${each.detail}`);
  if (subproblems.length > MAX_SHOWN) parts.push(`and ${subproblems.length - MAX_SHOWN} more`);
  return `${words}${kind === '' ? '' : ` (${kind})`}${parts.length === 0 ? '' : ` [${parts.join('; ')}]`}`;
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function shortType(value: unknown): string {
  const type = clean(value);
  return type.startsWith(ACME_ERROR) ? type.slice(ACME_ERROR.length) : type === 'about:blank' ? '' : type;
}

/** Text from outside that ends in logs and on terminals: no control characters, no novels. */
function clean(value: unknown): string {
  if (typeof value !== 'string') return '';
  const line = value.replace(/[\u0000-\u001f\u007f-\u009f\s]+/g, ' ').trim();
  return line.length > 500 ? `${line.slice(0, 500)}…` : line;
}
