import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { writeFileAtomic } from '../../src/core/atomic-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'perantara-atomic-'));
after(() => rmSync(folder, { recursive: true }));

describe('an atomic write', () => {
  it('makes the file and its folders for their owner only', async () => {
    const path = join(folder, 'a/b/key.pem');
    await writeFileAtomic(path, 'secret');
    assert.equal(readFileSync(path, 'utf8'), 'secret');
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.equal(statSync(join(folder, 'a/b')).mode & 0o777, 0o700);
  });

  it('replaces the content and the mode of a file', async () => {
    const path = join(folder, 'old.pem');
    writeFileSync(path, 'old and much longer');
    chmodSync(path, 0o644);
    await writeFileAtomic(path, new Uint8Array([110, 101, 119]));
    assert.equal(readFileSync(path, 'utf8'), 'new');
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  it('takes another mode when asked', async () => {
    const path = join(folder, 'public.pem');
    await writeFileAtomic(path, 'x', 0o644);
    assert.equal(statSync(path).mode & 0o777, 0o644);
  });

  it('leaves no temporary file, neither after success nor after failure', async () => {
    const place = join(folder, 'clean');
    mkdirSync(join(place, 'taken'), { recursive: true });
    writeFileSync(join(place, 'taken/inside'), '');
    await assert.rejects(writeFileAtomic(join(place, 'taken'), 'x'));
    await writeFileAtomic(join(place, 'fine'), 'x');
    assert.deepEqual(readdirSync(place).toSorted(), ['fine', 'taken']);
  });

  it('shows readers a whole file at every moment', async () => {
    const path = join(folder, 'busy');
    const contents = Array.from({ length: 20 }, (_, i) => String(i % 10).repeat(50_000));
    await writeFileAtomic(path, contents[0]!);
    const writing = Promise.all(contents.map((content) => writeFileAtomic(path, content)));
    let done = false;
    writing.then(() => {
      done = true;
    });
    while (!done) {
      assert.match(readFileSync(path, 'utf8'), /^(\d)\1{49999}$/);
      await new Promise(setImmediate);
    }
    await writing;
  });
});
