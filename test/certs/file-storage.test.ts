import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { FileStorage } from '../../src/certs/storage/file-storage.ts';
import { storageContract } from '../contract/storage.contract.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const base = await mkdtemp(join(tmpdir(), 'perantara-storage-'));
after(() => rm(base, { recursive: true, force: true }));

storageContract('FileStorage', async () => {
  const root = join(await mkdtemp(join(base, 'root-')), 'made', 'when needed');
  return { storage: new FileStorage(root), reopen: () => new FileStorage(root) };
});

test('files belong to the user alone: 0600 in folders of 0700', async (t) => {
  const root = join(await temporaryFolder(t), 'certs');
  const previous = process.umask(0);
  try {
    await new FileStorage(root).store('accounts/ca/key.pem', 'secret');
  } finally {
    process.umask(previous);
  }
  const mode = async (...path: string[]): Promise<number> => (await stat(join(root, ...path))).mode & 0o777;
  assert.equal(await mode('accounts', 'ca', 'key.pem'), 0o600);
  assert.equal(await mode('accounts', 'ca'), 0o700);
  assert.equal(await mode('accounts'), 0o700);
  assert.equal(await mode(), 0o700);
});

test('temporary files of a process that was killed while writing do not show', async (t) => {
  const root = await temporaryFolder(t);
  const storage = new FileStorage(root);
  await storage.store('a/b.pem', '1');
  await writeFile(join(root, 'a', '.b.pem.0123456789ab.tmp'), 'half');
  assert.deepEqual(await storage.list('a'), ['a/b.pem']);
});

test('bytes that are no text are loaded as something, not refused', async (t) => {
  const root = await temporaryFolder(t);
  await writeFile(join(root, 'a'), Buffer.from([0xff, 0x00, 0xfe, 0x41]));
  assert.match((await new FileStorage(root).load('a')) ?? '', /A$/);
});

test('a value that cannot be read is reported with its path', async (t) => {
  const root = await temporaryFolder(t);
  await symlink('a', join(root, 'a')); // leads to itself
  await assert.rejects(new FileStorage(root).load('a'), (error: Error & { code: string }) => {
    assert.equal(error.code, 'storage_unreadable');
    assert.ok(error.message.includes(join(root, 'a')));
    return true;
  });
});

test('a storage folder that is a file is said to be unwritable, with what to do', async (t) => {
  const root = join(await temporaryFolder(t), 'certs');
  await writeFile(root, '');
  const storage = new FileStorage(root);
  for (const attempt of [() => storage.assertWritable(), () => storage.store('a/b', '1')]) {
    await assert.rejects(attempt, (error: Error & { code: string; source: string }) => {
      assert.equal(error.code, 'storage_unwritable');
      assert.equal(error.source, 'operator');
      assert.match(error.message, /cannot write ".*certs.*": a file stands where a folder is needed/);
      return true;
    });
  }
});

test('asking whether the storage is writable makes its folder and leaves nothing in it', async (t) => {
  const root = join(await temporaryFolder(t), 'certs');
  await new FileStorage(root).assertWritable();
  assert.deepEqual(await readdir(root), []);
});

test('what stands in the place of a value and can be none reads as a damaged one, at once and in little memory', async (t) => {
  const root = await temporaryFolder(t);
  const storage = new FileStorage(root);
  await mkdir(join(root, 'a', 'folder', 'inner'), { recursive: true });
  execFileSync('mkfifo', [join(root, 'a', 'pipe')]);
  await symlink('/dev/zero', join(root, 'a', 'zero'));
  await writeFile(join(root, 'a', 'huge'), '');
  await truncate(join(root, 'a', 'huge'), 3 * 1024 ** 3);
  for (const name of ['folder', 'pipe', 'zero', 'huge']) assert.equal(await storage.load(`a/${name}`), '', name);
});

test('a value takes the place of a folder, which is set aside', async (t) => {
  const root = await temporaryFolder(t);
  const storage = new FileStorage(root);
  await mkdir(join(root, 'a', 'state.json', 'inner'), { recursive: true });
  await storage.store('a/state.json', '1');
  assert.equal(await storage.load('a/state.json'), '1');
  await mkdir(join(root, 'a', 'gone.json', 'inner'), { recursive: true });
  await storage.delete('a/gone.json');
  assert.equal(await storage.load('a/gone.json'), null);
  const aside = (await readdir(join(root, 'a'))).filter((name) => name.includes('.bad-'));
  assert.equal(aside.length, 2);
});
