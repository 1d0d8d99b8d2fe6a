// hostile-inputs item 31: what is asked under the challenge path while a challenge is pending, and by whom it is answered.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { ChallengeTokens } from '../../src/certs/challenges/challenge-tokens.ts';
import { SharedTokens } from '../../src/certs/challenges/shared-tokens.ts';
import { systemClock } from '../../src/core/clock.ts';
import type { Handler } from '../../src/http/exchange.ts';
import { sendPlain } from '../../src/http/plain-response.ts';
import { HostTable } from '../../src/router/host-table.ts';
import { PathTable } from '../../src/router/path-table.ts';
import { plainHandler, secureHandler } from '../../src/server/dispatch.ts';
import { startBareProxy } from '../support/bare-proxy.ts';
import { capturedLog } from '../support/captured-log.ts';
import { request } from '../support/chain.ts';
import { MemoryStorage } from '../support/memory-storage.ts';

const PATH = '/.well-known/acme-challenge/';
const TOKEN = 'token-0123456789';

/** Both kinds of listener over one site, whose route writes down what reaches it. */
async function rig(t: TestContext) {
  const reached: string[] = [];
  const route: Handler = (exchange) => {
    reached.push(exchange.request.path);
    sendPlain(exchange, 200, 'text/plain', 'site');
  };
  const sites = new HostTable(
    new Map(
      ['a.example', 'b.example'].map((host) => [
        host,
        {
          host,
          tlsTerms: 'local',
          tally: null,
          routes: new PathTable([{ path: '/*', value: { path: '/*', tally: null, handler: route } }]),
        },
      ]),
    ),
  );
  const storage = new MemoryStorage();
  const process = (): ChallengeTokens =>
    new ChallengeTokens(new SharedTokens({ storage, clock: systemClock, log: capturedLog().log }));
  const challenges = process();
  const services = { snapshot: () => ({ sites }), challenges };
  const handlers = [plainHandler(services, () => 443), secureHandler(services)];
  const clients = await Promise.all(handlers.map(async (handler) => (await startBareProxy(t, 1, handler)).connect()));
  /** The status on both listeners. */
  const ask = async (target: string, host = 'a.example', method = 'GET'): Promise<readonly [number, string][]> => {
    const answers: [number, string][] = [];
    for (const client of clients) {
      await client.send(request(target, [], method).replace('app.localhost', host));
      const { status, body } = await client.message(method === 'HEAD');
      answers.push([status, body]);
    }
    return answers;
  };
  return { reached, storage, challenges, ask, other: process() };
}

test('while a challenge is pending nothing under its path reaches a site, whatever is asked', async (t) => {
  const { reached, challenges, ask } = await rig(t);
  await challenges.present('a.example', TOKEN, 'the answer');
  for (const answer of await ask(`${PATH}${TOKEN}`)) assert.deepEqual(answer, [200, 'the answer']);
  for (const [target, host, method, status] of [
    [`${PATH}unknown-0123456789`, 'a.example', 'GET', 404],
    [`${PATH}${TOKEN}`, 'b.example', 'GET', 404],
    [`${PATH}${TOKEN}`, 'unknown.example', 'GET', 404],
    [`${PATH}${TOKEN}`, 'a.example', 'DELETE', 404],
    [`${PATH}${TOKEN}/`, 'a.example', 'GET', 404],
    [`${PATH}`, 'a.example', 'GET', 404],
    [`${PATH}%74oken-0123456789`, 'a.example', 'HEAD', 200],
    [`${PATH}${'x'.repeat(4_000)}`, 'a.example', 'GET', 404],
    [`${PATH}__proto__`, 'a.example', 'GET', 404],
    [`${PATH}constructor`, 'a.example', 'GET', 404],
    [`${PATH}x/../${TOKEN}`, 'a.example', 'GET', 200],
    [`${PATH}${TOKEN}?x=1`, 'a.example', 'GET', 200],
    [`${PATH}..%2f..%2fetc%2fpasswd`, 'a.example', 'GET', 400],
  ] as const)
    for (const [answered, body] of await ask(target, host, method)) {
      assert.equal(answered, status, `${method} ${host}${target.slice(0, 80)}`);
      if (status !== 200) assert.doesNotMatch(body, /the answer|site/);
    }
  assert.deepEqual(reached, []);
});

test('with dot segments the path is another, and the site’s', async (t) => {
  const { reached, challenges, ask } = await rig(t);
  await challenges.present('a.example', TOKEN, 'the answer');
  const [, secure] = await ask(`${PATH}../../admin`);
  assert.deepEqual(secure, [200, 'site']);
  assert.deepEqual(reached, ['/admin']);
});

test('an answer that another process presented is given too, until that process takes it back', async (t) => {
  const { other, ask, reached } = await rig(t);
  await other.present('a.example', TOKEN, 'from another process');
  for (const answer of await ask(`${PATH}${TOKEN}`)) assert.deepEqual(answer, [200, 'from another process']);
  for (const [status] of await ask(`${PATH}${TOKEN}`, 'b.example')) assert.equal(status, 404);
  await other.cleanUp('a.example', TOKEN);
  for (const [status] of await ask(`${PATH}${TOKEN}`)) assert.equal(status, 404);
  assert.deepEqual(reached, []);
});

test('a client that leaves while its token is looked for is answered nothing', async (t) => {
  const { promise, resolve } = Promise.withResolvers<string | null>();
  const asked = Promise.withResolvers<void>();
  const challenges = {
    answer: () => null,
    find: () => {
      asked.resolve();
      return promise;
    },
  };
  const services = { snapshot: () => ({ sites: new HostTable(new Map<string, never>()) }), challenges };
  const proxy = await startBareProxy(
    t,
    1,
    plainHandler(services, () => 443),
  );
  const client = await proxy.connect();
  await client.send(request(`${PATH}${TOKEN}`));
  await asked.promise;
  client.destroy();
  const second = await proxy.connect();
  resolve('late');
  await second.send(request(`${PATH}${TOKEN}`));
  assert.equal((await second.message()).body, 'late');
});
