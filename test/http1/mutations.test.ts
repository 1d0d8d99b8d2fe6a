import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { requests, response } from '../support/messages.ts';
import { mutated } from '../support/mutations.ts';
import { runs } from '../support/property-runs.ts';
import { difference, type Reading } from '../support/reading.ts';
import * as grammar from '../support/strict-grammar.ts';
import { type Asked, readRequests, readResponse } from '../support/wire.ts';
import { REQUEST_CORPUS } from './differential/request-corpus.ts';
import { RESPONSE_CORPUS } from './differential/response-corpus.ts';

const get: Asked = { method: 'GET', upgradeTo: null, ended: true };

/** What the grammar has no numbers for, our limits, and dot segments that hide behind an encoded slash. */
function isBeyondGrammar(text: string, from: number): boolean {
  return /[0-9a-f]{14}|\/\S*%(?:2f|5c)|xn--|;.{256}/i.test(text.slice(from)) || text.split('HTTP/').length > 17;
}

/** Both ways: what is accepted is what the grammar says, and what follows the grammar is accepted. */
function followsGrammar(text: string, ours: Reading, theirs: Reading): void {
  const found = difference(ours, theirs);
  if (found === null || (found.kind === 'stricter' && isBeyondGrammar(text, found.from))) return;
  assert.fail(`${found.kind} than the grammar: ${found.what}\n${JSON.stringify(text)}`);
}

const checkRequests = (text: string): void => followsGrammar(text, readRequests([text]), grammar.readRequests(text));
const checkResponse = (text: string): void =>
  followsGrammar(text, readResponse([text], get), grammar.readResponse(text));

test('requests: what is accepted of the corpus is what a strict grammar says', () => {
  for (const text of REQUEST_CORPUS) checkRequests(text);
});

test('responses: what is accepted of the corpus is what a strict grammar says', () => {
  for (const { text } of RESPONSE_CORPUS) checkResponse(text);
});

test('requests: any mutation is refused, or is what a strict grammar says', () => {
  const valid = requests.map((written) => written.map(({ text }) => text).join(''));
  fc.assert(fc.property(mutated(fc.oneof(valid, fc.constantFrom(...REQUEST_CORPUS))), checkRequests), runs(20_000));
});

test('responses: any mutation is refused, or is what a strict grammar says', () => {
  const corpus = RESPONSE_CORPUS.map(({ text }) => text);
  const valid = response.map(({ text }) => text);
  fc.assert(fc.property(mutated(fc.oneof(valid, fc.constantFrom(...corpus))), checkResponse), runs(20_000));
});

test('requests: bytes that were never a message are refused, or are what a strict grammar says', () => {
  const words = fc.constantFrom(
    'GET',
    ' ',
    '/',
    'HTTP/1.1',
    '\r\n',
    '\r',
    '\n',
    'Host:',
    'a',
    ':',
    '\t',
    'Content-Length: 1',
  );
  const soup = fc.array(fc.oneof({ weight: 9, arbitrary: words }, fc.string({ maxLength: 2 })), { maxLength: 30 });
  fc.assert(
    fc.property(
      soup.map((parts) => parts.join('')),
      checkRequests,
    ),
    runs(5_000),
  );
});
