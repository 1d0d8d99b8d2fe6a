// What certbot, Caddy and people leave on disk, read as `perantara certs import` does.
import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { formatBundle } from '../../../src/certs/certificate.ts';
import { type ReadImport, readImport } from '../../../src/certs/import/imported.ts';
import { makeCertificate, makePkcs12 } from '../../golden/certificates.ts';
import { makeAuthority, mint } from '../../support/minted.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const root = makeAuthority();

async function folderWith(t: TestContext, files: Readonly<Record<string, string | Buffer>>): Promise<string> {
  const folder = await temporaryFolder(t);
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}

const read = (path: string, password = ''): Promise<ReadImport> => readImport(path, password, Date.now());

test('certbot’s folder gives each certificate once, with its chain, through the symbolic links', async (t) => {
  const [a, b] = [
    mint(['a.example.com', 'www.a.example.com'], root, { chain: root.certPem }),
    mint(['b.example.com'], root),
  ];
  const files: Record<string, string> = { 'live/README': 'x', 'accounts/x/private_key.json': '{}', 'csr/0.pem': 'x' };
  for (const [name, { certPem, keyPem }] of Object.entries({ 'a.example.com': a, b })) {
    files[`archive/${name}/fullchain2.pem`] = certPem;
    files[`archive/${name}/cert2.pem`] = certPem;
    files[`archive/${name}/chain2.pem`] = root.certPem;
    files[`archive/${name}/privkey2.pem`] = keyPem;
  }
  const folder = await folderWith(t, files);
  for (const name of ['a.example.com', 'b']) {
    mkdirSync(join(folder, 'live', name));
    for (const part of ['fullchain', 'cert', 'chain', 'privkey'])
      symlinkSync(`../../archive/${name}/${part}2.pem`, join(folder, 'live', name, `${part}.pem`));
  }
  for (const [path, names] of [
    [folder, ['a.example.com', 'b.example.com']],
    [join(folder, 'live'), ['a.example.com', 'b.example.com']],
    [join(folder, 'live/b'), ['b.example.com']],
  ] as const) {
    const { certificates, problems } = await read(path);
    assert.deepEqual(problems, []);
    assert.deepEqual(
      certificates.map(({ certificate }) => certificate.names[0]),
      names,
    );
    assert.deepEqual(
      certificates.map(({ issuerFolder }) => issuerFolder),
      names.map(() => null),
    );
  }
  const { certificates } = await read(join(folder, 'live/a.example.com/fullchain.pem'));
  assert.equal(certificates[0]?.certificate.certPem, a.certPem);
});

test('Caddy’s data folder gives each certificate with the folder of its issuer', async (t) => {
  const [a, wildcard, local] = [
    mint(['a.example.com'], root),
    mint(['*.example.com'], root),
    mint(['localhost'], root),
  ];
  const files: Record<string, string> = {
    'acme/x/users/a/a.key': 'account',
    'last_clean.json': '{}',
    'locks/x.lock': '',
  };
  const put = (issuer: string, name: string, { certPem, keyPem }: typeof a): void => {
    files[`certificates/${issuer}/${name}/${name}.crt`] = certPem;
    files[`certificates/${issuer}/${name}/${name}.key`] = keyPem;
    files[`certificates/${issuer}/${name}/${name}.json`] = '{"sans":["x"]}';
  };
  put('acme-v02.api.letsencrypt.org-directory', 'a.example.com', a);
  put('acme.zerossl.com-v2-dv90', 'wildcard_.example.com', wildcard);
  put('local', 'localhost', local);
  files['pki/authorities/local/root.crt'] = root.certPem;
  files['pki/authorities/local/root.key'] = root.keyPem;
  const folder = await folderWith(t, files);
  for (const path of [folder, join(folder, 'certificates')]) {
    const { certificates, problems } = await read(path);
    assert.deepEqual(problems, []);
    assert.deepEqual(
      certificates.map(({ certificate, issuerFolder }) => [certificate.names[0], issuerFolder]).slice(0, 3),
      [
        ['a.example.com', 'acme-v02.api.letsencrypt.org-directory'],
        ['*.example.com', 'acme.zerossl.com-v2-dv90'],
        ['localhost', 'local'],
      ],
    );
    assert.equal(certificates.length, 3, 'roots are no certificates of sites');
  }
});

test('one file may be a bundle, a pair, or PKCS#12', async (t) => {
  const certificate = mint(['a.example.com'], root);
  const leaf = makeCertificate({ names: ['b.example.com'], to: '2028-03-01' });
  const folder = await folderWith(t, {
    'bundle.pem': formatBundle(certificate),
    'pair.crt': certificate.certPem,
    'pair.key': certificate.keyPem,
    'old.pfx': makePkcs12(leaf, [], '3des'),
    'alone/cert.pem': certificate.certPem,
    'text.txt': 'hello',
  });
  for (const name of ['bundle.pem', 'pair.crt']) {
    const { certificates } = await read(join(folder, name));
    assert.equal(certificates[0]?.certificate.fingerprint, certificate.fingerprint);
    assert.equal(certificates[0]?.file, join(folder, name));
  }
  assert.deepEqual((await read(join(folder, 'old.pfx'), 'fake-password')).certificates[0]?.certificate.names, [
    'b.example.com',
  ]);
  const reasonOf = async (name: string): Promise<string> => (await read(join(folder, name))).problems[0]?.reason ?? '';
  assert.match(await reasonOf('old.pfx'), /protected by a password/);
  assert.match(await reasonOf('alone/cert.pem'), /holds a certificate; are cert and key swapped|no PEM private key/);
  assert.match(await reasonOf('text.txt'), /no PEM certificate/);
  assert.equal((await read(folder, 'fake-password')).certificates.length, 2, 'the same one counts once');
});

test('what is damaged is named with its reason and does not keep the rest back', async (t) => {
  const [good, other] = [mint(['a.example.com'], root), mint(['b.example.com'], root)];
  const folder = await folderWith(t, {
    'a/fullchain.pem': good.certPem,
    'a/privkey.pem': good.keyPem,
    'b/fullchain.pem': good.certPem,
    'b/privkey.pem': other.keyPem,
    'c/fullchain.pem': good.certPem.slice(0, 200),
    'c/privkey.pem': good.keyPem,
    'd/fullchain.pem': '',
    'd/privkey.pem': '',
  });
  symlinkSync('nowhere', join(folder, 'dangling.pem'));
  symlinkSync('.', join(folder, 'loop'));
  const { certificates, problems } = await read(join(folder, 'a', '..'));
  assert.ok(certificates.length >= 1);
  assert.ok(certificates.every(({ certificate }) => certificate.fingerprint === good.fingerprint));
  const reasons = problems.map(({ file, reason }) => `${file.split('/').at(-2)}: ${reason}`);
  assert.ok(
    reasons.some((line) => /^b: it is not the key of the certificate/.test(line)),
    reasons.join('\n'),
  );
  assert.ok(
    reasons.some((line) => /^c: .* no PEM certificate/.test(line)),
    reasons.join('\n'),
  );
  assert.ok(!reasons.some((line) => line.includes('PRIVATE KEY')));
});

test('no file, no folder: the error says so', async (t) => {
  const folder = await temporaryFolder(t);
  await assert.rejects(read(join(folder, 'nowhere')), { code: 'import_unreadable', message: /does not exist/ });
  assert.deepEqual(await read(folder), { certificates: [], problems: [] });
});
