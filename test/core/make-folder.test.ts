import assert from 'node:assert/strict';
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeFolder } from '../../src/core/make-folder.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

test('makes a folder and those above it for this user alone, and tells the first', async (t) => {
  const root = await temporaryFolder(t);
  assert.equal(await makeFolder(join(root, 'a/b/c')), join(root, 'a'));
  assert.equal(await makeFolder(join(root, 'a/b/d')), join(root, 'a/b/d'));
  assert.equal(await makeFolder(join(root, 'a/b')), undefined);
  assert.equal((await stat(join(root, 'a/b'))).mode & 0o777, 0o700);
});

test('many at once make it together', async (t) => {
  const path = join(await temporaryFolder(t), 'a/b/c/d');
  await Promise.all(Array.from({ length: 50 }, () => makeFolder(path)));
  assert.ok((await stat(path)).isDirectory());
});

test('a file in the way is said as the file system says it', async (t) => {
  const file = join(await temporaryFolder(t), 'f');
  await writeFile(file, '');
  await assert.rejects(makeFolder(file), { code: 'EEXIST' });
  await assert.rejects(makeFolder(join(file, 'a')), { code: 'ENOTDIR' });
  await assert.rejects(makeFolder(join(file, 'a/b')), { code: 'ENOTDIR' });
});

const hasProc = process.platform === 'linux';
test('a place where nothing can be made is an error and no endless loop', {
  skip: hasProc ? false : 'no /proc',
}, async () => {
  await assert.rejects(makeFolder('/proc/no/such'), { code: 'ENOENT' });
});
