// docs/metrics.md says what there is: every metric with its type, labels and meaning, and no other.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { PRIMARY_FAMILIES } from '../../../src/observe/metrics/primary-families.ts';
import { WORKER_FAMILIES } from '../../../src/observe/metrics/worker-families.ts';

const PAGE = readFileSync(join(import.meta.dirname, '../../../docs/metrics.md'), 'utf8');
const FAMILIES = [...PRIMARY_FAMILIES, ...WORKER_FAMILIES];

test('the page of the metrics has a row for each, as it is exposed', () => {
  const rows = PAGE.split('\n').filter((line) => line.startsWith('| `'));
  const expected = FAMILIES.map(({ name, type, labels, help }) => {
    const shown = labels.length === 0 ? '–' : labels.map((label) => `\`${label}\``).join(', ');
    return `| \`${name}\` | ${type} | ${shown} | ${help} |`;
  });
  assert.deepEqual(rows.toSorted(), expected.toSorted());
});

test('the alert rules of the page are about metrics that there are', () => {
  const rules = PAGE.slice(PAGE.indexOf('## Alerts'));
  const used = new Set(rules.match(/\bperantara_[a-z_]+/g));
  const names = FAMILIES.map(({ name }) => name);
  assert.ok(used.size >= 6);
  assert.deepEqual(
    [...used].filter((name) => !names.includes(name)),
    [],
  );
});

test('the page names every reason why an attempt at a target can fail', () => {
  const sources = ['http', 'http1', 'http2', 'upstream'].flatMap((floor) => {
    const folder = join(import.meta.dirname, '../../../src', floor);
    return readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
  });
  const faults = sources.flatMap((text) =>
    text.split('\n').filter((line) => /upstreamFault\(|source: 'upstream'/.test(line)),
  );
  const reasons = new Set(faults.flatMap((line) => line.match(/(?<=')[a-z]+_[a-z_]+(?=')/g) ?? []));
  assert.ok(reasons.size >= 9);
  assert.deepEqual(
    [...reasons].filter((reason) => !PAGE.includes(`\`${reason}\``)),
    [],
  );
});

test('names and labels are as Prometheus wants them', () => {
  for (const { name, type, labels } of FAMILIES) {
    assert.match(name, /^(perantara|process|nodejs)_[a-z]+(_[a-z]+)*$/);
    assert.equal(name.endsWith('_total'), type === 'counter', name);
    for (const label of labels) assert.match(label, /^[a-z]+$/);
  }
  assert.equal(new Set(FAMILIES.map(({ name }) => name)).size, FAMILIES.length);
});
