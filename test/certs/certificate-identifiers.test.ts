import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { ariCertId } from '../../src/certs/certificate.ts';
import { readIdentifiers } from '../../src/certs/certificate-identifiers.ts';
import { makeAuthority, mint } from '../support/minted.ts';

/** RFC 9773 appendix A. */
const RFC_EXAMPLE = `-----BEGIN CERTIFICATE-----
MIIBQzCB66ADAgECAgUAh2VDITAKBggqhkjOPQQDAjAVMRMwEQYDVQQDEwpFeGFt
cGxlIENBMCIYDzAwMDEwMTAxMDAwMDAwWhgPMDAwMTAxMDEwMDAwMDBaMBYxFDAS
BgNVBAMTC2V4YW1wbGUuY29tMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEeBZu
7cbpAYNXZLbbh8rNIzuOoqOOtmxA1v7cRm//AwyMwWxyHz4zfwmBhcSrf47NUAFf
qzLQ2PPQxdTXREYEnKMjMCEwHwYDVR0jBBgwFoAUaYhba4dGQEHhs3uEe6CuLN4B
yNQwCgYIKoZIzj0EAwIDRwAwRAIge09+S5TZAlw5tgtiVvuERV6cT4mfutXIlwTb
+FYN/8oCIClDsqBklhB9KAelFiYt9+6FDj3z4KGVelYM5MdsO3pK
-----END CERTIFICATE-----
`;

test('the certificate of RFC 9773 has the identifier that the RFC gives, leading zero included', () => {
  assert.equal(ariCertId({ certPem: RFC_EXAMPLE }), 'aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE');
});

test('the serial number and the authority’s key are those that node:crypto shows', () => {
  const authority = makeAuthority();
  const { certPem } = mint(['a.example'], authority);
  const leaf = new X509Certificate(certPem);
  const ids = readIdentifiers(leaf.raw);
  assert.equal(ids?.serial.toString('hex').toUpperCase().replace(/^00/, ''), leaf.serialNumber);
  assert.equal(ids?.authorityKey.length, 20);
});

test('DER that was cut off or changed leads to an identifier or to none, never to an exception', () => {
  const { raw } = new X509Certificate(RFC_EXAMPLE);
  for (let length = 0; length < raw.length; length++) readIdentifiers(raw.subarray(0, length));
  for (let at = 0; at < raw.length; at++)
    for (const value of [0, 0x80, 0xff]) {
      const changed = Buffer.from(raw);
      changed[at] = value;
      readIdentifiers(changed);
    }
});
