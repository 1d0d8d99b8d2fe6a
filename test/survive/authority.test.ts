// hostile-inputs item 32 through the manager: whatever the CA does, the process lives, the CA's own words are in the state,
// the next attempt is when it should be, and once the CA is well the certificate comes. Through the issuer alone:
// test/certs/acme/hostile-ca.test.ts; renewal windows: test/certs/window-check.test.ts.
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { suite, type TestContext, test } from 'node:test';
import { certificateFolder } from '../../src/certs/storage/certificate-store.ts';
import { ChangeJournal } from '../../src/certs/storage/change-journal.ts';
import { type AcmeRig, acmeRig } from '../support/acme-rig.ts';
import { obtain } from '../support/certificate-request.ts';
import { DAY, HOUR, MINUTE, World } from '../support/certificate-world.ts';
import { BAD_NONCE, type Call, type FakeAcme, problem, type Reply, type Step } from '../support/fake-acme.ts';
import { makeAuthority, mint } from '../support/minted.ts';
import { retry } from '../support/retry.ts';

const NAME = 'a.example';
const PATIENT = { deadlineMs: 60_000, pauseMs: 50 };

interface Kept extends AcmeRig {
  readonly world: World;
  /** Starts the manager; resolves when its first turn has failed. */
  failed(): Promise<void>;
  /** That long goes by; whatever is due has its turn. */
  later(ms: number): Promise<void>;
  obtained(): Promise<void>;
}

/** One name that is kept by a manager whose clock stands still, from a CA on real HTTPS. */
async function keep(t: TestContext): Promise<Kept> {
  const world = new World();
  const { clock, disk: storage } = world;
  const rig = await acmeRig(t, { clock, storage, requestTimeoutMs: 2_000, issueTimeoutMs: 3_000 });
  const { issuer } = rig;
  const manager = world.managerOf([world.wish(NAME, [world.authority(issuer)])]);
  t.after(() => manager.close());
  const heard = (message: string): Promise<void> =>
    retry(async () => ok(world.logged.messages().includes(message), world.logged.messages().join('\n')), PATIENT);
  return {
    ...rig,
    world,
    failed: async () => {
      await manager.start();
      await heard('certificate not obtained');
      await retry(async () => equal(world.held.size, 0), PATIENT);
    },
    later: async (ms) => {
      world.now += ms;
      const journal = new ChangeJournal({ storage, log: world.logged.log, clock });
      await journal.note(certificateFolder(issuer.id, NAME));
    },
    obtained: async () => {
      await manager.start();
      await world.publisher.times(1);
      await retry(async () => equal((await world.state(NAME, issuer.id)).failures, 0), PATIENT);
    },
  };
}

interface Misbehaviour {
  readonly what: string;
  /** What is wrong with the CA. */
  readonly break: (ca: FakeAcme, kept: Kept) => void;
  /** What the state says. */
  readonly words: RegExp;
  readonly kind?: 'refused' | 'limited' | 'unreachable' | 'unfit';
  /** When it is asked again. Default a minute later. */
  readonly afterMs?: number;
}

/** The answer at one step. */
function at(step: Step, reply: (call: Call) => Reply): Misbehaviour['break'] {
  return (ca) => {
    ca.script = (call) => (call.step === step ? reply(call) : null);
  };
}

