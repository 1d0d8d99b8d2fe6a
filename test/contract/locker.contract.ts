// What every Locker must do. A test file calls lockerContract with a way to make two over the same storage, as two
// processes have them, and to make a holder die without releasing.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Lock, Locker } from '../../src/certs/storage/storage.ts';

export interface LockersUnderTest {
  readonly one: Locker;
  readonly other: Locker;
  /** Takes `name` as a process that is killed right afterwards: never refreshed, never released. */
  abandon(name: string): Promise<void>;
}

export function lockerContract(name: string, make: () => Promise<LockersUnderTest>): void {
  suite(`${name} keeps the contract of Locker`, () => {
    const never = new AbortController().signal;

    test('the second waits until the first has released', async () => {
      const { one, other } = await make();
      const order: string[] = [];
      const first = await one.acquire('certificates/ca/a.example', never);
      const second = other.acquire('certificates/ca/a.example', never).then((lock) => {
        order.push('second holds');
        return lock;
      });
      await first.assertHeld();
      order.push('first releases');
      await first.release();
      await (await second).release();
      assert.deepEqual(order, ['first releases', 'second holds']);
    });

    test('twenty rivals hold it one after another, never two at once', async () => {
      const { one, other } = await make();
      let holders = 0;
      let turns = 0;
      const rival = async (locker: Locker): Promise<void> => {
        const lock = await locker.acquire('busy', never);
        assert.equal(++holders, 1);
        await lock.assertHeld();
        await new Promise(setImmediate);
        turns++;
        assert.equal(holders--, 1);
        await lock.release();
      };
      await Promise.all(Array.from({ length: 20 }, (_, index) => rival(index % 2 === 0 ? one : other)));
      assert.equal(turns, 20);
    });

    test('locks of different names do not wait for each other', async () => {
      const { one, other } = await make();
      const locks = [await one.acquire('a', never), await one.acquire('b', never), await other.acquire('a-b', never)];
      for (const lock of locks) await lock.release();
    });

    test('a lock whose holder was killed is taken over', async () => {
      const { one, abandon } = await make();
      await abandon('orphan');
      const lock = await one.acquire('orphan', never);
      await lock.assertHeld();
      await lock.release();
    });

    test('of many that find a dead holder exactly one at a time takes over', async () => {
      const { one, other, abandon } = await make();
      await abandon('orphan');
      let holders = 0;
      const rival = async (locker: Locker): Promise<void> => {
        const lock = await locker.acquire('orphan', never);
        assert.equal(++holders, 1);
        for (let turn = 0; turn < 20; turn++) await lock.assertHeld();
        assert.equal(holders--, 1);
        await lock.release();
      };
      await Promise.all(Array.from({ length: 12 }, (_, index) => rival(index % 2 === 0 ? one : other)));
    });

    test('who waits stops waiting when told to, with the reason given, and does not get the lock later', async () => {
      const { one, other } = await make();
      const held = await one.acquire('a', never);
      const abort = new AbortController();
      const waiting = other.acquire('a', abort.signal);
      abort.abort(new Error('shutting down'));
      await assert.rejects(waiting, /shutting down/);
      await held.release();
      await (await one.acquire('a', never)).release();
    });

    test('a signal that is aborted already takes no lock', async () => {
      const { one, other } = await make();
      await assert.rejects(one.acquire('a', AbortSignal.abort(new Error('too late'))), /too late/);
      await (await other.acquire('a', never)).release();
    });

    test('releasing twice is harmless, even when the next one already holds it', async () => {
      const { one, other } = await make();
      const first = await one.acquire('a', never);
      await first.release();
      const second = await other.acquire('a', never);
      await first.release();
      await second.assertHeld();
      await second.release();
    });

    test('a released lock does not count as held', async () => {
      const { one } = await make();
      const lock: Lock = await one.acquire('a', never);
      await lock.release();
      await assert.rejects(lock.assertHeld(), { code: 'lock_lost' });
    });

    test('a name that could lead out of the storage is refused', async () => {
      const { one } = await make();
      await assert.rejects(one.acquire('../a', never), { code: 'storage_key_invalid' });
    });
  });
}
