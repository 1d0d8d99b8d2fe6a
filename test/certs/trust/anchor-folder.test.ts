import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { AnchorFolder } from '../../../src/certs/trust/anchor-folder.ts';
import { findTool } from '../../support/tools.ts';
import { fine, type PaperMachine, paperMachine, sampleRoot } from './rig.ts';

const run = promisify(execFile);
const FRESH = 'update-ca-certificates --fresh';

const SYSTEMS: readonly (readonly [string, string, string, string, string])[] = [
  ['Debian, Ubuntu and Alpine', '/usr/local/share/ca-certificates', 'crt', 'update-ca-certificates', FRESH],
  ['Fedora and RHEL', '/etc/pki/ca-trust/source/anchors', 'pem', 'update-ca-trust extract', 'update-ca-trust extract'],
  ['Arch', '/etc/ca-certificates/trust-source/anchors', 'crt', 'trust extract-compat', 'trust extract-compat'],
  ['openSUSE', '/etc/pki/trust/anchors', 'pem', 'update-ca-certificates', FRESH],
];

async function found(machine: PaperMachine): Promise<AnchorFolder> {
  const store = await AnchorFolder.find(machine);
  assert.ok(store !== null);
  return store;
}

for (const [system, folder, extension, update, refresh] of SYSTEMS)
  test(`${system}: the root goes to the system's folder and leaves it again, once each`, async (t) => {
    const machine = await paperMachine(t);
    const actual = machine.makeFolder(folder);
    machine.programs[update.split(' ')[0]!] = fine;
    const root = sampleRoot(machine);
    const store = await found(machine);
    assert.equal(store.name, `the system's authorities (${folder})`);

    assert.deepEqual(await store.add(root), { done: 'added' });
    const file = `perantara-${root.sha256.slice(0, 8).toLowerCase()}.${extension}`;
    assert.deepEqual(readdirSync(actual), [file]);
    assert.equal(readFileSync(join(actual, file), 'utf8'), root.pem);
    assert.equal(statSync(join(actual, file)).mode & 0o777, 0o644);
    assert.deepEqual(await store.add(root), { done: 'already there' });
    assert.deepEqual(machine.commands, [update]);

    assert.deepEqual(await store.remove(root), { done: 'removed' });
    assert.deepEqual(readdirSync(actual), []);
    assert.deepEqual(await store.remove(root), { done: 'not there' });
    assert.deepEqual(machine.commands, [update, refresh]);
  });

test('a system without any of the folders has no such store', async (t) => {
  assert.equal(await AnchorFolder.find(await paperMachine(t)), null);
});

test('without rights it says so and shows the command', {
  skip: process.getuid?.() === 0 ? 'root may write everywhere' : false,
}, async (t) => {
  const machine = await paperMachine(t);
  const folder = machine.makeFolder('/usr/local/share/ca-certificates');
  chmodSync(folder, 0o500);
  t.after(() => chmodSync(folder, 0o700));
  const root = sampleRoot(machine);
  assert.match(
    JSON.stringify(await (await found(machine)).add(root)),
    /it takes the rights of root.*sudo install -m 644/,
  );
});

test('when the bundles cannot be made, the folder is as before, and the next run tries again', async (t) => {
  const machine = await paperMachine(t);
  const folder = machine.makeFolder('/usr/local/share/ca-certificates');
  const root = sampleRoot(machine);
  const store = await found(machine);
  const path = `/usr/local/share/ca-certificates/perantara-${root.sha256.slice(0, 8).toLowerCase()}.crt`;
  const byHand = `sudo install -m 644 ${root.file} ${path} && sudo update-ca-certificates`;
  assert.deepEqual(await store.add(root), {
    done: 'failed',
    reason: 'update-ca-certificates is not installed',
    byHand,
  });
  assert.deepEqual(readdirSync(folder), []);
  machine.programs['update-ca-certificates'] = () => ({ code: 1, output: 'working\nno space left\n' });
  assert.deepEqual(await store.add(root), {
    done: 'failed',
    reason: 'update-ca-certificates says: no space left',
    byHand,
  });
  machine.programs['update-ca-certificates'] = fine;
  assert.deepEqual(await store.add(root), { done: 'added' });
});

test('the real update-ca-certificates, in folders of its own, makes bundles that openssl believes', async (t) => {
  const program = await realUpdate(t);
  if (program === null) return;
  const machine = await paperMachine(t);
  const local = machine.makeFolder('/usr/local/share/ca-certificates');
  const [certs, bundles, hooks] = ['certs', 'etc-certs', 'hooks'].map((name) => machine.makeFolder(name));
  const settings = ['--certsconf', '/dev/null', '--certsdir', certs!, '--localcertsdir', local];
  machine.programs['update-ca-certificates'] = async (args) => {
    const { stdout } = await run(program, [...args, ...settings, '--etccertsdir', bundles!, '--hooksdir', hooks!]);
    return { code: 0, output: stdout };
  };
  const root = sampleRoot(machine);
  const store = await found(machine);
  const openssl = await findTool('openssl');
  const believed = async (): Promise<boolean> =>
    run(openssl, ['verify', '-CAfile', join(bundles!, 'ca-certificates.crt'), root.file]).then(
      () => true,
      () => false,
    );
  assert.deepEqual(await store.add(root), { done: 'added' });
  assert.equal(await believed(), true);
  assert.deepEqual(await store.remove(root), { done: 'removed' });
  assert.doesNotMatch(readdirSync(bundles!).join('\n'), /perantara/);
});

/** null after saying why the test is skipped. */
async function realUpdate(t: TestContext): Promise<string | null> {
  const path = '/usr/sbin/update-ca-certificates';
  const script = await readFile(path, 'utf8').catch(() => '');
  if (script.includes('--localcertsdir)')) return path;
  t.skip('no update-ca-certificates here that can work in other folders');
  return null;
}