const MISBEHAVIOURS: readonly Misbehaviour[] = [
  {
    what: 'refuses every nonce',
    break: (ca) => {
      ca.script = ({ request }) => (request.method === 'POST' ? BAD_NONCE : null);
    },
    words: /JWS has an invalid anti-replay nonce/,
  },
  {
    what: 'says 429 and in how many seconds to come back',
    break: at('newOrder', () => problem(429, 'rateLimited', 'too many orders', {}, { 'retry-after': '7200' })),
    words: /the CA says: too many orders \(rateLimited\)/,
    kind: 'limited',
    afterMs: 2 * HOUR,
  },
  {
    what: 'says 429 and on which date to come back',
    break: (ca, { world }) => {
      // A date has no fractions of seconds.
      world.now = Math.ceil(world.now / 1_000) * 1_000;
      const date = new Date(world.now + 3 * HOUR).toUTCString();
      ca.script = ({ step }) =>
        step === 'newOrder' ? problem(429, 'rateLimited', 'too many', {}, { 'retry-after': date }) : null;
    },
    words: /the CA says: too many \(rateLimited\)/,
    kind: 'limited',
    afterMs: 3 * HOUR,
  },
  {
    what: 'says 429 and nothing else',
    break: at('newOrder', () => ({ status: 429 })),
    words: /HTTP 429/,
    kind: 'limited',
  },
  {
    what: 'is under maintenance',
    break: at('newOrder', () => problem(503, 'serverInternal', 'Down for maintenance')),
    words: /the CA says: Down for maintenance/,
    kind: 'unreachable',
  },
  {
    what: 'is under maintenance for an hour',
    break: at('directory', () => problem(503, 'serverInternal', 'Back in an hour', {}, { 'retry-after': '3600' })),
    words: /the CA says: Back in an hour/,
    kind: 'unreachable',
    afterMs: HOUR,
  },
  {
    what: 'says 500 and no word',
    break: at('finalize', () => ({ status: 500 })),
    words: /HTTP 500/,
    kind: 'unreachable',
  },
  { what: 'never answers', break: at('newOrder', () => 'handled'), words: /no answer within 2 s/, kind: 'unreachable' },
  {
    what: 'hangs up',
    break: at('newOrder', ({ request }) => {
      request.socket.destroy();
      return 'handled';
    }),
    words: /cannot reach "localhost:\d+"/,
    kind: 'unreachable',
  },
  {
    what: 'answers JSON that is cut off',
    break: at('newOrder', () => ({ headers: { 'content-type': 'application/json' }, body: '{"status":"pend' })),
    words: /it is not JSON/,
    kind: 'unreachable',
  },
  {
    what: 'answers 10 MB of JSON',
    break: at('newOrder', () => ({ body: { padding: 'x'.repeat(10_000_000) } })),
    words: /it is larger than 1048576 bytes/,
  },
  { what: 'answers without end', break: at('newOrder', endless), words: /it is larger than|no answer within/ },
  {
    what: 'redirects',
    break: at('newOrder', () => ({ status: 302, headers: { location: 'https://localhost:1/elsewhere' } })),
    words: /it answers 302 to "https:\/\/localhost:1\/elsewhere"/,
  },
  {
    what: 'answers a page of HTML',
    break: at('newOrder', () => ({ headers: { 'content-type': 'text/html' }, body: '<html>Welcome</html>' })),
    words: /cannot/,
  },
  {
    what: 'processes an order for ever',
    break: (ca) => {
      ca.script = (call) =>
        call.step === 'order' && ca.count('finalize') > 0
          ? { body: { ...(ca.usual(call).body as object), status: 'processing', certificate: undefined } }
          : null;
    },
    words: /cannot obtain certificate for "a.example": the order is processing after 3 s/,
    kind: 'unreachable',
  },
  {
    what: 'finds no proof',
    break: (ca) => {
      ca.lookUp = () => null;
    },
    words: /cannot validate "a.example": the CA says: Invalid response: 404 \(unauthorized\)/,
    kind: 'refused',
  },
  {
    what: 'does not know the account, nor after it is registered again',
    break: at('newOrder', () => problem(400, 'accountDoesNotExist', 'no such account')),
    words: /the CA says: no such account/,
    kind: 'refused',
  },
  {
    what: 'does not know the account’s key',
    break: at('newAccount', () => problem(403, 'unauthorized', 'unknown key')),
    words: /the CA says: unknown key/,
    kind: 'refused',
  },
  {
    what: 'certifies a foreign key',
    break: at('certificate', () => ({ body: mint([NAME], makeAuthority()).certPem })),
    words: /its key belongs to another certificate/,
    kind: 'unfit',
  },
  {
    what: 'hands out no certificate',
    break: at('certificate', () => ({ body: '' })),
    words: /cannot use the certificate issued for/,
    kind: 'unfit',
  },
  {
    what: 'hands out a chain of strangers',
    break: at('certificate', ({ url }) => ({
      body: mint([url], makeAuthority(), { chain: makeAuthority().certPem }).certPem,
    })),
    words: /cannot use the certificate issued for/,
    kind: 'unfit',
  },
  {
    what: 'lives a year in the past',
    break: (ca) => {
      ca.settings.clockAheadMs = -365 * DAY;
    },
    words: /it ended at 20/,
    kind: 'unfit',
  },
  {
    what: 'has certified for a time that is over',
    break: (ca, { world, issuer }) => {
      ca.script = async ({ step }) => {
        if (step !== 'certificate') return null;
        const [key] = await world.disk.list(`orders/${issuer.id}`);
        const { keyPem } = JSON.parse((await world.disk.load(key!))!) as { keyPem: string };
        const over = { notBefore: world.now - 90 * DAY, notAfter: world.now - DAY, keyPem };
        ca.orders[0]!.leaf = mint([NAME], ca.authority, over).certPem; // and stays so
        return null;
      };
    },
    words: /it ended at 20/,
    kind: 'unfit',
  },
  {
    what: 'names an address of plain http',
    break: (ca) => {
      ca.script = (call) =>
        call.step === 'directory'
          ? { body: { ...(ca.usual(call).body as object), newOrder: 'http://localhost/x' } }
          : null;
    },
    words: /its newOrder is "http:\/\/localhost\/x"/,
  },
];

