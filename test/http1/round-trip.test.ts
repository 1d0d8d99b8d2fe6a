import assert from 'node:assert/strict';
import { METHODS } from 'node:http';
import { test } from 'node:test';
import fc from 'fast-check';
import * as llhttp from '../support/llhttp.ts';
import { request } from '../support/messages.ts';
import { runs } from '../support/property-runs.ts';
import { difference, type Reading } from '../support/reading.ts';
import * as grammar from '../support/strict-grammar.ts';
import { type Asked, type Outgoing, readRequests, readResponse, writeRequest, writeResponse } from '../support/wire.ts';

const token = fc.stringMatching(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,12}$/);
const value = fc.stringMatching(/^([!-~\x80-\xff]([\t !-~\x80-\xff]{0,20}[!-~\x80-\xff])?)?$/);
const flat = fc
  .array(
    fc.tuple(
      token.map((name) => `X-${name}`),
      value,
    ),
    { maxLength: 6 },
  )
  .map((list) => list.flat());
const chunk = fc.stringMatching(/^[\x00-\xff]{1,40}$/);

const message: fc.Arbitrary<Outgoing> = fc
  .record({
    flat,
    chunks: fc.array(chunk, { maxLength: 6 }),
    framing: fc.constantFrom('length', 'chunked'),
    trailers: flat,
  })
  .map((one) => (one.framing === 'length' ? { ...one, trailers: [] } : one));
const method = token.filter((name) => name !== 'CONNECT');
const target = fc.stringMatching(/^(\/[a-z0-9!$&'()*+,;=:@_~-]{1,6}){1,3}(\?[!$-[\]-~]{0,8})?$/);
const get: Asked = { method: 'GET', upgradeTo: null, ended: false };

const FRAMING = /^(?:content-length|transfer-encoding)$/i;

/** The fields that were written, less the framing field behind them. */
const without = (fields: readonly string[], framing: RegExp): string[] =>
  fields.filter((_, index) => !framing.test(fields[index - (index % 2)]!));

function isWhatWasWritten({ messages }: Reading, text: string, start: readonly string[], written: Outgoing): void {
  const [read] = messages;
  assert.equal(messages.length, 1, text);
  assert.deepEqual(read!.start, start, text);
  assert.deepEqual(without(read!.fields, /^(?:host|content-length|transfer-encoding)$/i), written.flat, text);
  assert.equal(read!.content, written.chunks.join(''), text);
  assert.deepEqual(read!.trailers, written.trailers, text);
  assert.equal(read!.end, text.length, text);
}

test('a request that is written is read back, by us and by the strict grammar', () => {
  fc.assert(
    fc.property(method, target, message, (verb, where, written) => {
      const text = writeRequest({ method: verb, target: where }, { ...written, flat: ['Host', 'a', ...written.flat] });
      const start = [verb, where, '1.1'];
      for (const reading of [readRequests([text]), grammar.readRequests(text)])
        isWhatWasWritten(reading, text, start, written);
    }),
    runs(3_000),
  );
});

test('a response that is written is read back, by us and by the strict grammar', () => {
  fc.assert(
    fc.property(fc.integer({ min: 200, max: 599 }), value, message, (status, reason, written) => {
      fc.pre(status !== 204 && status !== 304);
      const text = writeResponse(status, reason === '' ? 'x' : reason, written);
      const start = ['1.1', String(status), reason === '' ? 'x' : reason];
      for (const reading of [readResponse([text], get), grammar.readResponse(text)])
        isWhatWasWritten(reading, text, start, written);
    }),
    runs(3_000),
  );
});

test('what is written, llhttp reads as the same messages, several in a row and with the same ends', async () => {
  const known = fc.constantFrom(...METHODS.filter((name) => name !== 'CONNECT'));
  const outgoing = fc
    .tuple(known, target, message)
    .map(([verb, where, written]) =>
      writeRequest({ method: verb, target: where }, { ...written, flat: ['Host', 'a', ...written.flat] }),
    );
  await fc.assert(
    fc.asyncProperty(fc.array(outgoing, { minLength: 1, maxLength: 3 }), async (texts) => {
      const text = texts.join('');
      const ours = readRequests([text]);
      assert.equal(ours.messages.length, texts.length);
      assert.equal(difference(ours, await llhttp.readRequests([...text])), null, text);
    }),
    runs(500),
  );
  await fc.assert(
    fc.asyncProperty(message, async (written) => {
      const text = writeResponse(200, 'OK', written);
      const theirs = await llhttp.readResponse([...text], get);
      isWhatWasWritten(theirs, text, ['1.1', '200', 'OK'], written);
    }),
    runs(500),
  );
});

test('any valid request, written anew as it was read, is the same request', () => {
  fc.assert(
    fc.property(request, ({ text }) => {
      const [once] = readRequests([text]).messages;
      const { start, fields, content, trailers } = once!;
      const isChunked = grammar.values(fields, 'transfer-encoding').length > 0;
      const line = { method: start[0]!, target: start[1]! };
      const written: Outgoing = {
        flat: without(fields, FRAMING),
        chunks: content === '' ? [] : [content],
        framing: isChunked ? 'chunked' : 'length',
        trailers,
      };
      const [again] = readRequests([writeRequest(line, written)]).messages;
      assert.deepEqual(without(again!.fields, FRAMING), written.flat, text);
      assert.deepEqual([again!.start, again!.content, again!.trailers], [start, content, trailers], text);
    }),
    runs(2_000),
  );
});
