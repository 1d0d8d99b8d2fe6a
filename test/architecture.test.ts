// The house rules of the design (section 3) and of style.md, read from the sources: floors, packages, names, sizes.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { describe, it } from 'node:test';

const SOURCE = join(import.meta.dirname, '../src');
const MAX_LINES = 300;

/** Folder → the folders below it that it may import. Its own files it may always import. */
const FLOORS: Readonly<Record<string, readonly string[]>> = (() => {
  const wire = ['core', 'http'];
  const ground = [...wire, 'config', 'observe'];
  const second = [...ground, 'http1', 'http2', 'certs', 'router'];
  const server = [...second, 'upstream', 'handlers', 'server'];
  return {
    core: [],
    http: ['core'],
    config: ['core'],
    observe: wire,
    http1: wire,
    http2: wire,
    certs: ['core', 'config', 'observe'],
    router: [...wire, 'config'],
    upstream: second,
    handlers: [...second, 'upstream'],
    server: [...second, 'upstream', 'handlers'],
    cluster: server,
    admin: server,
    cli: [...server, 'cluster', 'admin'],
    main: ['cli'],
  };
})();

/** These take from `config` its types and nothing that runs. */
const TYPES_OF_CONFIG_ONLY: readonly string[] = ['certs', 'router'];

/** Runtime package → the folders that know it. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  yaml: ['config'],
  zod: ['config', 'certs'],
  pino: ['core'],
  'sonic-boom': ['observe'],
  'acme-client': ['certs'],
  'dns-packet': ['certs'],
  'node-forge': ['certs', 'core'],
  'prom-client': ['observe'],
  '@opentelemetry/api': ['observe'],
  '@opentelemetry/exporter-trace-otlp-http': ['observe'],
  '@opentelemetry/resources': ['observe'],
  '@opentelemetry/sdk-trace': ['observe'],
  tldts: ['certs'],
};

const FORBIDDEN_NAMES = /^(utils?|helpers?|common|types?|misc|shared|index)$/;
const SURROUNDINGS =
  /\b(Date\.now|performance\.now|process\.env|process\.exit|process\.exitCode|console)\b|\bnew Date\(\)/;
const MAY_TOUCH_SURROUNDINGS = /^(cli\/|main\.ts$|core\/(clock|log)\.ts$)/;

interface Import {
  readonly specifier: string;
  readonly isTypeOnly: boolean;
}

describe('the architecture', () => {
  const files = globSync('**/*.ts', { cwd: SOURCE }).map((path) => path.replaceAll('\\', '/'));

  it('is kept by every file under src/', () => {
    assert.ok(files.length > 30, `${files.length}`);
    const found = files.flatMap((path) => violations(path, readFileSync(join(SOURCE, path), 'utf8')));
    assert.deepEqual(found, []);
  });

  it('is kept by imports that lead to files', () => {
    for (const path of files)
      for (const { specifier } of importsOf(code(readFileSync(join(SOURCE, path), 'utf8'))))
        if (specifier.startsWith('.')) assert.ok(files.includes(resolved(path, specifier)), `${path}: ${specifier}`);
  });
});

describe('the architecture test', () => {
  const head = '// Owns nothing.\n';
  const samples: readonly (readonly [string, string, string, RegExp])[] = [
    ['an import from a higher floor', 'core/a.ts', "import { b } from '../http/b.ts';", /core may not import http/],
    [
      'an import across a floor',
      'http1/a.ts',
      "import type { B } from '../config/b.ts';",
      /http1 may not import config/,
    ],
    ['a dynamic import from a higher floor', 'certs/a.ts', "await import('../server/b.ts');", /may not import server/],
    ['an import over several lines', 'config/a.ts', "import {\n  b,\n} from '../certs/b.ts';", /may not import certs/],
    [
      'code of the config in a folder that wants its types',
      'router/a.ts',
      "import { b } from '../config/b.ts';",
      /types/,
    ],
    ['a package in a foreign folder', 'server/a.ts', "import { z } from 'zod';", /zod belongs to config/],
    ['an unknown package', 'http/a.ts', "import x from 'lodash';", /lodash/],
    ['an import without its extension', 'http/a.ts', "import { b } from './b';", /extension/],
    ['a default export', 'core/a.ts', 'export default 1;', /default export/],
    ['a default export by name', 'core/a.ts', 'const a = 1;\nexport { a as default };', /default export/],
    ['a barrel', 'core/a.ts', "export * from './b.ts';", /re-export/],
    ['mutable module state', 'core/a.ts', 'let count = 0;', /mutable/],
    ['exported mutable module state', 'core/a.ts', 'export let count = 0;', /mutable/],
    ['an enum', 'core/a.ts', 'export enum A { B }', /enum/],
    ['a reading of the time', 'http/a.ts', 'const a = () => Date.now();', /Date\.now/],
    ['a date made of now', 'http/a.ts', 'const a = () => new Date();', /new Date/],
    ['a reading of the environment', 'config/a.ts', 'const a = process.env.HOME;', /process\.env/],
    ['an exit', 'server/a.ts', 'process.exit(1);', /process\.exit/],
    ['a print', 'server/a.ts', "console.log('x');", /console/],
    ['a forbidden file name', 'core/utils.ts', '', /name/],
    ['a forbidden folder name', 'core/types/a.ts', '', /name/],
    ['an unknown folder', 'stuff/a.ts', '', /not on the plan/],
    ['a file that is too long', 'core/a.ts', 'a();\n'.repeat(301), /lines/],
  ];
  for (const [name, path, text, expected] of samples)
    it(`finds ${name}`, () => assert.match(violations(path, head + text).join('\n'), expected));

  it('finds a file without a head comment', () => {
    assert.match(violations('core/a.ts', 'export const a = 1;').join('\n'), /head comment/);
  });

  it('lets good code pass', () => {
    const text = `${head}import { connect } from 'node:net';\nimport { b } from '../core/b.ts';\n/** Not Date.now(). */\n`;
    assert.deepEqual(
      violations('http/a.ts', `${text}export function c() {\n  let d = connect(b);\n  return d;\n}\n`),
      [],
    );
    assert.deepEqual(violations('cli/a.ts', `${head}console.log(Date.now());`), []);
  });
});

