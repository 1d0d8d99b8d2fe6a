// One mistake in a configuration: where it stands, what was found, what is allowed, and what was probably meant.
import { printable } from '../core/printable.ts';
import type { Position } from './config.ts';

/** A spot in a file, or a command-line flag (`file: '--to', line: 0`). Lines and columns count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export interface ProblemDetails {
  /** The offending value as written, shortened. */
  readonly found?: string | null;
  /** What would be accepted, in words. */
  readonly allowed?: string | null;
  /** The nearest accepted spelling. */
  readonly suggestion?: string | null;
}

export interface Problem extends Place {
  /** "cannot <action> <subject>: <state>", without found, allowed and suggestion. */
  readonly message: string;
  readonly found: string | null;
  readonly allowed: string | null;
  readonly suggestion: string | null;
}

export function makeProblem(place: Place, message: string, details: ProblemDetails = {}): Problem {
  const { found = null, allowed = null, suggestion = null } = details;
  return { file: place.file, line: place.line, column: place.column, message, found, allowed, suggestion };
}

/** `perantara.yaml:3:9`, or the bare file or flag when there is no line. */
export function positionOf(place: Place): Position {
  return place.line === 0 ? place.file : `${place.file}:${place.line}:${place.column}`;
}

/** One line: `perantara.yaml:3:9: cannot use …; found …; allowed: …; did you mean "…"?` */
export function formatProblem(problem: Problem): string {
  return printable(`${positionOf(problem)}: ${explainProblem(problem)}`);
}

/** The same without the position. */
export function explainProblem(problem: Problem): string {
  let text = problem.message;
  if (problem.found !== null) text += `; found ${problem.found}`;
  if (problem.allowed !== null) text += `; allowed: ${problem.allowed}`;
  if (problem.suggestion !== null) text += `; did you mean "${problem.suggestion}"?`;
  return text;
}

/** By position, then text; the same mistake at the same place (a repeated alias) is kept once. */
export function sortProblems(problems: readonly Problem[]): Problem[] {
  const sorted = problems.toSorted(
    (a, b) => a.line - b.line || a.column - b.column || (a.message < b.message ? -1 : Number(a.message > b.message)),
  );
  return sorted.filter((problem, i) => i === 0 || formatProblem(problem) !== formatProblem(sorted[i - 1]!));
}

/** What a message shows instead of a password, token or key. */
export const HIDDEN_VALUE = 'a value that is not shown here';

/** A value as a message shows it: quoted and shortened, with the password of a URL hidden. */
export function showValue(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  if (typeof value !== 'string') return String(value);
  const safe = value.replace(/\/\/[^/?#\s]*@/, '//…@');
  return JSON.stringify(safe.length > 80 ? `${safe.slice(0, 79)}…` : safe);
}
