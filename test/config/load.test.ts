// What the golden cases cannot show: files that cannot be read, hostile sizes, freezing, values in place of a file.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { type LoadResult, loadConfig, loadConfigValue } from '../../src/config/load.ts';
import { formatProblem } from '../../src/config/problem.ts';

const folder = mkdtempSync(join(tmpdir(), 'perantara-load-'));
after(() => rmSync(folder, { recursive: true }));

const load = (path: string): LoadResult => loadConfig(path, { env: {}, now: Date.UTC(2026, 10, 15) });

function loadText(text: string | Uint8Array): LoadResult {
  const path = join(folder, 'perantara.yaml');
  writeFileSync(path, text);
  return load(path);
}

function problemsOf(result: LoadResult): string {
  assert.ok(!result.ok, 'loading should fail');
  return result.problems.map(formatProblem).join('\n').replaceAll(`${folder}/`, '');
}

/** Processor time: other work on the machine does not count. What grew with the square of the sites would take minutes. */
function cpuMs(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

describe('the user', () => {
  const userOf = (lines: string) => {
    const result = loadText(`${lines}\nsites: { app.localhost: 3000 }\n`);
    assert.ok(result.ok, result.ok ? '' : problemsOf(result));
    const { position: _, ...user } = result.config.user!;
    return user;
  };

  it('is found by name and by number, with its group', () => {
    assert.deepEqual(userOf('user: root'), { name: 'root', uid: 0, gid: 0, isKnown: true });
    assert.deepEqual(userOf('user: 0'), { name: 'root', uid: 0, gid: 0, isKnown: true });
    assert.deepEqual(userOf('user: "00"'), { name: 'root', uid: 0, gid: 0, isKnown: true });
  });

  it('may have no name when its group is told', () => {
    assert.deepEqual(userOf('user: 3999999999\ngroup: 3999999998'), {
      name: '3999999999',
      uid: 3_999_999_999,
      gid: 3_999_999_998,
      isKnown: false,
    });
  });

  it('is refused with its place when there is none', () => {
    const mistakes: readonly (readonly [string, RegExp])[] = [
      ['user: no-such-user', /^perantara.yaml:1:7: cannot use user: this machine has no such user/],
      ['user: 3999999999', /^perantara.yaml:1:7: cannot use user: .*"group" is needed beside it/],
      ['user: root\ngroup: no-such-group', /^perantara.yaml:2:8: cannot use group: this machine has no such group/],
      ['group: root', /^perantara.yaml:1:8: cannot use group: it needs "user" beside it/],
      ['user: 4294967295', /^perantara.yaml:1:7: cannot use user: the number is too large/],
      ['user: -1', /^perantara.yaml:1:7: cannot use user: it is no name/],
      ['user: "root:x"', /^perantara.yaml:1:7: cannot use user: it is no name/],
      ['user: "--help"', /^perantara.yaml:1:7: cannot use user: it is no name/],
      ['user: ""', /^perantara.yaml:1:7: cannot use user: it is no name/],
    ];
    for (const [lines, expected] of mistakes)
      assert.match(problemsOf(loadText(`${lines}\nsites: { app.localhost: 3000 }\n`)), expected);
  });
});

describe('a configuration file that cannot be read', () => {
  it('is reported when it does not exist', () => {
    assert.equal(
      problemsOf(load(join(folder, 'none.yaml'))),
      'none.yaml: cannot read the configuration: the file does not exist',
    );
  });

  it('is reported when it is a folder', () => {
    assert.match(problemsOf(load(folder)), /the file is a folder$/);
  });

  it('is reported when a part of its path is a file', () => {
    loadText('sites: { localhost: 3000 }');
    assert.match(problemsOf(load(join(folder, 'perantara.yaml/x'))), /the file does not exist$/);
  });

  it('is reported when its bytes are not UTF-8', () => {
    assert.match(problemsOf(loadText(Buffer.from([0x61, 0x3a, 0x20, 0xff, 0xfe]))), /the file is not UTF-8 text$/);
    assert.match(problemsOf(loadText(Buffer.from('a\0b: 1'))), /the file is not text$/);
  });

  it('is refused at ten megabytes before it is parsed', () => {
    const before = process.cpuUsage();
    assert.match(problemsOf(loadText('# comment\n'.repeat(1_048_576))), /the file is larger than 4 MiB$/);
    assert.ok(cpuMs(before) < 2_000);
  });

  it('never throws, whatever the bytes are', () => {
    const pieces = [
      'sites',
      ':',
      ' ',
      '\n',
      '\t',
      '{',
      '}',
      '[',
      ']',
      '*',
      '&a',
      '"',
      "'",
      '|',
      '>',
      '-',
      '?',
      '!x',
      '#',
      '${',
      '%',
    ];
    let seed = 42;
    const random = (limit: number): number => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return seed % limit;
    };
    for (let i = 0; i < 500; i++) {
      const text = Array.from({ length: random(40) }, () => pieces[random(pieces.length)]).join('');
      const result = loadText(text);
      assert.ok(!result.ok && result.problems.length > 0, JSON.stringify(text));
    }
  });
});

