import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import {
  type BudgetLimits,
  type BudgetState,
  budgetLeft,
  FULL_BUDGET,
  failuresLeft,
  limitsOf,
  type OrderCost,
  orderAllowedAt,
  readBudget,
  settle,
  withCertificate,
  withFailure,
  withOrder,
} from '../../src/certs/renewal/budget.ts';
import { runs } from '../support/property-runs.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const start = Date.UTC(2026, 10, 24);

const limits: BudgetLimits = limitsOf('https://acme-v02.api.letsencrypt.org/directory')!;
const cost = (names: readonly string[], more: Partial<OrderCost> = {}): OrderCost => ({
  names,
  ari: false,
  renewal: false,
  ...more,
});

/** Orders one after another at `now`, each under another domain unless told; the state after them. */
function ordered(count: number, names: (index: number) => readonly string[], now = start, state = FULL_BUDGET) {
  for (let index = 0; index < count; index++) {
    assert.equal(orderAllowedAt(state, cost(names(index)), limits, now).limit, null, `order ${index}`);
    state = withOrder(state, cost(names(index)), limits, now);
  }
  return state;
}

suite('the limits of Let’s Encrypt', () => {
  test('are known by the directory; a private or another authority has none', () => {
    assert.ok(limitsOf('https://acme-staging-v02.api.letsencrypt.org/directory')!.set.capacity > 1000);
    for (const other of ['https://localhost:14000/dir', 'https://acme.zerossl.com/v2/DV90', 'nonsense'])
      assert.equal(limitsOf(other), null);
  });

  test('are kept with a margin: 150 orders at once, then one in 36 seconds', () => {
    const state = ordered(150, (index) => [`a.example${index}.com`]);
    assert.deepEqual(orderAllowedAt(state, cost(['b.example.com']), limits, start), {
      at: start + 36_000,
      limit: 'new orders of the account',
    });
    assert.equal(orderAllowedAt(state, cost(['b.example.com']), limits, start + 36_000).limit, null);
  });

  test('35 certificates for a registered domain, whatever the names under it, then one in 202 minutes', () => {
    const state = ordered(35, (index) => [`${index}.example.co.uk`, '*.example.co.uk']);
    assert.deepEqual(orderAllowedAt(state, cost(['new.example.co.uk', 'b.example.com']), limits, start), {
      at: start + 201.6 * minute,
      limit: 'certificates for example.co.uk',
    });
    assert.equal(orderAllowedAt(state, cost(['new.example.org']), limits, start).limit, null);
  });

  test('3 certificates for the same names in any order, then one in 34 hours', () => {
    const state = ordered(3, (index) =>
      index % 2 === 0 ? ['a.example.com', 'b.example.com'] : ['b.example.com', 'a.example.com'],
    );
    const next = orderAllowedAt(state, cost(['a.example.com', 'b.example.com']), limits, start);
    assert.deepEqual(next, { at: start + 33.6 * hour, limit: 'certificates for the same names' });
    assert.equal(orderAllowedAt(state, cost(['a.example.com']), limits, start).limit, null);
  });

  test('3 failed validations of a name, as wildcard or not, then one in 12 minutes', () => {
    let state = FULL_BUDGET;
    const each = cost(['*.example.com', 'b.example.com']);
    for (let count = 0; count < 3; count++)
      state = withFailure(withOrder(state, each, limits, start), each, ['*.example.com'], limits, start);
    assert.deepEqual(orderAllowedAt(state, cost(['example.com']), limits, start), {
      at: start + 12 * minute,
      limit: 'failed validations of example.com',
    });
    assert.equal(failuresLeft(state, ['b.example.com', 'example.com'], limits, start), 0);
    assert.equal(failuresLeft(state, ['b.example.com'], limits, start), 3);
    assert.equal(failuresLeft(state, ['example.com'], limits, start + 24 * minute), 2);
    assert.equal(orderAllowedAt(state, cost(['b.example.com']), limits, start).limit, null);
  });

  test('a name that failed by two types of challenge failed twice', () => {
    const each = cost(['a.example.com']);
    const state = withFailure(FULL_BUDGET, each, ['a.example.com', 'a.example.com'], limits, start);
    assert.equal(failuresLeft(state, ['a.example.com'], limits, start), 1);
  });

  test('1094 failures in a row without a success, then one a day; a success begins anew', () => {
    const each = cost(['a.example.com'], { ari: true });
    let state: BudgetState = { 'row:a.example.com': start + 1094 * day };
    assert.deepEqual(orderAllowedAt(state, each, limits, start), {
      at: start + day,
      limit: 'failed validations of a.example.com in a row',
    });
    state = withCertificate(state, each, limits, start);
    assert.equal(orderAllowedAt(state, each, limits, start).limit, null);
    assert.deepEqual(state, {});
  });

  test('a renewal, by ARI or of the same names, is exempt from the limits of orders and domains', () => {
    const used = (kind: string, forMs: number): BudgetState => ({ [kind]: start + forMs });
    const names = ['a.example.com'];
    const set = Object.keys(withOrder(FULL_BUDGET, cost(names, { renewal: true }), limits, start))[0]!;
    for (const [state, exempt] of [
      [used('orders:', 3 * hour), true],
      [used('domain:example.com', 7 * day), true],
      [used(set, 7 * day), false],
      [used('failures:a.example.com', hour), false],
      [used('row:a.example.com', 1100 * day), false],
    ] as const) {
      const isAllowed = (more: Partial<OrderCost>): boolean =>
        orderAllowedAt(state, cost(names, more), limits, start).limit === null;
      assert.deepEqual([{}, { renewal: true }, { ari: true }].map(isAllowed), [false, exempt, exempt]);
    }
  });

  test('an order that fails gives back what only certificates cost', () => {
    const each = cost(['a.example.com']);
    const state = withFailure(withOrder(FULL_BUDGET, each, limits, start), each, [], limits, start);
    assert.deepEqual(Object.keys(state), ['orders:']);
  });

  test('of several limits the one that takes longest is named', () => {
    const state = ordered(3, () => ['a.example.com']);
    const failing = withFailure(state, cost(['a.example.com']), Array(3).fill('a.example.com'), limits, start);
    assert.equal(orderAllowedAt(state, cost(['a.example.com']), limits, start).at, start + 33.6 * hour);
    assert.equal(Object.keys(failing).length, 5);
  });

  test('what is left is listed for people', () => {
    const state = ordered(3, () => ['a.example.com']);
    assert.deepEqual(budgetLeft(state, ['a.example.com'], limits, start + 36_000), [
      { limit: 'new orders of the account', left: 148, of: 150, nextAt: start + 36_000 },
      { limit: 'certificates for example.com', left: 32, of: 35, nextAt: start + 36_000 },
      { limit: 'certificates for the same names', left: 0, of: 3, nextAt: start + 33.6 * hour },
      { limit: 'failed validations of a.example.com', left: 3, of: 3, nextAt: start + 36_000 },
      { limit: 'failed validations of a.example.com in a row', left: 1094, of: 1094, nextAt: start + 36_000 },
    ]);
  });
});

