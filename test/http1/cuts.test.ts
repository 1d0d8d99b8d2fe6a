import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { requests, response } from '../support/messages.ts';
import { mutated } from '../support/mutations.ts';
import { runs } from '../support/property-runs.ts';
import type { Reading } from '../support/reading.ts';
import { type Asked, readRequests, readResponse } from '../support/wire.ts';
import { REQUEST_CORPUS } from './differential/request-corpus.ts';
import { RESPONSE_CORPUS } from './differential/response-corpus.ts';

/** The text in pieces that end at these offsets. */
function cutAt(text: string, offsets: readonly number[]): string[] {
  const ends = [...new Set(offsets.filter((offset) => offset > 0 && offset < text.length))].sort((a, b) => a - b);
  return [...ends, text.length].map((end, index) => text.slice(ends[index - 1] ?? 0, end)).filter(Boolean);
}

/** What was accepted, and whether all of it was; what is refused may be noticed sooner when more of it is there. */
function accepted({ messages, outcome }: Reading): string {
  return JSON.stringify([messages, outcome === 'closed']);
}

function sameWhereverCut(text: string, read: (pieces: readonly string[]) => Reading): void {
  const expected = accepted(read([text]));
  const check = (pieces: readonly string[]): void => {
    if (accepted(read(pieces)) !== expected) assert.equal(accepted(read(pieces)), expected, JSON.stringify(pieces));
  };
  check([...text]);
  for (let cut = 1; cut < text.length; cut++) check(cutAt(text, [cut]));
}

const get: Asked = { method: 'GET', upgradeTo: null, ended: true };
const offsets = fc.array(fc.nat(600), { maxLength: 12 });
const joined = requests.map((written) => written.map(({ text }) => text).join(''));

test('requests, doubtful ones too, are read the same wherever they are cut in two, and in single bytes', () => {
  for (const text of REQUEST_CORPUS) sameWhereverCut(text, readRequests);
});

test('responses, doubtful ones too, are read the same wherever they are cut in two, and in single bytes', () => {
  for (const answer of RESPONSE_CORPUS) sameWhereverCut(answer.text, (pieces) => readResponse(pieces, answer));
});

test('any valid requests are read as they were written, wherever they are cut', () => {
  fc.assert(
    fc.property(requests, offsets, (written, cuts) => {
      const text = written.map((one) => one.text).join('');
      const whole = readRequests([text]);
      assert.equal(whole.messages.length, written.length);
      let end = 0;
      for (const [index, { text: one, content, trailers }] of written.entries()) {
        end += one.length;
        const message = whole.messages[index]!;
        assert.deepEqual([message.end, message.content, message.trailers], [end, content, trailers]);
      }
      assert.equal(accepted(readRequests(cutAt(text, cuts))), accepted(whole));
    }),
    runs(3_000),
  );
});

test('any valid response is read as it was written, wherever it is cut', () => {
  fc.assert(
    fc.property(response, offsets, fc.string({ maxLength: 5 }), ({ text, content, trailers }, cuts, more) => {
      const whole = readResponse([text + more], get);
      const message = whole.messages.at(-1)!;
      assert.deepEqual([message.end, message.content, message.trailers], [text.length, content, trailers]);
      assert.equal(accepted(readResponse(cutAt(text + more, cuts), get)), accepted(whole));
    }),
    runs(3_000),
  );
});

test('mutated messages are read the same wherever they are cut', () => {
  fc.assert(
    fc.property(mutated(joined), offsets, (text, cuts) => {
      assert.equal(accepted(readRequests(cutAt(text, cuts))), accepted(readRequests([text])));
    }),
    runs(10_000),
  );
  fc.assert(
    fc.property(mutated(response.map(({ text }) => text)), offsets, (text, cuts) => {
      assert.equal(accepted(readResponse(cutAt(text, cuts), get)), accepted(readResponse([text], get)));
    }),
    runs(10_000),
  );
});
