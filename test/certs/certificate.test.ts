import assert from 'node:assert/strict';
import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { suite, test } from 'node:test';
import {
  formatBundle,
  keyTypeOf,
  parseBundle,
  parseCertificate,
  sameNames,
  verifyIssued,
} from '../../src/certs/certificate.ts';
import { mintCertificate } from '../../src/certs/mint.ts';
import { makeAuthority, mint, newKey } from '../support/minted.ts';

const root = makeAuthority();
const now = Date.now();
const day = 86_400_000;

suite('parseCertificate', () => {
  test('a certificate says whom it certifies, from when until when, and by whom', () => {
    const notBefore = Date.UTC(2026, 10, 1);
    const names = ['a.example', '*.b.example', '10.0.0.1', '2001:db8::1'];
    const certificate = mint(names, root, { notBefore, notAfter: notBefore + 90 * day });
    assert.deepEqual(certificate.names, names);
    assert.equal(certificate.notBefore, notBefore);
    assert.equal(certificate.notAfter, notBefore + 90 * day);
    assert.equal(certificate.issuer, 'Test Root');
    assert.match(certificate.serial, /^[0-9A-F]{32}$/);
    assert.match(certificate.fingerprint, /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
  });

  test('text around the PEM blocks is dropped, the order of the chain is kept', () => {
    const { certPem, keyPem } = mint(['a.example'], root);
    const read = parseCertificate(
      `Bag Attributes\r\n${certPem.replaceAll('\n', '\r\n')}\n# root:\n${root.certPem}`,
      keyPem,
    );
    assert.equal(read.certPem, certPem + root.certPem);
  });

  for (const [what, pem] of [
    ['empty', ''],
    ['cut off', root.certPem.slice(0, 200)],
    ['no base64', '-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n'],
    ['no X.509', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'],
    ['binary', '\u0000\ufffd\ufffdELF'],
  ] as const) {
    test(`a chain that is ${what} is refused with a PerantaraError`, () => {
      assert.throws(() => parseCertificate(pem, newKey()), { name: 'PerantaraError', code: 'certificate_invalid' });
    });
  }

  test('a key that cannot be read, or is another certificate’s, is refused', () => {
    const { certPem } = mint(['a.example'], root);
    assert.throws(() => parseCertificate(certPem, ''), { code: 'key_invalid' });
    assert.throws(() => parseCertificate(certPem, newKey()), {
      code: 'key_mismatch',
      message: 'cannot use certificate of "a.example": its key belongs to another certificate',
    });
  });

  test('a name that holds a comma does not pass for two names (CVE-2021-44532)', () => {
    const { names } = mint(['good.example', 'x.example, DNS:evil.example'], root);
    assert.deepEqual(names, ['good.example']);
  });

  test('one text holds key and chain and gives both back', () => {
    const certificate = mint(['a.example'], root, { chain: root.certPem });
    assert.deepEqual(parseBundle(formatBundle(certificate)), certificate);
    assert.throws(() => parseBundle(certificate.certPem), { code: 'key_invalid' });
  });
});

suite('verifyIssued', () => {
  const intermediate = makeAuthority('Test Intermediate', root);

  test('a chain that leads from the leaf over intermediates is taken', () => {
    verifyIssued(mint(['a.example'], intermediate, { chain: intermediate.certPem + root.certPem }), ['a.example'], now);
    verifyIssued(mint(['a.example'], root), ['a.example'], now);
  });

  test('a chain that leads elsewhere is not', () => {
    const stranger = makeAuthority('Test Intermediate', root);
    for (const chain of [root.certPem, stranger.certPem + root.certPem, intermediate.certPem + intermediate.certPem]) {
      assert.throws(
        () => verifyIssued(mint(['a.example'], intermediate, { chain }), ['a.example'], now),
        /the certificate issued for a\.example: its chain is broken after/,
      );
    }
  });

  test('the names must be exactly those asked for', () => {
    const cases = [['b.example'], ['a.example', 'b.example'], ['*.example'], []];
    for (const names of cases) {
      assert.throws(() => verifyIssued(mint(names, root), ['a.example'], now), {
        code: 'certificate_unfit',
        source: 'issuer',
      });
    }
    verifyIssued(mint(['b.example', 'a.example'], root), ['a.example', 'b.example'], now);
  });

  test('a certificate that has ended, or begins more than a day from now, is refused; a CA whose clock is a little ahead is not', () => {
    const ended = mint(['a.example'], root, { notBefore: now - 10 * day, notAfter: now - 1 });
    assert.throws(() => verifyIssued(ended, ['a.example'], now), /it ended at/);
    const future = mint(['a.example'], root, { notBefore: now + 2 * day });
    assert.throws(() => verifyIssued(future, ['a.example'], now), /it begins at .* and the clock here says/);
    verifyIssued(mint(['a.example'], root, { notBefore: now + day / 2 }), ['a.example'], now);
  });
});

test('names are the same in any order, and not when one is missing or twice', () => {
  assert.equal(sameNames(['a', 'b'], ['b', 'a']), true);
  assert.equal(sameNames(['a'], ['a', 'b']), false);
  assert.equal(sameNames(['a', 'b'], ['a', 'a']), false);
});

suite('keyTypeOf', () => {
  const pair = (type: string, options: object): KeyObject =>
    (generateKeyPairSync as (type: string, options: object) => { publicKey: KeyObject })(type, options).publicKey;
  const signer = { subject: root.subject, key: createPrivateKey(root.keyPem) };
  for (const [expected, key] of [
    ['p256', pair('ec', { namedCurve: 'P-256' })],
    ['p384', pair('ec', { namedCurve: 'P-384' })],
    ['rsa2048', pair('rsa', { modulusLength: 2048 })],
    [null, pair('rsa', { modulusLength: 1024 })],
    [null, pair('ed25519', {})],
  ] as const)
    test(`tells the key of the leaf: ${expected ?? `another (${key.asymmetricKeyType})`}`, () => {
      const template = { subject: 'a', names: ['a.example'], authority: false, notBefore: now, notAfter: now + day };
      const certPem = mintCertificate(template, key, signer);
      assert.equal(keyTypeOf({ certPem: certPem + root.certPem }), expected);
    });
});
