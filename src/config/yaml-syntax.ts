// The YAML parser's complaints, in this project's words and without the cascade that one slip causes.
import type { Document } from 'yaml';
import { makeProblem, type Place, type Problem } from './problem.ts';

/** After a few broken lines the rest is guesswork. */
const MAX_PROBLEMS = 5;

const SAYINGS: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: 'a tab is used as indentation; use spaces',
  BAD_ALIAS: 'text that begins with * needs quotes, as in "*.example.com"',
  MULTIPLE_DOCS: 'a second document begins here; keep only one',
  RESOURCE_EXHAUSTION: 'it is nested too deeply',
  BLOCK_AS_IMPLICIT_KEY: 'a second ": " in one value; check the indentation, or put the value in quotes',
  MULTILINE_IMPLICIT_KEY: 'there is no ": " between key and value on this line',
};

/** One problem per line; warnings count too, since what they name would be misread. Empty when the text is sound. */
export function syntaxProblems(document: Document.Parsed, text: string, placeAt: (offset: number) => Place): Problem[] {
  const found = [...document.warnings, ...document.errors].filter((error) => error.code !== 'TAG_RESOLVE_FAILED');
  const perLine = new Map<number, Problem>();
  for (const error of found) {
    const place = placeAt(error.pos[0]);
    if (perLine.has(place.line) || perLine.size === MAX_PROBLEMS) continue;
    const state = SAYINGS[error.code] ?? hintAt(text, error.pos[0]) ?? reworded(error.message);
    perLine.set(place.line, makeProblem(place, `cannot read the YAML: ${state}`));
  }
  return [...perLine.values()];
}

/** Traps of the flow style that the parser names badly. */
function hintAt(text: string, offset: number): string | null {
  const line = text.slice(text.lastIndexOf('\n', offset - 1) + 1).split('\n', 1)[0]!;
  return /[{,[]\s*[^"'\s]+:\s*[^"'\s]*\$\{/.test(line) ? 'inside { } and [ ], a value with "${" needs quotes' : null;
}

function reworded(message: string): string {
  if (/^Flow (map|sequence)/.test(message)) return 'a { or [ above is not closed, or its lines are not indented';
  if (/^Missing closing .quote/.test(message)) return 'a closing quote is missing';
  return message.charAt(0).toLowerCase() + message.slice(1);
}
