// What is written for people and editors keeps in step with the schema.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { DEFAULT_TIMEOUTS } from '../../src/config/defaults.ts';
import { jsonSchemaText } from '../../src/config/json-schema.ts';
import { loadConfig } from '../../src/config/load.ts';
import { parseDuration } from '../../src/core/units.ts';

const REPOSITORY = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(REPOSITORY, path), 'utf8');

interface SchemaNode {
  readonly description?: string | undefined;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: SchemaNode | boolean;
  readonly anyOf?: readonly SchemaNode[];
}

/** Every key of the schema: `acme.email`, `sites.*.routes.*.proxy`, … */
function keysOf(node: SchemaNode, prefix: string): { key: string; description: string | undefined }[] {
  const inner = (node.anyOf ?? []).flatMap((branch) => keysOf(branch, prefix));
  const named = Object.entries(node.properties ?? {}).flatMap(([name, child]) => {
    const key = prefix === '' ? name : `${prefix}.${name}`;
    return [{ key, description: child.description }, ...keysOf(child, key)];
  });
  const rest = typeof node.additionalProperties === 'object' ? keysOf(node.additionalProperties, `${prefix}.*`) : [];
  return [...inner, ...named, ...rest];
}

/** The row of the page that explains the key: what stands at several places is explained once. */
function rowOf(key: string): string {
  return key
    .replace(/^onDemand\.(?=(routes|proxy|redirect|respond|maxBody)\b)/, 'sites.*.')
    .replace(/^.*\.(redirect|respond|profile|proxy)\./, '$1.');
}

describe('the documentation of the configuration', () => {
  const keys = keysOf(JSON.parse(jsonSchemaText()) as SchemaNode, '');
  const page = read('docs/configuration.md');

  it('names every key of the schema', () => {
    assert.ok(keys.length > 30, 'the schema should be walked');
    for (const { key } of keys) {
      assert.ok(page.includes(`| \`${rowOf(key)}\` |`), `docs/configuration.md has no row for ${rowOf(key)}`);
    }
  });

  it('names no key that the schema does not have', () => {
    const known = new Set(keys.map(({ key }) => rowOf(key)));
    for (const [, key] of page.matchAll(/^\| `([\w.*]+)` \|/gm)) assert.ok(known.has(key!), key!);
  });

  it('gives the timeouts that are the defaults, and so does the schema', () => {
    for (const [name, ms] of Object.entries(DEFAULT_TIMEOUTS)) {
      const key = `timeouts.${name.replace(/Ms$/, '')}`;
      const row = new RegExp(`^\\| \`${key}\` \\| \`(\\w+)\` \\| (.*) \\|$`, 'm').exec(page);
      assert.equal(parseDuration(row?.[1] ?? ''), ms, key);
      const description = keys.find((each) => each.key === key)?.description;
      assert.equal(description, `${row?.[2]} Default ${row?.[1]}.`, key);
    }
  });

  it('describes every key to editors', () => {
    for (const { key, description } of keys) assert.ok(description !== undefined && description.length > 10, key);
  });
});

describe('the files in config/', () => {
  it('hold the current JSON Schema', () => {
    assert.equal(read('config/perantara.schema.json'), jsonSchemaText(), 'run "npm run schema"');
  });

  it('hold an example that is valid without a warning', () => {
    const path = join(REPOSITORY, 'config/perantara.yaml');
    const result = loadConfig(path, { env: {}, now: Date.now() });
    assert.deepEqual(result.ok ? result.warnings : result.problems, []);
  });
});
