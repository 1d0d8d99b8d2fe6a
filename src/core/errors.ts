// The one error type of the project: what failed (code), who is to blame (source), whether trying again can help.
// Everything that crosses a module border is a PerantaraError; `cause` keeps the original.

/** Who is to blame: the client, an upstream target, a certificate authority, the operator's files, or Perantara itself. */
export type Blame = 'downstream' | 'upstream' | 'issuer' | 'operator' | 'internal';

export interface ErrorDetails {
  /** Stable, machine-readable: `connect_refused`, `head_too_large`, … */
  readonly code: string;
  readonly source: Blame;
  /** Whether the same operation may succeed when repeated. Default false. */
  readonly retryable?: boolean;
  readonly cause?: unknown;
}

export class PerantaraError extends Error {
  readonly code: string;
  readonly source: Blame;
  readonly retryable: boolean;

  constructor(message: string, details: ErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'PerantaraError';
    this.code = details.code;
    this.source = details.source;
    this.retryable = details.retryable ?? false;
  }
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The `code` of a system error or PerantaraError (`ECONNREFUSED`, `head_too_large`), else ''. */
export function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' ? code : '';
}
