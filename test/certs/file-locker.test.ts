import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { FileLocker } from '../../src/certs/storage/file-locker.ts';
import { lockerContract } from '../contract/locker.contract.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** The real proportions, a tenth of the real times. */
const BRISK = { beatMs: 50, staleMs: 400, pollMs: 10 };
const never = new AbortController().signal;

const base = await mkdtemp(join(tmpdir(), 'perantara-locks-'));
after(() => rm(base, { recursive: true, force: true }));

lockerContract('FileLocker', async () => {
  const root = await mkdtemp(join(base, 'root-'));
  return {
    one: new FileLocker(root, BRISK),
    other: new FileLocker(root, BRISK),
    abandon: async (name) => {
      await mkdir(join(root, 'locks'), { recursive: true });
      await writeFile(join(root, 'locks', `${name}.lock`), 'somebody who was killed');
    },
  };
});

test('a holder that lives is not robbed, however long it holds', async (t) => {
  const root = await temporaryFolder(t);
  const held = await new FileLocker(root, BRISK).acquire('a', never);
  const patience = AbortSignal.timeout(3 * BRISK.staleMs);
  await assert.rejects(new FileLocker(root, BRISK).acquire('a', patience), { name: 'TimeoutError' });
  await held.assertHeld();
  await held.release();
});

test('a holder that was suspended and taken over learns that it lost the lock, and leaves the new one alone', async (t) => {
  const root = await temporaryFolder(t);
  // No beats: what a stopped process looks like to others.
  const sleeper = await new FileLocker(root, { ...BRISK, beatMs: 1_000_000 }).acquire('a', never);
  const usurper = await new FileLocker(root, BRISK).acquire('a', never);
  await assert.rejects(sleeper.assertHeld(), { code: 'lock_lost' });
  assert.equal(sleeper.lost.aborted, true);
  await sleeper.release();
  await usurper.assertHeld();
  await usurper.release();
});

test('a holder notices by itself that its lock was lost, so that the work can stop', async (t) => {
  const root = await temporaryFolder(t);
  const lock = await new FileLocker(root, BRISK).acquire('a', never);
  const lost = once(lock.lost, 'abort');
  await rm(join(root, 'locks', 'a.lock'));
  await lost;
  assert.equal((lock.lost.reason as { code: string }).code, 'lock_lost');
});

test('a process killed while holding delays the next one by the stale time only', async (t) => {
  const root = await temporaryFolder(t);
  const script = `
    import { FileLocker } from ${JSON.stringify(new URL('../../src/certs/storage/file-locker.ts', import.meta.url).href)};
    await new FileLocker(${JSON.stringify(root)}).acquire('a', new AbortController().signal);
    console.log('held');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', script]);
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'exit');
  const lock = await new FileLocker(root, BRISK).acquire('a', never);
  await lock.assertHeld();
  await lock.release();
});

test('a crash in the middle of a take-over does not block the next one', async (t) => {
  const root = await temporaryFolder(t);
  await mkdir(join(root, 'locks'));
  await writeFile(join(root, 'locks', 'a.lock'), 'dead');
  await writeFile(join(root, 'locks', 'a.lock-guard'), 'dead too');
  await (await new FileLocker(root, BRISK).acquire('a', never)).release();
  assert.deepEqual(await readdir(join(root, 'locks')), []);
});

test('an empty lock file, left by a crash between making and writing it, is taken over', async (t) => {
  const root = await temporaryFolder(t);
  await mkdir(join(root, 'locks'));
  await writeFile(join(root, 'locks', 'a.lock'), '');
  await (await new FileLocker(root, BRISK).acquire('a', never)).release();
});

test('a lock file tells a person which process holds it', async (t) => {
  const root = await temporaryFolder(t);
  const lock = await new FileLocker(root, BRISK).acquire('certificates/ca/a.example', never);
  const text = await readFile(join(root, 'locks', 'certificates', 'ca', 'a.example.lock'), 'utf8');
  assert.match(text, new RegExp(`pid ${process.pid}\\n$`));
  await lock.release();
});

test('a storage folder where no lock can be made is said to be unwritable instead of waiting for ever', async (t) => {
  const root = await temporaryFolder(t);
  await writeFile(join(root, 'locks'), '');
  await assert.rejects(new FileLocker(root, BRISK).acquire('a', never), { code: 'storage_unwritable' });
});

test('a lock that may not be read, such as one left by another user, is taken over once it stands still', async (t) => {
  const root = await temporaryFolder(t);
  await mkdir(join(root, 'locks'));
  await symlink('a.lock', join(root, 'locks', 'a.lock')); // leads to itself: not even root can read it
  const lock = await new FileLocker(root, BRISK).acquire('a', AbortSignal.timeout(20 * BRISK.staleMs));
  await lock.assertHeld();
  await lock.release();
});

test('what stands in the place of a lock and cannot be taken away is an error, not a wait for ever', async (t) => {
  const root = await temporaryFolder(t);
  await mkdir(join(root, 'locks', 'a.lock', 'x'), { recursive: true });
  const patience = AbortSignal.timeout(20 * BRISK.staleMs);
  await assert.rejects(new FileLocker(root, BRISK).acquire('a', patience), {
    code: 'storage_unwritable',
    message: /a\.lock/,
  });
});
