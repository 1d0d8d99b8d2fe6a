// The units for systemd: systemd itself takes them, and finds little that a stranger who got in could do.
import { deepStrictEqual, match, ok } from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../support/temporary-folder.ts';

const ROOT = join(import.meta.dirname, '../..');
const PACKAGING = join(ROOT, 'packaging');
/** systemd-analyze's own scale: 0 is safe, 10 is not. */
const EXPOSURE = 2;
const version = Number(/^systemd (\d+)/.exec(String(spawnSync('systemd-analyze', ['--version']).stdout))?.[1] ?? 0);
const TOOLS = version >= 250 ? {} : { skip: 'systemd-analyze (250 or newer) is not on PATH' };

test('the units are taken by systemd without a complaint', TOOLS, async (t) => {
  const folder = await temporaryFolder(t);
  cpSync(PACKAGING, folder, { recursive: true });
  const unit = join(folder, 'perantara.service');
  // The program is not installed here; and an older systemd does not know the type.
  const text = readFileSync(unit, 'utf8').replace('/usr/bin/perantara run', '/bin/true');
  writeFileSync(unit, version >= 253 ? text : text.replace('notify-reload', 'notify'));
  const checked = spawnSync('systemd-analyze', ['verify', '--man=no', unit, join(folder, 'perantara.socket')], {
    encoding: 'utf8',
  });
  deepStrictEqual([checked.status, checked.stdout + checked.stderr], [0, '']);
});

test(`systemd finds the service exposed by less than ${EXPOSURE} of 10`, TOOLS, async (t) => {
  const args = ['security', '--offline=true', `--threshold=${EXPOSURE * 10}`, join(PACKAGING, 'perantara.service')];
  const { status, stdout, stderr } = spawnSync('systemd-analyze', args, { encoding: 'utf8' });
  const found = /Overall exposure level for perantara\.service: ([\d.]+)/.exec(stdout)?.[1];
  t.diagnostic(`exposure ${found}`);
  deepStrictEqual([status, found !== undefined], [0, true], `${stdout}${stderr}`);
});

test('the units leave the runtime what it cannot do without, and belong to the package', () => {
  const service = readFileSync(join(PACKAGING, 'perantara.service'), 'utf8');
  ok(!/^MemoryDenyWriteExecute=(yes|true|on|1)/m.test(service), 'V8 compiles');
  match(service, /^NotifyAccess=all$/m);
  match(service, /^RestrictAddressFamilies=(?=.*AF_INET\b)(?=.*AF_INET6)(?=.*AF_UNIX)/m);
  const { files } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { files: string[] };
  ok(files.includes('packaging'));
});
