import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { findTrustStores } from '../../../src/certs/trust/find-stores.ts';
import { NssDatabase } from '../../../src/certs/trust/nss-database.ts';
import { findTool } from '../../support/tools.ts';
import { fine, paperMachine, sampleRoot } from './rig.ts';

const run = promisify(execFile);

test('profiles of Chromium and of every Firefox are found; folders without a database are not', async (t) => {
  const machine = await paperMachine(t);
  const profiles = ['.pki/nssdb', '.mozilla/firefox/x.default', 'snap/firefox/common/.mozilla/firefox/y.default'];
  for (const profile of profiles) writeFileSync(join(machine.makeFolder(`home/ann/${profile}`), 'cert9.db'), '');
  machine.makeFolder('home/ann/.mozilla/firefox/Crash Reports');
  machine.makeFolder('/usr/local/share/ca-certificates');
  assert.deepEqual(
    (await findTrustStores(machine)).map(({ name }) => name.replace(machine.home, '~')),
    [
      "the system's authorities (/usr/local/share/ca-certificates)",
      'Chromium (~/.pki/nssdb)',
      'Firefox (~/.mozilla/firefox/x.default)',
      'Firefox (snap) (~/snap/firefox/common/.mozilla/firefox/y.default)',
    ],
  );
});

test('without certutil it says which package has it and shows the command', async (t) => {
  const machine = await paperMachine(t);
  const folder = machine.makeFolder('home/ann/.pki/nssdb');
  writeFileSync(join(folder, 'cert9.db'), '');
  const root = sampleRoot(machine);
  const [store] = await NssDatabase.find(machine);
  const outcome = await store!.add(root);
  assert.match(JSON.stringify(outcome), /certutil is not installed: it is in libnss3-tools \(Debian\)/);
  assert.ok(outcome.done === 'failed');
  assert.equal(outcome.byHand, `certutil -A -d sql:${folder} -n '${root.name}' -t C,, -i ${root.file}`);
});

test("Windows' own certutil is not taken for NSS's", async (t) => {
  const machine = await paperMachine(t, 'win32');
  writeFileSync(join(machine.makeFolder('home/ann/.pki/nssdb'), 'cert9.db'), '');
  machine.programs.certutil = fine;
  assert.deepEqual(await NssDatabase.find(machine), []);
});

test("NSS's real certutil puts the root into a real database and takes it out again", async (t) => {
  const machine = await paperMachine(t);
  const certutil = await findTool('certutil').catch((error: Error) => t.skip(error.message));
  if (certutil === undefined) return;
  machine.programs.certutil = (args) =>
    run(certutil, [...args]).then(
      ({ stdout }) => ({ code: 0, output: stdout }),
      (error: { code: number; stderr: string }) => ({ code: error.code, output: error.stderr }),
    );
  const folder = machine.makeFolder('home/ann/.pki/nssdb');
  await run(certutil, ['-N', '-d', `sql:${folder}`, '--empty-password']);
  const root = sampleRoot(machine);
  const [store] = await NssDatabase.find(machine);
  const listed = async (): Promise<string> => (await run(certutil, ['-L', '-d', `sql:${folder}`])).stdout;

  assert.deepEqual(await store!.remove(root), { done: 'not there' });
  assert.deepEqual(await store!.add(root), { done: 'added' });
  assert.match(await listed(), /Perantara Local Root 0a1b2c +C,,/);
  assert.deepEqual(await store!.add(root), { done: 'already there' });
  assert.deepEqual(await store!.remove(root), { done: 'removed' });
  assert.doesNotMatch(await listed(), /Perantara/);
});
