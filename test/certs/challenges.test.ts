import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChallengeTokens } from '../../src/certs/challenges.ts';

test('a presented token is answered for its host alone, in any case of the host', async () => {
  const tokens = new ChallengeTokens();
  await tokens.present('A.example', 'token', 'token.thumbprint');
  assert.equal(tokens.answer('a.EXAMPLE', 'token'), 'token.thumbprint');
  assert.equal(tokens.answer('a.example.', 'token'), 'token.thumbprint');
  assert.equal(tokens.answer('b.example', 'token'), null);
  assert.equal(tokens.answer('a.example', 'TOKEN'), null);
});

test('a token that was cleaned up is answered no more, others of the host still are', async () => {
  const tokens = new ChallengeTokens();
  await tokens.present('a.example', 'one', '1');
  await tokens.present('a.example', 'two', '2');
  await tokens.cleanUp('A.EXAMPLE', 'one');
  await tokens.cleanUp('a.example', 'never presented');
  await tokens.cleanUp('b.example', 'one');
  assert.equal(tokens.answer('a.example', 'one'), null);
  assert.equal(tokens.answer('a.example', 'two'), '2');
});

test('an address is answered however it is written, for certificates of IP addresses (RFC 8738)', async () => {
  const tokens = new ChallengeTokens();
  await tokens.present('2001:db8::1', 'token', 'x');
  assert.equal(tokens.answer('[2001:DB8:0:0::1]', 'token'), 'x');
});

test('hosts and tokens from outside that are no hosts and tokens are answered with nothing', async () => {
  const tokens = new ChallengeTokens();
  await tokens.present('a.example', 'token', 'x');
  for (const host of ['', '*', '../a.example', 'a.example:80', '__proto__', 'a.example\0', 'x'.repeat(100_000)])
    assert.equal(tokens.answer(host, 'token'), null, host.slice(0, 20));
  for (const token of ['', '../token', '__proto__', 'constructor'])
    assert.equal(tokens.answer('a.example', token), null);
});
