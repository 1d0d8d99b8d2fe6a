import assert from 'node:assert/strict';
import { test } from 'node:test';
import { request, startChain } from '../support/chain.ts';

/** The request as the origin saw it is null when it never came. */
async function ask(t: Parameters<typeof startChain>[0], method: string, ...fields: string[]) {
  const { exchange, origin } = await startChain(t);
  const text = request('/', [...fields, 'Connection: close']).replace(/^\S+/, method);
  const response = await (await exchange(text)).message();
  return { response, seen: origin.requests[0] ?? null };
}

for (const method of ['OPTIONS', 'TRACE']) {
  test(`${method} travels on with one hop less, and a count beyond reason is brought down`, async (t) => {
    assert.deepEqual((await ask(t, method, 'Max-Forwards: 7')).seen?.fields('max-forwards'), ['6']);
    assert.deepEqual((await ask(t, method, 'max-forwards: 1')).seen?.fields('max-forwards'), ['0']);
    assert.deepEqual((await ask(t, method, `Max-Forwards: ${'9'.repeat(40)}`)).seen?.fields('max-forwards'), [
      '999999',
    ]);
    assert.deepEqual((await ask(t, method)).seen?.fields('max-forwards'), []);
  });

  test(`${method} that may travel no further is answered here, without what it said`, async (t) => {
    const { response, seen } = await ask(t, method, 'Max-Forwards: 0', 'Cookie: secret');
    assert.equal(seen, null);
    assert.equal(response.startLine, method === 'OPTIONS' ? 'HTTP/1.1 200 OK' : 'HTTP/1.1 501 Not Implemented');
    assert.doesNotMatch(response.head + response.body, /secret/);
  });

  for (const value of ['', '-1', '1.5', 'x', '1, 2'])
    test(`${method} with Max-Forwards "${value}" is refused`, async (t) => {
      const { response, seen } = await ask(t, method, `Max-Forwards: ${value}`);
      assert.equal(seen, null);
      assert.equal(response.startLine, 'HTTP/1.1 400 Bad Request');
    });
}

test('other methods do not count hops', async (t) => {
  assert.deepEqual((await ask(t, 'GET', 'Max-Forwards: 0')).seen?.fields('max-forwards'), ['0']);
});
