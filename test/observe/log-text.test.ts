import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jsonText, quotedText, TEXT_CHARACTERS } from '../../src/observe/log-text.ts';

const EVERY_BYTE = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte)).join('');

test('any text is printable ASCII in a log, and JSON gives it back', () => {
  for (const text of ['', 'plain', EVERY_BYTE, '\u2028\u202e\ud83d\ude00', '"}\n{"']) {
    assert.match(jsonText(text), /^"[\x20-\x7e]*"$/);
    assert.equal(JSON.parse(jsonText(text)), text);
    assert.match(quotedText(text), /^[\x20-\x21\x23-\x7e]*$/);
  }
  assert.equal(quotedText('a"b\\c\n\xe9'), 'a\\x22b\\x5Cc\\x0A\\xE9');
});

test('a long text is cut before it is escaped', () => {
  const long = '\0'.repeat(100_000);
  assert.equal(JSON.parse(jsonText(long)), `${'\0'.repeat(TEXT_CHARACTERS)}...`);
  assert.equal(quotedText(long), `${'\\x00'.repeat(TEXT_CHARACTERS)}...`);
  const whole = 'x'.repeat(TEXT_CHARACTERS);
  assert.equal(quotedText(whole), whole);
});
