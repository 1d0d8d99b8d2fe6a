// The verbs that read or write files and end by themselves: validate, certs, schema, and run with a bad file.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, it } from 'node:test';
import type { Inventory } from '../../src/certs/inventory.ts';
import { perantara, runHere } from './command.ts';

const root = mkdtempSync(join(tmpdir(), 'perantara-cli-'));
after(() => rmSync(root, { recursive: true }));
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(root, 'case-'));
});

function write(path: string, text: string): void {
  mkdirSync(join(folder, path, '..'), { recursive: true });
  writeFileSync(join(folder, path), text);
}

describe('validate', () => {
  it('ends with 0 for a file that can be used, and says what is in it', async () => {
    write('perantara.yaml', 'sites: { app.example.com: 3000, localhost: 3000 }\n');
    const { code, out, err } = await runHere(['validate'], folder);
    assert.deepEqual([code, err], [0, '']);
    assert.equal(out, 'perantara.yaml: valid; 2 sites: 1 by ACME, 1 by the local CA\n');
  });

  it('shows warnings and still ends with 0', async () => {
    write('perantara.yaml', 'sites: { "app.example.com:443": 3000 }\n');
    const { code, err } = await runHere(['validate'], folder);
    assert.equal(code, 0);
    assert.match(
      err,
      /^warning: perantara\.yaml:1:10: check sites\."app\.example\.com:443": the port 443 has no effect/,
    );
  });

  it('ends with 1 and every mistake on its own line', async () => {
    write('perantara.yaml', 'emial: x\ntimeouts: { head: 30 }\nsites: { localhost: ftps://x }\n');
    const { code, out, err } = await runHere(['validate'], folder);
    assert.deepEqual([code, out], [1, '']);
    const lines = err.trimEnd().split('\n');
    assert.deepEqual(
      lines.map((line) => /^[\w.]+:\d+:\d+/.exec(line)?.[0] ?? line),
      ['perantara.yaml:1:1', 'perantara.yaml:2:19', 'perantara.yaml:3:21', '3 problems'],
    );
  });

  it('does not flood the terminal', async () => {
    write('perantara.yaml', `sites:\n${Array.from({ length: 200 }, (_, i) => `  s${i}: true\n`).join('')}`);
    const lines = (await runHere(['validate'], folder)).err.trimEnd().split('\n');
    assert.equal(lines.length, 52);
    assert.deepEqual(lines.slice(-2), ['and 150 more', '200 problems']);
  });

  it('takes the file of --config, in either spelling, and names it as it was typed', async () => {
    write('sub/x.yaml', 'sites: { localhost: 3000 }\n');
    for (const args of [['--config', 'sub/x.yaml'], ['--config=./sub/x.yaml']]) {
      const { code, out } = await runHere(['validate', ...args], folder);
      assert.equal(code, 0);
      assert.ok(out.startsWith(`${args.at(-1)!.replace('--config=', '')}: valid`), out);
    }
  });

  it('finds config/perantara.yaml when there is no perantara.yaml', async () => {
    write('config/perantara.yaml', 'sites: { localhost: 3000 }\n');
    assert.match((await runHere(['validate'], folder)).out, /^config\/perantara\.yaml: valid/);
    write('perantara.yaml', 'sites: { localhost: 3000 }\n');
    assert.match((await runHere(['validate'], folder)).out, /^perantara\.yaml: valid/);
  });
});

describe('without any configuration', () => {
  for (const verb of ['run', 'validate', 'certs'])
    it(`${verb} ends with 1 and says how to begin`, async () => {
      const { code, err } = await runHere([verb], folder);
      assert.equal(code, 1);
      assert.match(err, /neither \.\/perantara\.yaml nor \.\/config\/perantara\.yaml exists/);
      assert.match(err, /^sites:\n {2}app\.example\.com: http:\/\/127\.0\.0\.1:3000$/m);
    });
});

describe('run', () => {
  it('ends with 1 and the mistakes of its file, without a stack', async () => {
    write('perantara.yaml', 'sites: { localhost: 3000\n');
    const { code, err } = perantara(['run'], folder);
    assert.equal(code, 1);
    assert.match(err, /^perantara\.yaml:\d+:\d+: cannot read the YAML: /);
    assert.doesNotMatch(err, /\n\s+at /);
  });
});

describe('proxy', () => {
  it('ends with 1 and names the flag that is wrong', async () => {
    const flags = ['--from', '*.example.com', '--to', 'ftps://x', '--https', 'off', '--acme-directory', 'http://x'];
    const { code, err } = await runHere(['proxy', ...flags], folder);
    assert.equal(code, 1);
    const places = err
      .trimEnd()
      .split('\n')
      .map((line) => line.split(':')[0]);
    assert.deepEqual(places, ['--acme-directory', '--https', '--from', '--to', '4 problems']);
  });
});

describe('certs', () => {
  it('lists every configured name, also those without a certificate', async () => {
    write('perantara.yaml', 'sites: { app.example.com: 3000, localhost: 3000 }\n');
    const { code, out, err } = await runHere(['certs'], folder);
    assert.deepEqual([code, err], [0, '']);
    assert.match(out, /^NAME +STATE +EXPIRES +LEFT +NEXT STEP\n/);
    assert.match(out, /^app\.example\.com +missing +- +- +obtain now\n {2}from acme-v02/m);
    assert.match(out, /^localhost +missing .*\n {2}from local, p256$/m);
  });

  it('gives programs JSON', async () => {
    write('perantara.yaml', 'sites: { localhost: 3000 }\n');
    const { certificates } = JSON.parse((await runHere(['certs', '--json'], folder)).out) as Inventory;
    assert.deepEqual(
      certificates.map(({ name, state }) => [name, state]),
      [['localhost', 'missing']],
    );
  });
});

describe('schema', () => {
  it('writes the file that --check then finds current', async () => {
    mkdirSync(join(folder, 'config'));
    assert.equal((await runHere(['schema', '--check'], folder)).code, 1);
    assert.equal((await runHere(['schema'], folder)).code, 0);
    assert.equal((await runHere(['schema', '--check'], folder)).code, 0);
    write('config/perantara.schema.json', '{}');
    const { code, err } = await runHere(['schema', '--check'], folder);
    assert.equal(code, 1);
    assert.match(err, /out of date; run "npm run schema"/);
  });
});
