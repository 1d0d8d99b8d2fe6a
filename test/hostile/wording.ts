// What one proxy did with one input, in a few words for a table.
import type { ReceivedMessage } from '../support/raw-message.ts';
import type { HandshakeObservation, Outcome } from './handshake-case.ts';
import type { HostileCase } from './hostile-case.ts';
import { type Observation, targetOf } from './observation.ts';

export interface Cell {
  /** Markdown. */
  readonly text: string;
  readonly isUnsafe: boolean;
}

export function cellOf(hostile: HostileCase, seen: Observation, dangers: readonly string[]): Cell {
  return unsafeOr(outcomeOf(hostile, seen), dangers);
}

/** The outcome, behind what is dangerous about it. */
export function unsafeOr(outcome: string, dangers: readonly string[]): Cell {
  if (dangers.length === 0) return { text: outcome, isUnsafe: false };
  return { text: `**unsafe**: ${dangers.map(escaped).join('; ')} (${outcome})`, isUnsafe: true };
}

function outcomeOf({ item }: HostileCase, seen: Observation): string {
  if (seen.answers.length === 0) {
    if (seen.end === 'open') return seen.stray === '' ? 'no answer' : 'half an answer';
    return seen.stray === '' ? 'closed' : 'cut off';
  }
  const said = runs(seen.answers.map(wordFor));
  const [asked] = seen.requests;
  const isAboutPath = (item === 10 || item === 11) && asked !== undefined && said === 'forwarded';
  if (isAboutPath) return `${asked.route === 'guarded' ? 'guarded' : 'public'} ${code(targetOf(asked))}`;
  return seen.stray !== '' && seen.end !== 'kept' ? `${said}, more` : said;
}

/** An origin's usual answer says where it comes from; every other is known by its status. */
function wordFor(answer: ReceivedMessage): string {
  return answer.fields('x-route').length > 0 ? 'forwarded' : `${answer.status || answer.startLine.slice(0, 20)}`;
}

/** `200, 200, 200, 400` → `200 ×3, 400`. */
function runs(words: readonly string[]): string {
  const parts: { word: string; count: number }[] = [];
  for (const word of words) {
    const last = parts.at(-1);
    if (last?.word === word) last.count++;
    else parts.push({ word, count: 1 });
  }
  return parts.map(({ word, count }) => (count === 1 ? word : `${word} ×${count}`)).join(', ');
}

/** RFC 8446 section 6, those that occur. */
const ALERTS: Readonly<Record<string, string>> = {
  10: 'unexpected message',
  22: 'record overflow',
  40: 'handshake failure',
  47: 'illegal parameter',
  50: 'decode error',
  70: 'protocol version',
  80: 'internal error',
  109: 'missing extension',
  112: 'unrecognized name',
  120: 'no application protocol',
};

export function handshakeCell(seen: HandshakeObservation): Cell {
  const outcome = handshakeWord(seen.outcome);
  if (seen.died || !seen.alive) {
    const danger = seen.died ? 'the process ended' : 'the next client got no answer';
    return { text: `**unsafe**: ${danger} (${outcome})`, isUnsafe: true };
  }
  const isHeldOpen = seen.outcome !== 'ServerHello' && seen.outcome !== 'open' && !seen.closed;
  return { text: isHeldOpen ? `${outcome}, left open` : outcome, isUnsafe: false };
}

function handshakeWord(outcome: Outcome): string {
  if (outcome === 'ServerHello') return 'served';
  if (outcome === 'open') return 'no answer';
  const code = /^alert (\d+)$/.exec(outcome)?.[1];
  return code === undefined ? outcome : (ALERTS[code] ?? outcome);
}

/** Text as it is, in Markdown's tables. */
export function escaped(text: string): string {
  return text.replace(/[\\`*_{}[\]<>#|~$]/g, (char) => (char === '|' ? '\\|' : `\\${char}`));
}

/** As it is, in a code span of a table. */
export function code(text: string): string {
  const printable = text.replace(/[^\x20-\x7e]/g, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
  return `\`${printable.replaceAll('|', '\\|').replaceAll('`', "'")}\``;
}
