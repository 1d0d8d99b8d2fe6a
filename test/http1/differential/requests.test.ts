import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import * as llhttp from '../../support/llhttp.ts';
import { requests } from '../../support/messages.ts';
import { mutated } from '../../support/mutations.ts';
import { runs } from '../../support/property-runs.ts';
import { type Difference, difference } from '../../support/reading.ts';
import { readRequests } from '../../support/wire.ts';
import { explains } from './deliberate.ts';
import { REQUEST_DIFFERENCES } from './deliberate-differences.ts';
import { REQUEST_CORPUS } from './request-corpus.ts';

/** In single bytes, so that each offset is exact. */
async function compare(text: string): Promise<Difference | null> {
  const theirs = await llhttp.readRequests([...text]);
  return difference(readRequests([...text.slice(0, theirs.readTo)]), theirs);
}

async function check(text: string): Promise<void> {
  const found = await compare(text);
  if (found !== null && !REQUEST_DIFFERENCES.some((row) => explains(row, text, found))) {
    assert.fail(`${found.kind} than llhttp without a reason: ${found.what}\n${JSON.stringify(text)}`);
  }
}

test('requests: each deliberate difference from llhttp is still one', async () => {
  for (const row of REQUEST_DIFFERENCES) {
    for (const example of row.examples) {
      const found = await compare(example);
      const shown = JSON.stringify(example.slice(0, 200));
      assert.equal(found?.kind, row.kind, `${row.what}: ${shown} ${found?.what}`);
      assert.ok(explains(row, example, found!), `${row.what} does not cover ${shown}`);
    }
  }
});

test('requests: the corpus is accepted, framed and refused as llhttp does it, but for the deliberate differences', async () => {
  for (const text of REQUEST_CORPUS) await check(text);
});

test('requests: valid ones are read by llhttp just as they are by us', async () => {
  await fc.assert(
    fc.asyncProperty(requests, async (written) => {
      const text = written.map((one) => one.text).join('');
      assert.equal(await compare(text), null, JSON.stringify(text));
    }),
    runs(1_000),
  );
});

test('requests: mutated ones are accepted, framed and refused as llhttp does it, but for the deliberate differences', async () => {
  const source = fc.oneof(
    requests.map((written) => written.map((one) => one.text).join('')),
    fc.constantFrom(...REQUEST_CORPUS),
  );
  await fc.assert(fc.asyncProperty(mutated(source), check), runs(12_000));
});
