// Checks a draft against the schema. Each wrong part is reported once and taken out, until what is left fits; the rules
// that join several parts can then run on the rest, and all mistakes come out together.
import type { z } from 'zod';
import { suggest } from '../core/suggest.ts';
import type { Draft } from './draft.ts';
import type { Mistake } from './parsed.ts';
import { HIDDEN_VALUE, showValue } from './problem.ts';
import { configSchema, type RawConfig } from './schema.ts';
import { isSecret, type Path } from './source.ts';

type Issue = z.core.$ZodIssue;

/** What fits the schema, or null when nothing does. */
export function readShape(draft: Draft): RawConfig | null {
  for (;;) {
    draft.ensureSites();
    const result = configSchema.safeParse(draft.value);
    if (result.success) return result.data;
    const wrong = result.error.issues.flatMap((issue) => report(issue, [], draft));
    const removed = wrong.filter((path) => draft.remove(path));
    if (removed.length === 0 || draft.value === undefined) return null;
  }
}

/** Returns the parts that must go. */
function report(issue: Issue, base: Path, draft: Draft): Path[] {
  const path: Path = [...base, ...(issue.path as (string | number)[])];
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => reportUnknownKey([...path, key], issue.message.split(', '), draft));
  if (issue.code === 'invalid_union') {
    const branch = issue.errors.find((issues) => !isMismatch(issues));
    return branch === undefined
      ? [reportMismatch(issue, path, draft)]
      : branch.flatMap((inner) => report(inner, path, draft));
  }
  if (issue.code !== 'custom') return [reportMismatch(issue, path, draft)];
  const { state, found, allowed = null, suggestion = null } = issue.params as Mistake;
  const shown = shownAt(path, draft.writtenAt(path));
  draft.errorAt(
    path,
    state,
    isSecret(path) ? { found: shown, allowed } : { found: found ?? shown, allowed, suggestion },
  );
  return [path];
}

function reportUnknownKey(path: Path, known: readonly string[], draft: Draft): Path {
  const suggestion = suggest(String(path.at(-1)), known);
  draft.errorAtKey(path, 'there is no such key', { allowed: known.join(', '), suggestion });
  return path;
}

function reportMismatch(issue: Issue, path: Path, draft: Draft): Path {
  const value = draft.leftAt(path);
  if (value === undefined && path.length > 0) {
    // A required key is missing: the fault is its parent's, unless what stood there was taken out.
    const parent = path.slice(0, -1);
    const isMisspelt = draft.keysAt(parent).some((key) => suggest(key, [String(path.at(-1))]) !== null);
    if (!draft.isTainted(path) && !isMisspelt)
      draft.errorAt(parent, `${showValue(path.at(-1))} is missing`, { allowed: issue.message });
    return parent;
  }
  const suggestion = typeof value === 'string' && !isSecret(path) ? suggest(value, wordsOf(issue)) : null;
  const state = path.length === 0 ? 'it is not a mapping of settings' : 'it has the wrong form';
  draft.errorAt(path, state, { found: shownAt(path, value), allowed: issue.message, suggestion });
  return path;
}

function shownAt(path: Path, value: unknown): string {
  return typeof value !== 'object' && isSecret(path) ? HIDDEN_VALUE : showValue(value);
}

/** Whether a branch of a union is not what the author meant, because already the kind of its value is another. */
function isMismatch(issues: readonly Issue[]): boolean {
  return issues.some((issue) => {
    if (issue.path.length > 0) return false;
    if (issue.code === 'invalid_union') return issue.errors.every(isMismatch);
    return issue.code === 'invalid_type' || issue.code === 'invalid_value';
  });
}

/** The fixed words that would have been accepted. */
function wordsOf(issue: Issue): string[] {
  if (issue.code === 'invalid_union') return issue.errors.flat().flatMap(wordsOf);
  return issue.code === 'invalid_value' ? issue.values.map(String) : [];
}