describe('a configuration file', () => {
  it('may come through a pipe', () => {
    const script = join(import.meta.dirname, '../../src/main.ts');
    const command = `"${process.execPath}" "${script}" validate --config <(printf 'sites: { localhost: 3000 }')`;
    assert.match(execFileSync('bash', ['-c', command], { encoding: 'utf8' }), /valid; 1 site: 1 by the local CA/);
  });

  it('with ten thousand sites loads in good time', () => {
    const lines = Array.from({ length: 10_000 }, (_, i) => `  s${i}.example.com: http://10.0.0.1:${i + 1}\n`);
    const before = process.cpuUsage();
    const result = loadText(`sites:\n${lines.join('')}`);
    assert.ok(result.ok);
    assert.equal(result.config.sites.length, 10_000);
    assert.ok(cpuMs(before) < 8_000, `${cpuMs(before)} ms`);
  });

  it('with ten thousand mistakes reports them in good time', () => {
    const lines = Array.from({ length: 10_000 }, (_, i) => `  s${i}.example.com: { prxy: 3000 }\n`);
    const before = process.cpuUsage();
    const result = loadText(`sites:\n${lines.join('')}`);
    assert.ok(!result.ok);
    assert.equal(result.problems.length, 10_000);
    assert.ok(cpuMs(before) < 16_000, `${cpuMs(before)} ms`);
  });

  it('has its relative paths taken from its own folder', () => {
    mkdirSync(join(folder, 'sub'), { recursive: true });
    const path = join(folder, 'sub/perantara.yaml');
    writeFileSync(path, 'storage: ../data\nsites: { localhost: 3000 }\n');
    const result = load(path);
    assert.ok(result.ok);
    assert.equal(result.config.storage, join(folder, 'data'));
  });

  it('becomes a value that is frozen to its leaves', () => {
    const result = loadText('sites: { localhost: { proxy: [3000, 3001] } }');
    assert.ok(result.ok);
    const { config } = result;
    const action = config.sites[0]!.routes[0]!.action;
    assert.ok(action.kind === 'proxy');
    for (const part of [config, config.acme[0], config.listen.http, config.sites, config.sites[0], action.targets[0]])
      assert.ok(Object.isFrozen(part));
  });

  it('cannot reach the prototype of objects', () => {
    loadText('__proto__: { polluted: yes }\nsites: { __proto__: 1, constructor: 3000, localhost: 3000 }');
    assert.equal(({} as { polluted?: unknown }).polluted, undefined);
  });
});

describe('a configuration given as a value', () => {
  const places = { values: { 'listen.http': '--http', 'sites.a_b': '--to' }, keys: { 'sites.a_b': '--from' } };

  it('is read like a file', () => {
    const result = loadConfigValue({ sites: { localhost: '3000' } }, { folder, places, now: 0 });
    assert.ok(result.ok);
    assert.equal(result.config.sites[0]!.host, 'localhost');
    assert.equal(result.config.storage, join(folder, 'certs'));
  });

  it('has its problems placed at the flags', () => {
    const value = { listen: { http: 'x' }, sites: { a_b: 'ftps://x' } };
    const problems = problemsOf(loadConfigValue(value, { folder, places, now: 0 }));
    assert.match(problems, /^--http: cannot use listen\.http: /m);
    assert.match(problems, /^--from: cannot use sites\.a_b: a host name has no "_"/m);
    assert.match(problems, /^--to: cannot use sites\.a_b: ftps:/m);
  });

  it('has no variables replaced, which the shell has done already', () => {
    const value = { sites: { localhost: { respond: '$\u007bHOME}' } } };
    const result = loadConfigValue(value, { folder, places, now: 0 });
    assert.ok(result.ok);
    assert.deepEqual(result.config.sites[0]!.routes[0]!.action, {
      kind: 'respond',
      status: 200,
      contentType: 'text/plain; charset=utf-8',
      body: '$\u007bHOME}',
    });
  });

  it('is not changed by the reading', () => {
    const value = { sites: { localhost: true }, banana: 1 };
    loadConfigValue(value, { folder, places, now: 0 });
    assert.deepEqual(value, { sites: { localhost: true }, banana: 1 });
  });
});