/** What is wrong with one file; `path` is relative to src/. */
function violations(path: string, text: string): string[] {
  const found: string[] = [];
  const say = (what: string): void => void found.push(`src/${path}: ${what}`);
  const body = code(text);
  const names = path.replace(/\.ts$/, '').split('/');
  const floor = names[0]!;
  const allowed = FLOORS[floor];
  if (allowed === undefined) say(`the folder ${floor} is not on the plan of the house`);
  for (const name of names) if (FORBIDDEN_NAMES.test(name)) say(`${name} is no name for one noun`);
  const lines = text.trimEnd().split('\n').length;
  if (lines > MAX_LINES) say(`it has ${lines} lines, more than ${MAX_LINES}`);
  if (!text.replace(/^#!.*\n/, '').startsWith('// ')) say('it has no head comment');

  for (const { specifier, isTypeOnly } of importsOf(body)) {
    if (specifier.startsWith('node:')) continue;
    if (!specifier.startsWith('.')) {
      const owners = PACKAGES[specifier];
      if (owners === undefined) say(`${specifier} is no runtime package of this project`);
      else if (!owners.includes(floor)) say(`the package ${specifier} belongs to ${owners.join(' and ')}`);
      continue;
    }
    if (!specifier.endsWith('.ts')) say(`${specifier} has no extension`);
    const target = resolved(path, specifier).split('/')[0]!;
    if (target === floor || allowed === undefined) continue;
    if (!allowed.includes(target)) say(`${floor} may not import ${target} (${specifier})`);
    else if (target === 'config' && TYPES_OF_CONFIG_ONLY.includes(floor) && !isTypeOnly)
      say(`${floor} may import types of config only (${specifier})`);
  }
  if (/^export default\b|^export\s*\{[^}]*\bas default\b/m.test(body)) say('it has a default export');
  if (/^export\s+(type\s+)?(\*|\{[^}]*\})(\s+as\s+\w+)?\s+from\b/m.test(body)) say('it re-exports from another file');
  if (/^(export\s+)?(declare\s+)?(let|var)\b/m.test(body)) say('it has mutable module state');
  if (/^(export\s+)?(declare\s+)?(const\s+)?(enum|namespace)\b/m.test(body)) say('it has an enum or namespace');
  const surroundings = SURROUNDINGS.exec(body);
  if (surroundings !== null && !MAY_TOUCH_SURROUNDINGS.test(path)) say(`${surroundings[0]} has no place here`);
  return found;
}

function resolved(path: string, specifier: string): string {
  return posix.normalize(posix.join(dirname(path), specifier));
}

function importsOf(body: string): Import[] {
  const fixed = body.matchAll(/^(?:import|export)\s+([^;'"]*?\bfrom\s+)?['"]([^'"]+)['"]/gm);
  const dynamic = body.matchAll(/\bimport\(\s*['"]([^'"]+)['"]/g);
  return [
    ...Array.from(fixed, ([, clause, specifier]) => ({
      specifier: specifier!,
      isTypeOnly: isTypeClause(clause ?? ''),
    })),
    ...Array.from(dynamic, ([, specifier]) => ({ specifier: specifier!, isTypeOnly: false })),
  ];
}

/** `type { A }`, or braces in which every name is a type. */
function isTypeClause(clause: string): boolean {
  if (/^type\b/.test(clause)) return true;
  const names =
    /^\{([^}]*)\}/
      .exec(clause)?.[1]
      ?.split(',')
      .filter((name) => name.trim() !== '') ?? [];
  return names.length > 0 && names.every((name) => /^\s*type\s/.test(name));
}

/** The text without its comments; strings stay. */
function code(text: string): string {
  return text.replace(/^\s*\/\*[\s\S]*?\*\//gm, '').replace(/(^|\s)\/\/.*$/gm, '$1');
}