suite('a CA', { concurrency: 8 }, () => {
  for (const { what, break: spoil, words, kind = 'unreachable', afterMs = MINUTE } of MISBEHAVIOURS)
    test(`that ${what} is quoted, asked again when it should be, and forgiven`, async (t) => {
      const kept = await keep(t);
      const { ca, issuer, world, challenges } = kept;
      spoil(ca, kept);
      await kept.failed();
      const state = await world.state(NAME, issuer.id);
      match(state.lastError?.message ?? '', words);
      deepEqual([state.failures, state.lastError?.class], [1, kind]);
      equal(state.nextAttemptAt! - world.now, afterMs);
      deepEqual(world.publisher.names(), []);

      ca.script = () => null;
      ca.settings.clockAheadMs = 0;
      ca.lookUp = (host, token) => challenges.answer(host, token);
      await kept.later(afterMs);
      await kept.obtained();
      deepEqual((await world.store().read(issuer.id, NAME))?.names, [NAME]);
      deepEqual(await world.disk.list(`orders/${issuer.id}`), []);
    });

  test('that lives three days in the future is believed once our clock agrees, without another order', async (t) => {
    const kept = await keep(t);
    const { ca, issuer, world } = kept;
    ca.settings.clockAheadMs = 3 * DAY;
    await kept.failed();
    match((await world.state(NAME, issuer.id)).lastError?.message ?? '', /it begins at .* and the clock here says/);
    await kept.later(3 * DAY);
    await kept.obtained();
    deepEqual([ca.orders.length, ca.issued.length], [1, 1]);
  });

  for (const [what, script] of [
    [
      'has lost the account',
      ({ step, count }) => (step === 'newOrder' && count === 1 ? problem(400, 'accountDoesNotExist', 'gone') : null),
    ],
    [
      'refuses every second nonce',
      ({ request, count }) => (request.method === 'POST' && count % 2 === 1 ? BAD_NONCE : null),
    ],
  ] as readonly (readonly [string, (call: Call) => Reply | null])[])
    test(`that ${what} gives the certificate at the first attempt`, async (t) => {
      const kept = await keep(t);
      const { ca, world } = kept;
      ca.script = script;
      await kept.obtained();
      equal(ca.orders.length, 1);
      ok(!world.logged.messages().includes('certificate not obtained'));
    });

  test('that has moved its addresses since its directory was read gives the certificate at the first attempt', async (t) => {
    const kept = await keep(t);
    const { ca, issuer, world } = kept;
    await obtain(issuer, ['b.example'], new AbortController().signal);
    const moved = `${ca.origin}/newOrder/moved`;
    ca.script = (call) => {
      if (call.step === 'newOrder' && call.url !== moved) return { status: 404 };
      if (call.step !== 'directory') return null;
      return { body: { ...(ca.usual(call).body as object), newOrder: moved } };
    };
    await kept.obtained();
    ok(!world.logged.messages().includes('certificate not obtained'));
  });

  test('that holds the certificate for replaced before renews it all the same, at the first attempt', async (t) => {
    const kept = await keep(t);
    const { ca, issuer, world } = kept;
    const old = mint([NAME], ca.authority, { notBefore: world.now - 80 * DAY, notAfter: world.now + 10 * DAY });
    await world.store().save(issuer.id, NAME, old);
    const replaced: unknown[] = [];
    ca.script = ({ step, payload }) => {
      if (step !== 'newOrder') return null;
      replaced.push(payload?.replaces !== undefined);
      return payload?.replaces === undefined ? null : problem(409, 'alreadyReplaced', 'replaced before');
    };
    await kept.obtained();
    await retry(async () => ok(world.logged.messages().includes('certificate renewed')), PATIENT);
    deepEqual(replaced, [true, false]);
    ok(!world.logged.messages().includes('certificate not obtained'));
  });
});

/** Chunks until the client has had enough. */
function endless({ response }: Call): Reply {
  response.writeHead(200, { 'content-type': 'application/json' });
  const timer = setInterval(() => response.write(Buffer.alloc(262_144, 0x20)), 1);
  response.once('close', () => clearInterval(timer));
  return 'handled';
}
