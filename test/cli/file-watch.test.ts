// Real files and folders: what an editor, a deployment or Kubernetes does to a file that is watched.
import assert from 'node:assert/strict';
import { appendFileSync, chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { FileWatch, type FileWatchOptions } from '../../src/cli/file-watch.ts';
import { Changes } from '../support/fake-issuer.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const NEVER_MS = 3_600_000;

async function watched(t: TestContext, options: FileWatchOptions = { settleMs: 10, lookMs: NEVER_MS }) {
  const folder = await temporaryFolder(t);
  const file = join(folder, 'perantara.yaml');
  writeFileSync(file, 'one');
  const changes = new Changes();
  const told = { count: 0 };
  const watchOf = (path = file): FileWatch => {
    const onChange = (): void => {
      told.count++;
      changes.tell();
    };
    const watch = new FileWatch(path, onChange, options);
    t.after(() => watch.close());
    return watch;
  };
  const times = async (count: number): Promise<void> => {
    while (told.count < count) await changes.next();
  };
  return { folder, file, told, watchOf, times };
}

test('what changed between the making and the start is told', async (t) => {
  const { file, told, watchOf } = await watched(t);
  const watch = watchOf();
  writeFileSync(file, 'two');
  await watch.start();
  assert.equal(told.count, 1);
  await watch.look();
  assert.equal(told.count, 1);
});

test('one that is closed before it has started watches nothing, and one that is closed tells nothing', async (t) => {
  const { file, told, watchOf } = await watched(t);
  const early = watchOf();
  early.close();
  await early.start();
  const watch = watchOf();
  await watch.start();
  writeFileSync(file, 'two');
  const look = watch.look();
  watch.close();
  await look;
  await early.look();
  assert.equal(told.count, 0);
  assert.equal(process.getActiveResourcesInfo().includes('FSEvent'), false);
});

test('a file put in its place, a link that leads elsewhere, and a folder that is swapped are changes', async (t) => {
  const { folder, file, watchOf, times } = await watched(t);
  await watchOf().start();
  writeFileSync(`${file}.new`, 'two');
  renameSync(`${file}.new`, file);
  await times(1);
  // As Kubernetes mounts a ConfigMap: perantara.yaml → ..data/perantara.yaml, ..data → ..2026_1.
  const mount = join(folder, 'mount');
  for (const [version, text] of [
    ['..1', 'three'],
    ['..2', 'four'],
  ] as const) {
    mkdirSync(join(mount, version), { recursive: true });
    writeFileSync(join(mount, version, 'perantara.yaml'), text);
  }
  symlinkSync('..1', join(mount, '..data'));
  symlinkSync('..data/perantara.yaml', join(mount, 'perantara.yaml'));
  await watchOf(join(mount, 'perantara.yaml')).start();
  symlinkSync('..2', join(mount, '..next'));
  renameSync(join(mount, '..next'), join(mount, '..data'));
  rmSync(join(mount, '..1'), { recursive: true });
  await times(2);
});

test('a file that is away or unreadable for a moment has not changed; its new content is told when it is back', async (t) => {
  const { file, told, watchOf } = await watched(t, { settleMs: NEVER_MS, lookMs: NEVER_MS });
  const watch = watchOf();
  await watch.start();
  rmSync(file);
  await watch.look();
  mkdirSync(file);
  await watch.look();
  assert.equal(told.count, 0);
  rmSync(file, { recursive: true });
  writeFileSync(file, 'one');
  await watch.look();
  assert.equal(told.count, 0, 'it is what it was');
  chmodSync(file, 0o000);
  await watch.look();
  chmodSync(file, 0o600);
  appendFileSync(file, ' and more');
  await watch.look();
  assert.equal(told.count, 1);
});
