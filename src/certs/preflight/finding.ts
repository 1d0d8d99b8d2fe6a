// One line of a preflight: what was looked at, how it stands, what to do. The judges in this folder are pure.
import type { ChallengeType } from '../../config/config.ts';

/** `unknown`: cannot be known from this machine. Only a `problem` keeps a certificate from being obtained. */
export type Verdict = 'ok' | 'warning' | 'problem' | 'unknown';

export type CheckName =
  | 'name'
  | 'storage'
  | 'directory'
  | 'clock'
  | 'address'
  | 'http-01'
  | 'tls-alpn-01'
  | 'dns-01'
  | 'dns-persist-01'
  | 'caa';

export interface Finding {
  readonly check: CheckName;
  readonly verdict: Verdict;
  /** What was found: a clause without a full stop. */
  readonly found: string;
  /** What to do about it, or null. */
  readonly advice: string | null;
}

/** What a look-up in the DNS came to. */
export type LookUp<T> =
  | { readonly kind: 'found'; readonly value: T }
  | { readonly kind: 'none' }
  | { readonly kind: 'failed'; readonly reason: string };

export function finding(check: CheckName, verdict: Verdict, found: string, advice: string | null = null): Finding {
  return { check, verdict, found, advice };
}

/** One proof is enough: while one allowed way is open, what closes another is only worth a warning. */
export function weighed(findings: readonly Finding[], allowed: readonly ChallengeType[]): readonly Finding[] {
  const isClosed = (type: ChallengeType): boolean =>
    findings.some(({ check, verdict }) => check === type && verdict === 'problem');
  const open = allowed.find((type) => !isClosed(type));
  if (open === undefined) return findings;
  return findings.map((each) =>
    each.verdict === 'problem' && (allowed as readonly string[]).includes(each.check)
      ? { ...each, verdict: 'warning', found: `${each.found} (${open} is allowed too)` }
      : each,
  );
}
