// `perantara check` as people see it.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { finding } from '../../src/certs/preflight/finding.ts';
import { report } from '../../src/cli/check.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { captured } from './certs/captured.ts';
import { perantara } from './command.ts';

const FINDINGS = [
  finding('name', 'ok', '"a.example" can be certified'),
  finding('http-01', 'unknown', 'port 80 cannot be reached', 'try from outside'),
  finding('caa', 'problem', 'a.example allows "\x1b[31mother"', 'add a record'),
];

test('each line says ok or what to do', () => {
  const terminal = captured();
  report('a.example', FINDINGS, false, terminal);
  assert.equal(
    terminal.text(),
    [
      'ok       name: "a.example" can be certified',
      'unknown  http-01: port 80 cannot be reached',
      '         → try from outside',
      'problem  caa: a.example allows "\\u001b[31mother"',
      '         → add a record',
      '1 problem keeps a.example from its certificate',
      '',
    ].join('\n'),
  );
});

test('programs get JSON with stable names', () => {
  const terminal = captured();
  report('a.example', FINDINGS, true, terminal);
  const { name, ok, findings } = JSON.parse(terminal.text()) as { name: string; ok: boolean; findings: object[] };
  assert.deepEqual(
    [name, ok, Object.keys(findings[0]!)],
    ['a.example', false, ['check', 'verdict', 'found', 'advice']],
  );
});

test('a real check of a name that nobody can look up ends with 1', async (t) => {
  const folder = await temporaryFolder(t);
  const acme = { directory: 'https://127.0.0.1:9/dir' };
  const listen = { http: '127.0.0.1:0', https: '127.0.0.1:0' };
  const config = { acme, listen, storage: './s', sites: { 'a.example.com': 3000, localhost: 3000 } };
  await writeFile(join(folder, 'perantara.yaml'), JSON.stringify(config));
  const { code, out } = perantara(['check', 'a.example.com', '--resolver', '127.0.0.1:9'], folder);
  assert.equal(code, 1);
  assert.match(out, /^problem {2}directory: 127\.0\.0\.1:9 does not answer as an authority/m);
  assert.match(out, /^problem {2}address: its A records cannot be looked up: no resolver answers$/m);
  assert.match(out, /^ok {7}storage: /m);
  assert.match(out, /problems keep a\.example\.com from its certificate\n$/);
});

test('names of the local CA need no check', async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'perantara.yaml'), 'sites: { localhost: 3000 }\n');
  const { code, out } = perantara(['check', 'LOCALHOST'], folder);
  assert.deepEqual([code, out], [0, 'localhost uses the local CA: no authority is asked\n']);
});
