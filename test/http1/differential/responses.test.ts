import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import * as llhttp from '../../support/llhttp.ts';
import { response } from '../../support/messages.ts';
import { mutated } from '../../support/mutations.ts';
import { runs } from '../../support/property-runs.ts';
import { type Difference, difference } from '../../support/reading.ts';
import { readResponse } from '../../support/wire.ts';
import { explains } from './deliberate.ts';
import { RESPONSE_DIFFERENCES } from './deliberate-differences.ts';
import { type Answer, RESPONSE_CORPUS } from './response-corpus.ts';

/** In single bytes, so that each offset is exact. */
async function compare(answer: Answer): Promise<Difference | null> {
  const pieces = [...answer.text];
  return difference(readResponse(pieces, answer), await llhttp.readResponse(pieces, answer));
}

async function check(answer: Answer): Promise<void> {
  const found = await compare(answer);
  if (found !== null && !RESPONSE_DIFFERENCES.some((row) => explains(row, answer.text, found))) {
    assert.fail(`${found.kind} than llhttp without a reason: ${found.what}\n${JSON.stringify(answer)}`);
  }
}

const asGet = (text: string): Answer => ({ text, method: 'GET', upgradeTo: null, ended: false });

test('responses: each deliberate difference from llhttp is still one', async () => {
  for (const row of RESPONSE_DIFFERENCES) {
    for (const example of row.examples) {
      const found = await compare(asGet(example));
      const shown = JSON.stringify(example.slice(0, 200));
      assert.equal(found?.kind, row.kind, `${row.what}: ${shown} ${found?.what}`);
      assert.ok(explains(row, example, found!), `${row.what} does not cover ${shown}`);
    }
  }
});

test('responses: the corpus is accepted, framed and refused as llhttp does it, but for the deliberate differences', async () => {
  for (const answer of RESPONSE_CORPUS) await check(answer);
});

test('responses: valid ones are read by llhttp just as they are by us', async () => {
  await fc.assert(
    fc.asyncProperty(response, fc.string({ maxLength: 5 }), async ({ text }, more) => {
      const answer = asGet(text + more);
      assert.equal(await compare(answer), null, JSON.stringify(answer));
    }),
    runs(1_000),
  );
});

test('responses: mutated ones are accepted, framed and refused as llhttp does it, but for the deliberate differences', async () => {
  const texts = mutated(
    fc.oneof(
      response.map(({ text }) => text),
      fc.constantFrom(...RESPONSE_CORPUS.map(({ text }) => text)),
    ),
  );
  const answers = fc.record({
    text: texts,
    method: fc.constantFrom('GET', 'GET', 'GET', 'HEAD'),
    upgradeTo: fc.constantFrom(null, null, null, 'x'),
    ended: fc.boolean(),
  });
  await fc.assert(fc.asyncProperty(answers, check), runs(12_000));
});
