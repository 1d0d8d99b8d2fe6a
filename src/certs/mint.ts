// Signing X.509 certificates (RFC 5280) with P-256 keys. node-forge encodes them; it knows no elliptic curves, so the
// public key and the signature come from node:crypto and are put in their places.
import { createHash, createPublicKey, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';
import forge from 'node-forge';

const { asn1, pki } = forge;
const { Class, Type } = asn1;

export interface Template {
  /** Common name. */
  readonly subject: string;
  /** DNS names and IP addresses; empty for an authority. */
  readonly names: readonly string[];
  readonly authority: boolean;
  /** Milliseconds since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** Makes it an answer to TLS-ALPN-01: SHA-256 of the key authorization (RFC 8737 section 3). */
  readonly acmeIdentifier?: Buffer;
}

export interface Signer {
  /** Common name of the signing certificate. */
  readonly subject: string;
  readonly key: KeyObject;
}

/** RFC 5758 section 3.2; has no parameters. */
const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';
/** RFC 5280 section 4.1.2.6 upper bound of a common name. */
const MAX_COMMON_NAME = 64;
const SUBJECT_KEY_IDENTIFIER = '2.5.29.14';
const ACME_IDENTIFIER = '1.3.6.1.5.5.7.1.31';

/** The signed certificate as PEM. */
export function mintCertificate(template: Template, publicKey: KeyObject, signer: Signer): string {
  const signature = sequence(
    asn1.create(Class.UNIVERSAL, Type.OID, false, asn1.oidToDer(ECDSA_WITH_SHA256).getBytes()),
  );
  const tbs = encode(describe(template, publicKey, signer));
  const fields = tbs.value as forge.asn1.Asn1[];
  // version, serial, signature, issuer, validity, subject, public key, extensions: RFC 5280 section 4.1.
  fields[2] = signature;
  fields[6] = asn1.fromDer(spki(publicKey).toString('latin1'));
  const signed = sign('sha256', Buffer.from(asn1.toDer(tbs).getBytes(), 'latin1'), signer.key);
  const bits = asn1.create(Class.UNIVERSAL, Type.BITSTRING, false, `\0${signed.toString('latin1')}`);
  const der = Buffer.from(asn1.toDer(sequence(tbs, signature, bits)).getBytes(), 'latin1');
  const lines = der
    .toString('base64')
    .match(/.{1,64}/g)!
    .join('\n');
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

/** Exists in node-forge, not in its types. */
function encode(certificate: forge.pki.Certificate): forge.asn1.Asn1 {
  return (pki as unknown as { getTBSCertificate(from: typeof certificate): forge.asn1.Asn1 }).getTBSCertificate(
    certificate,
  );
}

function describe(template: Template, publicKey: KeyObject, signer: Signer): forge.pki.Certificate {
  const certificate = pki.createCertificate();
  // 128 random bits, positive.
  const serial = randomBytes(16);
  serial[0] = (serial[0]! & 0x3f) | 0x40;
  certificate.serialNumber = serial.toString('hex');
  certificate.validity.notBefore = new Date(template.notBefore);
  certificate.validity.notAfter = new Date(template.notAfter);
  const subject = template.subject.length <= MAX_COMMON_NAME ? template.subject : 'Perantara';
  certificate.setSubject([{ name: 'commonName', value: subject }]);
  certificate.setIssuer([{ name: 'commonName', value: signer.subject }]);
  // Stand-ins that encode; replaced afterwards.
  certificate.siginfo.algorithmOid = ECDSA_WITH_SHA256;
  certificate.publicKey = pki.rsa.setPublicKey(new forge.jsbn.BigInteger('3'), new forge.jsbn.BigInteger('3'));
  certificate.setExtensions([
    ...(template.authority ? authorityExtensions() : leafExtensions(template.names)),
    ...(template.acmeIdentifier === undefined ? [] : [acmeExtension(template.acmeIdentifier)]),
    { id: SUBJECT_KEY_IDENTIFIER, value: octets(keyId(publicKey)) },
    { name: 'authorityKeyIdentifier', keyIdentifier: keyId(createPublicKey(signer.key)) },
  ]);
  return certificate;
}

function authorityExtensions(): object[] {
  return [
    { name: 'basicConstraints', critical: true, cA: true, pathLenConstraint: 0 },
    { name: 'keyUsage', critical: true, keyCertSign: true, cRLSign: true },
  ];
}

function leafExtensions(names: readonly string[]): object[] {
  const altNames = names.map((name) => (isIP(name) === 0 ? { type: 2, value: name } : { type: 7, ip: name }));
  return [
    { name: 'basicConstraints', critical: true, cA: false },
    { name: 'keyUsage', critical: true, digitalSignature: true },
    { name: 'extKeyUsage', serverAuth: true },
    { name: 'subjectAltName', altNames },
  ];
}

function acmeExtension(digest: Buffer): object {
  return { id: ACME_IDENTIFIER, critical: true, value: octets(digest.toString('latin1')) };
}

/** RFC 7093 section 2 method 4: the leftmost 160 bits of SHA-256 over the public key. */
function keyId(publicKey: KeyObject): string {
  return createHash('sha256').update(spki(publicKey)).digest().subarray(0, 20).toString('latin1');
}

function octets(value: string): forge.asn1.Asn1 {
  return asn1.create(Class.UNIVERSAL, Type.OCTETSTRING, false, value);
}

function spki(publicKey: KeyObject): Buffer {
  return publicKey.export({ type: 'spki', format: 'der' });
}

function sequence(...value: forge.asn1.Asn1[]): forge.asn1.Asn1 {
  return asn1.create(Class.UNIVERSAL, Type.SEQUENCE, true, value);
}
