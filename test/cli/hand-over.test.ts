// What root gives away with a storage folder, and what it keeps its hands off.
import { deepStrictEqual, throws } from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, chownSync, linkSync, lstatSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { handOver } from '../../src/cli/hand-over.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const OWNER = { uid: 65_534, gid: 65_534 };
const AS_ROOT = process.getuid?.() === 0 ? {} : { skip: 'only root can give files away' };

test(
  'a storage folder that root has made is given away with what it has in it, and not a file more',
  AS_ROOT,
  async (t) => {
    const folder = await temporaryFolder(t);
    const storage = join(folder, 'storage');
    const owner = (name: string): number => lstatSync(join(folder, name)).uid;
    mkdirSync(join(storage, 'locks/b'), { recursive: true, mode: 0o700 });
    for (const name of ['shadow', 'storage/locks/b/key.pem', 'outside.pem'])
      writeFileSync(join(folder, name), '', { mode: 0o600 });
    symlinkSync(join(folder, 'shadow'), join(storage, 'locks/link'));
    linkSync(join(folder, 'outside.pem'), join(storage, 'locks/hard'));
    // A folder of somebody else, who can put there what they like.
    mkdirSync(join(storage, 'locks/theirs'));
    chownSync(join(storage, 'locks/theirs'), 12_345, 12_345);
    writeFileSync(join(storage, 'locks/theirs/file'), '');
    mkdirSync(join(storage, 'locks/open'));
    chmodSync(join(storage, 'locks/open'), 0o777);
    writeFileSync(join(storage, 'locks/open/file'), '');
    handOver(storage, OWNER);
    const names = ['storage', 'storage/locks', 'storage/locks/b', 'storage/locks/b/key.pem', 'storage/locks/open'];
    deepStrictEqual(
      names.map(owner),
      names.map(() => 65_534),
    );
    const kept = [
      'shadow',
      'outside.pem',
      'storage/locks/hard',
      'storage/locks/link',
      'storage/locks/open/file',
      'storage/locks/theirs/file',
    ];
    deepStrictEqual(
      kept.map(owner),
      kept.map(() => 0),
    );
    deepStrictEqual(owner('storage/locks/theirs'), 12_345);
  },
);

test(
  "folders that are missing are made as the owner's; a folder that is somebody's already stays as it is",
  AS_ROOT,
  async (t) => {
    const folder = await temporaryFolder(t);
    handOver(join(folder, 'x/y'), OWNER);
    deepStrictEqual(
      ['x', 'x/y'].map((name) => lstatSync(join(folder, name)).uid),
      [65_534, 65_534],
    );
    writeFileSync(join(folder, 'x/y/root.pem'), '');
    handOver(join(folder, 'x/y'), OWNER);
    deepStrictEqual(lstatSync(join(folder, 'x/y/root.pem')).uid, 0);
    writeFileSync(join(folder, 'file'), '');
    throws(() => handOver(join(folder, 'file/x'), OWNER), /cannot give the folder ".*file\/x" to user 65534: ENOTDIR/);
  },
);

test(
  'the admin socket that a process of root has left is given away, and what a crash has left of a file',
  AS_ROOT,
  async (t) => {
    const folder = await temporaryFolder(t);
    const server = createServer().listen(join(folder, 'admin.sock'));
    t.after(() => server.close());
    await once(server, 'listening');
    const names = ['admin.sock', '.1a2b3c4d', '.orphans.json.00112233aabb.tmp', '.probe'];
    for (const name of names.slice(1)) writeFileSync(join(folder, name), '');
    handOver(folder, OWNER);
    deepStrictEqual(
      names.map((name) => lstatSync(join(folder, name)).uid),
      names.map(() => 65_534),
    );
  },
);

for (const foreign of ['passwd', '.ssh'])
  test(`a folder of root that has other things in it than ours is not given away: ${foreign}`, AS_ROOT, async (t) => {
    const folder = await temporaryFolder(t);
    for (const name of ['certificates', foreign]) mkdirSync(join(folder, name));
    throws(
      () => handOver(folder, OWNER),
      /there is "(passwd|\.ssh)" in this one; if it is no mistake: sudo chown -R 65534:65534 "/,
    );
    deepStrictEqual(
      ['', 'certificates', foreign].map((name) => lstatSync(join(folder, name)).uid),
      [0, 0, 0],
    );
  });
