// Certificate and key files that golden cases name through ${CERTS}: made anew for each run, with dates around GOLDEN_NOW.
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import forge from 'node-forge';

export const GOLDEN_NOW = Date.UTC(2026, 10, 15);

interface Identity {
  readonly pem: string;
  readonly keyPem: string;
}

interface CertificateOptions {
  /** None: an authority. */
  readonly names: readonly string[];
  /** Common name. Default the first of `names`. */
  readonly subject?: string;
  readonly from?: string;
  readonly to?: string;
  readonly bits?: number;
  readonly issuer?: Identity;
}

/** Writes the files into a new folder and returns its path. */
export function writeGoldenCertificates(): string {
  const folder = mkdtempSync(join(tmpdir(), 'perantara-golden-'));
  const write = (name: string, content: string | Buffer): void => writeFileSync(join(folder, name), content);
  const ca = makeCertificate({ names: [] });
  const good = makeCertificate({ names: ['shop.example.com', '*.shop.example.com'], issuer: ca });
  write('ca.pem', ca.pem);
  write('good.pem', good.pem + ca.pem);
  write('good.key', good.keyPem);
  write('reversed.pem', ca.pem + good.pem);
  write('combined.pem', good.keyPem + good.pem);
  write('other.key', makeCertificate({ names: [] }).keyPem);
  write('locked.key', lockedKey(good.keyPem));
  write('gap.pem', good.pem + makeCertificate({ names: [] }).pem);
  write('damaged.pem', good.pem.replace(/\n[^-\n]{40}/, '\n'));
  write('damaged.key', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n');
  write('modern.p12', makePkcs12(good, [ca], 'aes256'));
  write('legacy.p12', makePkcs12(good, [ca], '3des'));
  write('text.txt', 'no certificate here\n');
  write('empty.pem', '');
  for (const [name, options] of [
    ['expired', { names: ['shop.example.com'], to: '2026-11-01' }],
    ['future', { names: ['shop.example.com'], from: '2026-12-01' }],
    ['weak', { names: ['shop.example.com'], bits: 1024 }],
  ] as const) {
    const identity = makeCertificate(options);
    write(`${name}.pem`, identity.pem);
    write(`${name}.key`, identity.keyPem);
  }
  return folder;
}

export function makeCertificate(options: CertificateOptions): Identity {
  const { names, from = '2026-10-01', to = '2027-03-01', bits = 2048, issuer } = options;
  const pair = generateKeyPairSync('rsa', { modulusLength: bits });
  const keyPem = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.publicKeyFromPem(pair.publicKey.export({ type: 'spki', format: 'pem' }) as string);
  certificate.serialNumber = '01';
  certificate.validity.notBefore = new Date(`${from}T00:00:00Z`);
  certificate.validity.notAfter = new Date(`${to}T00:00:00Z`);
  const subject = [{ name: 'commonName', value: options.subject ?? names[0] ?? 'Golden Root' }];
  const issuerCertificate = issuer === undefined ? null : forge.pki.certificateFromPem(issuer.pem);
  certificate.setSubject(subject);
  certificate.setIssuer(issuerCertificate?.subject.attributes ?? subject);
  const extensions: unknown[] = [{ name: 'basicConstraints', cA: names.length === 0 }];
  if (names.length > 0)
    extensions.push({ name: 'subjectAltName', altNames: names.map((value) => ({ type: 2, value })) });
  certificate.setExtensions(extensions as object[]);
  certificate.sign(forge.pki.privateKeyFromPem(issuer?.keyPem ?? keyPem), forge.md.sha256.create());
  return { pem: forge.pki.certificateToPem(certificate).replaceAll('\r', ''), keyPem };
}

/** `3des`: with RC2 or 3DES and SHA-1, as Windows and old Java wrote them. The password is `fake-password`. */
export function makePkcs12(leaf: Identity, chain: readonly Identity[], algorithm: 'aes256' | '3des'): Buffer {
  const certificates = [leaf, ...chain].map(({ pem }) => forge.pki.certificateFromPem(pem));
  const key = forge.pki.privateKeyFromPem(leaf.keyPem);
  const bundle = forge.pkcs12.toPkcs12Asn1(key, certificates, 'fake-password', { algorithm });
  return Buffer.from(forge.asn1.toDer(bundle).getBytes(), 'latin1');
}

function lockedKey(keyPem: string): string {
  const options = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' } as const;
  return createPrivateKey(keyPem).export(options) as string;
}
