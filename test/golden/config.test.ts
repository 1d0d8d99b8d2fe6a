// Golden tests of the configuration: each folder of cases/ holds a perantara.yaml and what comes of it. expected.json is the
// normalised config with its warnings, expected.txt the errors. UPDATE_GOLDEN=1 writes them anew; read the diff.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { loadConfig } from '../../src/config/load.ts';
import { formatProblem } from '../../src/config/problem.ts';
import { GOLDEN_NOW, writeGoldenCertificates } from './certificates.ts';

const CASES = join(import.meta.dirname, 'cases');
const isUpdate = process.env.UPDATE_GOLDEN === '1';

describe('the golden cases of the configuration', () => {
  const certificates = writeGoldenCertificates();
  after(() => rmSync(certificates, { recursive: true }));
  const names = readdirSync(CASES).toSorted();

  for (const name of names) {
    it(name.replaceAll('-', ' '), () => {
      const folder = join(CASES, name);
      const { file, text, other } = outcome(folder, certificates);
      if (isUpdate) {
        writeFileSync(join(folder, file), text);
        rmSync(join(folder, other), { force: true });
      }
      assert.ok(existsSync(join(folder, file)), `the outcome should be ${other}, but is ${file}:\n${text}`);
      assert.equal(text, readFileSync(join(folder, file), 'utf8'));
    });
  }

  it('are at least forty, and none is left without its file', () => {
    assert.ok(names.length >= 40, `${names.length}`);
    for (const name of names) assert.ok(existsSync(join(CASES, name, 'perantara.yaml')), name);
  });
});

/** What loading the case gives, free of this machine's paths and keys. */
function outcome(folder: string, certificates: string): { file: string; text: string; other: string } {
  const env = { CERTS: certificates, NAME: 'env', EMPTY: '', NESTED: '$\u007bNAME}' };
  const result = loadConfig(join(folder, 'perantara.yaml'), { env, now: GOLDEN_NOW });
  const neutral = (text: string): string =>
    text
      .replaceAll(`${folder}/`, '')
      .replaceAll(folder, 'CASE')
      .replaceAll(certificates, 'CERTS')
      .replace(/(-----BEGIN [A-Z ]+-----)[^"]*/g, '$1…');
  if (!result.ok)
    return {
      file: 'expected.txt',
      text: neutral(result.problems.map((problem) => `${formatProblem(problem)}\n`).join('')),
      other: 'expected.json',
    };
  const { config, warnings } = result;
  return {
    file: 'expected.json',
    text: neutral(`${JSON.stringify({ config, warnings: warnings.map(formatProblem) }, null, 2)}\n`),
    other: 'expected.txt',
  };
}
