// `perantara certs trust` on a machine of paper: the trust of this machine is never touched.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { changeTrust } from '../../../src/cli/certs/trust.ts';
import type { Config } from '../../../src/config/config.ts';
import { fine, paperMachine } from '../../certs/trust/rig.ts';
import { captured } from './captured.ts';

test('makes the root when there is none, and tells for each place what it did, could not, and what to type', async (t) => {
  const machine = await paperMachine(t);
  const storage = machine.makeFolder('storage');
  const config = { storage } as Config;
  const folder = machine.makeFolder('/usr/local/share/ca-certificates');
  writeFileSync(join(machine.makeFolder('home/ann/.pki/nssdb'), 'cert9.db'), '');
  machine.programs['update-ca-certificates'] = fine;

  const first = captured();
  assert.equal(await changeTrust(config, 'add', machine, first), 1);
  const lines = first.text().split('\n');
  assert.match(lines[0]!, /^Perantara Local Root [0-9a-f]{6} \(.*root\.pem\)$/);
  assert.equal(lines[1], "added: the system's authorities (/usr/local/share/ca-certificates)");
  assert.match(lines[2]!, /^could not: Chromium \(.*nssdb\): certutil is not installed: /);
  assert.match(lines[3]!, /^ {2}by hand: certutil -A -d sql:/);
  assert.equal(readdirSync(folder).length, 1);
  assert.equal(statSync(join(storage, 'local-ca/bundle.pem')).mode & 0o777, 0o600);

  machine.programs.certutil = fine;
  const second = captured();
  assert.equal(await changeTrust(config, 'add', machine, second), 0);
  assert.match(second.text(), /^already there: the system's .*\nalready there: Chromium/m);

  const third = captured();
  assert.equal(await changeTrust(config, 'remove', machine, third), 0);
  assert.match(third.text(), /^removed: the system's .*\nremoved: Chromium/m);
  assert.deepEqual(readdirSync(folder), []);
});

test('nothing is made in order to be undone', async (t) => {
  const machine = await paperMachine(t);
  const terminal = captured();
  assert.equal(await changeTrust({ storage: join(machine.root, 's') } as Config, 'remove', machine, terminal), 0);
  assert.equal(terminal.text(), 'There is no local root, so nothing to undo.\n');
  assert.equal(existsSync(join(machine.root, 's')), false);
});

test('a machine without any known place is told where the root lies', async (t) => {
  const machine = await paperMachine(t);
  const terminal = captured();
  assert.equal(await changeTrust({ storage: machine.makeFolder('storage') } as Config, 'add', machine, terminal), 1);
  assert.match(terminal.text(), /root\.pem\)\nNo place is known .*; import the file by hand\.\n$/);
});
