// `perantara certs import` as people use it.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeAuthority, mint } from '../../support/minted.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { perantara } from '../command.ts';

test('takes over what a site needs, says what it passed over, and what cannot be used', async (t) => {
  const folder = await temporaryFolder(t);
  const acme = { directory: 'https://localhost:14000/dir' };
  writeFileSync(
    join(folder, 'perantara.yaml'),
    JSON.stringify({ acme, storage: './s', sites: { 'a.example.com': 3000 } }),
  );
  mkdirSync(join(folder, 'old'));
  for (const name of ['a.example.com', 'other.example.com']) {
    const { certPem, keyPem } = mint([name], makeAuthority());
    writeFileSync(join(folder, 'old', `${name}.pem`), keyPem + certPem);
  }
  const { code, out, err } = perantara(['certs', 'import', 'old'], folder);
  assert.equal(code, 0, err);
  assert.match(out, /a\.example\.com\.pem: taken over for a\.example\.com \(localhost-14000-dir\)/);
  assert.match(out, /other\.example\.com\.pem: passed over: no site/);
  assert.ok(existsSync(join(folder, 's/certificates/localhost-14000-dir/a.example.com/bundle.pem')));
  assert.match(perantara(['certs'], folder).out, /^a\.example\.com +valid /m);
});

test('ends with 1 when there is nothing to take over', async (t) => {
  const folder = await temporaryFolder(t);
  writeFileSync(join(folder, 'perantara.yaml'), 'sites: { a.example.com: 3000 }\n');
  const { code, err } = perantara(['certs', 'import', 'missing'], folder);
  assert.equal(code, 1);
  assert.match(err, /^perantara certs import: cannot import ".*missing": it does not exist$/m);
  mkdirSync(join(folder, 'empty'));
  assert.match(perantara(['certs', 'import', 'empty'], folder).err, /no certificate with its key .* is in "empty"/);
  const args = ['certs', 'import', 'empty', '--password-file', 'none'];
  assert.match(perantara(args, folder).err, /cannot read --password-file ".*none": it does not exist/);
});
