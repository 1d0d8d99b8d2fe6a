// What every Storage must do. A test file calls storageContract with a way to make an empty one.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Storage } from '../../src/certs/storage/storage.ts';

export interface StorageUnderTest {
  readonly storage: Storage;
  /** Another instance over the same data, as another process would have. */
  reopen(): Storage;
}

export function storageContract(name: string, make: () => Promise<StorageUnderTest>): void {
  suite(`${name} keeps the contract of Storage`, () => {
    test('a stored value is loaded again, here and by whoever opens the storage later', async () => {
      const { storage, reopen } = await make();
      await storage.store('accounts/ca/key.pem', 'ключ 🔑\n');
      assert.equal(await storage.load('accounts/ca/key.pem'), 'ключ 🔑\n');
      assert.equal(await reopen().load('accounts/ca/key.pem'), 'ключ 🔑\n');
    });

    test('storing again replaces the value whole', async () => {
      const { storage } = await make();
      await storage.store('a/b', 'a long first value');
      await storage.store('a/b', 'short');
      assert.equal(await storage.load('a/b'), 'short');
    });

    test('a value may be empty, which is not the same as missing', async () => {
      const { storage } = await make();
      await storage.store('a', '');
      assert.equal(await storage.load('a'), '');
      assert.equal(await storage.load('b'), null);
      assert.equal(await storage.load('a/below'), null);
    });

    test('writers of the same key at the same time leave one of their values', async () => {
      const { storage } = await make();
      const values = Array.from({ length: 20 }, (_, index) => String(index).repeat(10_000));
      await Promise.all(values.map((value) => storage.store('k', value)));
      assert.ok(values.includes((await storage.load('k')) ?? ''));
      assert.deepEqual(await storage.list('k'), []);
    });

    test('a deleted value is gone, and deleting it again is no error', async () => {
      const { storage } = await make();
      await storage.store('a/b', '1');
      await storage.delete('a/b');
      await storage.delete('a/b');
      assert.equal(await storage.load('a/b'), null);
    });

    test('a moved value replaces the one at its new place, and moving what is not there is no error', async () => {
      const { storage } = await make();
      await storage.store('a/from', 'new');
      await storage.store('b/to', 'old');
      await storage.move('a/from', 'b/to');
      await storage.move('a/from', 'b/to');
      assert.equal(await storage.load('a/from'), null);
      assert.equal(await storage.load('b/to'), 'new');
    });

    test('list names the keys below a folder at any depth, sorted, and nothing else', async () => {
      const { storage } = await make();
      for (const key of ['f/b/2', 'f/a', 'f/b/1', 'fg/x', 'g']) await storage.store(key, key);
      assert.deepEqual(await storage.list('f'), ['f/a', 'f/b/1', 'f/b/2']);
      assert.deepEqual(await storage.list('nothing'), []);
    });

    test('a key that could lead out of the storage is refused by every method', async () => {
      const { storage } = await make();
      const bad = [
        '../x',
        'a/../../x',
        '/etc/passwd',
        'a//b',
        '',
        '.',
        'a/.',
        '.hidden',
        'a\\b',
        'a\0b',
        'C:x',
        'a/',
        'é',
      ];
      for (const key of [...bad, 'x'.repeat(241)]) {
        const refused = { code: 'storage_key_invalid' };
        await assert.rejects(storage.store(key, ''), refused, key);
        await assert.rejects(storage.load(key), refused, key);
        await assert.rejects(storage.delete(key), refused, key);
        await assert.rejects(storage.list(key), refused, key);
        await assert.rejects(storage.move(key, 'a'), refused, key);
        await assert.rejects(storage.move('a', key), refused, key);
        assert.throws(() => storage.locate(key), refused, key);
      }
    });

    test('a storage that takes values says that it is writable, and leaves no trace of having tried', async () => {
      const { storage } = await make();
      await storage.store('a/b', '1');
      await Promise.all(Array.from({ length: 10 }, () => storage.assertWritable()));
      assert.deepEqual(await storage.list('a'), ['a/b']);
    });

    test('a person is told where a value lies', async () => {
      const { storage } = await make();
      assert.match(storage.locate('a/b.pem'), /a.b\.pem$/);
    });
  });
}