suite('the state of a budget', () => {
  test('is plain JSON and forgets what is full again', () => {
    const state = ordered(100, (index) => [`a.example${index}.com`]);
    assert.deepEqual(readBudget(JSON.parse(JSON.stringify(state))), state);
    assert.equal(Object.keys(state).length, 201);
    assert.equal(Object.keys(settle(state, limits, start + 4 * hour)).length, 100);
    assert.deepEqual(settle(state, limits, start + 34 * hour), {});
  });

  test('that was damaged counts for what is readable', () => {
    const good = start + hour;
    const damaged = { 'orders:': good, 'set:x': null, 'set:y': 'many', 'set:z': [], 'set:n': Number.NaN };
    assert.deepEqual(readBudget(damaged), { 'orders:': good });
    for (const nothing of [null, 7, 'text', [1], undefined]) assert.deepEqual(readBudget(nothing), {});
    const strange = { 'unknown:x': good, '__proto__:x': good, x: good, 'orders:': good };
    assert.deepEqual(settle(strange, limits, start), { 'orders:': good });
    const names = ['constructor', '__proto__', 'tostring'];
    assert.equal(
      orderAllowedAt(withOrder(FULL_BUDGET, cost(names), limits, start), cost(names), limits, start).limit,
      null,
    );
  });

  test('that a clock far ahead wrote counts as empty, and refills from the moment it is settled', () => {
    const ahead = start + 1000 * day;
    const state = settle(
      ordered(3, () => ['a.example.com'], ahead),
      limits,
      start,
    );
    const each = cost(['a.example.com']);
    const { at } = orderAllowedAt(state, each, limits, start);
    assert.equal(at, start + 3 * 33.6 * hour);
    assert.equal(orderAllowedAt(state, each, limits, at).limit, null);
  });

  test('whatever is asked when, and however often the clock is a day ahead: the limits of the CA itself are never exceeded', () => {
    const step = fc.record({
      skewMs: fc.constantFrom(0, 0, 0, day),
      afterMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 30 * minute }), fc.integer({ min: 0, max: 3 * day })),
      name: fc.integer({ min: 0, max: 5 }),
      succeeds: fc.boolean(),
      restart: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 50, maxLength: 400 }), (steps) => {
        let state: BudgetState = FULL_BUDGET;
        let at = start;
        const ca = new Map<string, number>();
        /** A bucket as the CA keeps it, by the moment when it is full again. */
        const take = (bucket: string, capacity: number, refillMs: number): void => {
          const fullAt = Math.max(ca.get(bucket) ?? 0, at) + refillMs;
          assert.ok(fullAt - at <= capacity * refillMs + 1, `${bucket} exceeded at ${new Date(at).toISOString()}`);
          ca.set(bucket, fullAt);
        };
        for (const { skewMs, afterMs, name, succeeds, restart } of steps) {
          at += afterMs;
          const now = at + skewMs;
          if (restart) state = readBudget(JSON.parse(JSON.stringify(state)));
          const each = cost([`${name}.example.com`]);
          if (orderAllowedAt(state, each, limits, now).at > now) continue;
          state = withOrder(state, each, limits, now);
          take('orders', 300, 36_000);
          if (succeeds) {
            take('domain', 50, 201.6 * minute);
            take(`set ${name}`, 5, 33.6 * hour);
          }
          state = succeeds
            ? withCertificate(state, each, limits, now)
            : withFailure(state, each, each.names, limits, now);
        }
        assert.ok(Object.keys(state).length <= 20);
      }),
      runs(60),
    );
  });
});
