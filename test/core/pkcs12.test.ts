// PKCS#12 bundles as OpenSSL makes them today and made them before version 3, with every kind of key.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readPkcs12 } from '../../src/core/pkcs12.ts';
import { makeCertificate, makePkcs12 } from '../golden/certificates.ts';
import { makeAuthority, mint } from '../support/minted.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const root = makeAuthority();

describe('a PKCS#12 bundle', () => {
  for (const [age, flags] of [
    ['of today', []],
    ['with RC2 and 3DES, which OpenSSL 3 refuses', ['-legacy']],
    ['without encryption of the certificates', ['-certpbe', 'NONE']],
  ] as const)
    it(`${age} gives an elliptic-curve key and its chain`, async (t) => {
      const folder = await temporaryFolder(t);
      const leaf = mint(['a.example.com'], root, { chain: root.certPem });
      writeFileSync(join(folder, 'all.pem'), leaf.keyPem + leaf.certPem);
      const out = ['-passout', 'pass:fake-pässword', '-out', 'all.p12'];
      execFileSync('openssl', ['pkcs12', '-export', '-in', 'all.pem', ...flags, ...out], { cwd: folder });
      const { key, certificates } = readPkcs12(readFileSync(join(folder, 'all.p12')), 'fake-pässword');
      assert.equal(key.export({ type: 'pkcs8', format: 'pem' }), leaf.keyPem);
      assert.equal(certificates.length, 2);
      assert.ok(certificates[0]!.checkPrivateKey(key));
      assert.ok(
        certificates.some(({ fingerprint256 }) => fingerprint256 === new X509Certificate(root.certPem).fingerprint256),
      );
    });

  it('says that the password is wrong, missing, or that it is no bundle', () => {
    for (const algorithm of ['aes256', '3des'] as const) {
      const bundle = makePkcs12(makeCertificate({ names: ['a.example.com'] }), [], algorithm);
      assert.throws(() => readPkcs12(bundle, 'wrong'), { code: 'pkcs12_password', message: /another password/ });
      assert.throws(() => readPkcs12(bundle, ''), { code: 'pkcs12_password', message: /a password/ });
      assert.throws(() => readPkcs12(bundle.subarray(0, bundle.length - 40), 'fake-password'), {
        code: 'pkcs12_invalid',
      });
    }
    assert.throws(() => readPkcs12(Buffer.from('hello'), ''), { code: 'pkcs12_invalid' });
    assert.throws(() => readPkcs12(Buffer.alloc(0), ''), { code: 'pkcs12_invalid' });
  });
});
