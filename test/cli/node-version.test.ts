// An old Node is told so in one sentence, before it meets syntax or packages it cannot read.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, describe, it } from 'node:test';
import { nodeVersionProblem } from '../../src/cli/node-version.ts';
import { MAIN } from './command.ts';

describe('the version of Node', () => {
  it('is new enough from 24.18.1 on', () => {
    for (const version of ['v24.18.1', 'v24.19.0', 'v26.10.0', 'v100.0.0', 'v27.0.0-nightly2026'])
      assert.equal(nodeVersionProblem(version), null, version);
  });

  it('is named in one sentence when it is too old', () => {
    for (const version of ['v24.18.0', 'v24.9.9', 'v22.30.0', 'v9.99.99', 'v0.12.18', '']) {
      const problem = nodeVersionProblem(version);
      assert.match(problem ?? '', /^perantara: cannot run on Node .*: version 24\.18\.1 or newer is needed/, version);
      assert.doesNotMatch(problem!, /\n/);
    }
  });
});

describe('the entry file', () => {
  it('imports nothing before the version is known', () => {
    const text = readFileSync(MAIN, 'utf8');
    assert.ok(text.startsWith('#!/usr/bin/env node\n'));
    assert.doesNotMatch(text, /^import\s[^(]/m);
    assert.doesNotMatch(text, /\?\.|\?\?|^await /m);
    assert.doesNotMatch(readFileSync(join(MAIN, '../cli/node-version.ts'), 'utf8'), /\bimport\b/);
  });

  const old = findOldNode();
  it('says one sentence and ends with 1 on an old Node', {
    skip: old === null ? 'no old Node on this machine' : false,
  }, () => {
    const folder = mkdtempSync(join(tmpdir(), 'perantara-old-'));
    after(() => rmSync(folder, { recursive: true }));
    mkdirSync(join(folder, 'cli'));
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
    for (const file of ['main', 'cli/node-version']) {
      const code = stripTypeScriptTypes(readFileSync(join(MAIN, `../${file}.ts`), 'utf8'));
      writeFileSync(join(folder, `${file}.js`), code.replaceAll(".ts'", ".js'"));
    }
    const { status, stdout, stderr } = spawnSync(old!, [join(folder, 'main.js'), 'run'], { encoding: 'utf8' });
    assert.deepEqual([status, stdout], [1, '']);
    assert.match(stderr, /^perantara: cannot run on Node v[\d.]+: version 24\.18\.1 or newer is needed .*\n$/);
  });
});

/** A Node on the PATH that is too old, or null. */
function findOldNode(): string | null {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/bin', '/usr/local/bin'];
  for (const path of folders.map((folder) => join(folder, 'node'))) {
    if (!existsSync(path)) continue;
    const version = spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout;
    if (nodeVersionProblem(version.trim()) !== null) return path;
  }
  return null;
}
