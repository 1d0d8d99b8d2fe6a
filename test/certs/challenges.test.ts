import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { ChallengeTokens } from '../../src/certs/challenges/challenge-tokens.ts';
import { SharedTokens } from '../../src/certs/challenges/shared-tokens.ts';
import type { Storage } from '../../src/certs/storage/storage.ts';
import { capturedLog } from '../support/captured-log.ts';
import { MemoryStorage } from '../support/memory-storage.ts';

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

suite('processes that share a storage', () => {
  const TOKEN = 'token-0123456789';

  function process(storage: Storage, now = Date.now()) {
    const logged = capturedLog();
    const tokens = new ChallengeTokens(new SharedTokens({ storage, clock: { now: () => now }, log: logged.log }));
    return { tokens, logged };
  }

  test('find each other’s answers, for hosts and addresses, until they are cleaned up', async () => {
    const storage = new MemoryStorage();
    const [one, other] = [process(storage).tokens, process(storage).tokens];
    for (const host of ['a.example', '192.0.2.1', '2001:db8::1']) {
      await one.present(host, TOKEN, 'x');
      assert.equal(other.answer(host, TOKEN), null);
      assert.equal(await other.find(host, TOKEN), 'x', host);
      assert.equal(await other.find('b.example', TOKEN), null);
      await one.cleanUp(host, TOKEN);
      assert.equal(await other.find(host, TOKEN), null);
    }
    assert.equal(storage.values.size, 0);
  });

  test('believe no answer that is older than a day, and remove what the dead have left', async () => {
    const storage = new MemoryStorage();
    await process(storage, 0).tokens.present('a.example', TOKEN, 'old');
    await storage.store(`challenges/b.example/${TOKEN}`, 'damaged');
    const { tokens } = process(storage, 25 * 3_600_000);
    assert.equal(await tokens.find('a.example', TOKEN), null);
    assert.equal(await tokens.find('b.example', TOKEN), null);
    await tokens.present('c.example', TOKEN, 'new');
    assert.deepEqual([...storage.values.keys()], [`challenges/c.example/${TOKEN}`]);
  });

  test('look nothing up that cannot be a host and a token, and only so much at a time', async () => {
    const storage = new MemoryStorage();
    const looked: string[] = [];
    const gate = Promise.withResolvers<null>();
    storage.load = async (key) => {
      looked.push(key);
      return gate.promise;
    };
    const { tokens } = process(storage);
    for (const host of ['', '*', '../a.example', 'a.example:80', 'a.example\0', 'x'.repeat(100_000)])
      assert.equal(await tokens.find(host, TOKEN), null);
    for (const token of ['', 'short', '../../../../etc/passwd', `${TOKEN}/x`, 'x'.repeat(10_000)])
      assert.equal(await tokens.find('a.example', token), null);
    assert.deepEqual(looked, []);
    const flood = Promise.all(Array.from({ length: 1_000 }, () => tokens.find('a.example', TOKEN)));
    assert.ok(looked.length <= 16, `${looked.length}`);
    gate.resolve(null);
    assert.ok((await flood).every((answer) => answer === null));
  });

  test('go on alone when the storage fails, and say so', async () => {
    const storage = new MemoryStorage();
    storage.store = async () => {
      throw new Error('disk full');
    };
    const { tokens, logged } = process(storage);
    await tokens.present('a.example', TOKEN, 'x');
    assert.equal(tokens.answer('a.example', TOKEN), 'x');
    assert.deepEqual(logged.messages(), ['challenge answer not shared']);
  });
});
