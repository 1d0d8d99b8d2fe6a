// A certificate with its key, as a value: what it certifies, until when, and whether its parts belong together.
// Never reads a clock, a file or the network.
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import type { KeyType } from '../config/config.ts';
import { messageOf, PerantaraError } from '../core/errors.ts';
import { normalizeHostPattern } from '../core/hostname.ts';
import { readIdentifiers } from './certificate-identifiers.ts';

export interface Certificate {
  /** Every DNS name and IP address of the leaf (its subjectAltName), normalised. */
  readonly names: readonly string[];
  /** The chain as PEM, leaf first, one newline at the end. */
  readonly certPem: string;
  /** PKCS#8 (or the form it was supplied in), PEM. Secret: never logged. */
  readonly keyPem: string;
  /** Milliseconds since the epoch. */
  readonly notBefore: number;
  /** Milliseconds since the epoch. */
  readonly notAfter: number;
  /** The issuer's common name, else its organisation, else ''. */
  readonly issuer: string;
  /** Hexadecimal, upper case, as in the certificate. */
  readonly serial: string;
  /** SHA-256 over the leaf's DER: `AB:CD:…`. */
  readonly fingerprint: string;
}

/** A certificate is taken although its first day lies ahead by less than this: the CA's clock and ours may differ. */
const CLOCK_TOLERANCE_MS = 24 * 3_600_000;

/** Clients give up on long chains (OpenSSL at 100 KB); the longest in use have four. */
const MAX_CHAIN = 10;

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * Reads a chain and its key. Throws a PerantaraError (`certificate_invalid`, `key_invalid`, `key_mismatch`) when either
 * cannot be read or the key is not the leaf's.
 */
export function parseCertificate(certPem: string, keyPem: string): Certificate {
  const chain = parseChain(certPem);
  const leaf = chain[0]!;
  const key = parseKey(keyPem);
  if (!leaf.checkPrivateKey(key))
    throw invalid(
      'key_mismatch',
      `cannot use certificate of "${nameOf(leaf)}": its key belongs to another certificate`,
    );
  const [notBefore, notAfter] = [leaf.validFromDate.getTime(), leaf.validToDate.getTime()];
  if (Number.isNaN(notBefore) || Number.isNaN(notAfter))
    throw invalid('certificate_invalid', `cannot read certificate of "${nameOf(leaf)}": its dates are none`);
  return {
    names: namesOf(leaf),
    certPem: chain.map((certificate) => certificate.toString()).join(''),
    keyPem: keyPem.trim().concat('\n'),
    notBefore,
    notAfter,
    issuer: field(leaf.issuer, 'CN') ?? field(leaf.issuer, 'O') ?? '',
    serial: leaf.serialNumber,
    fingerprint: leaf.fingerprint256,
  };
}

const PEM_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]+-----END [A-Z ]*PRIVATE KEY-----/;

/** Reads key and chain from one text; throws as `parseCertificate`. */
export function parseBundle(bundle: string): Certificate {
  return parseCertificate(bundle, PEM_KEY.exec(bundle)?.[0] ?? '');
}

/** Key and chain as one text: what is written in one step cannot be torn apart. */
export function formatBundle({ keyPem, certPem }: Certificate): string {
  return keyPem + certPem;
}

/**
 * Checks what an issuer handed out before it is stored: the chain leads from the leaf, the leaf carries exactly
 * `names`, and it is valid at `now`. (That the key matches is part of reading it.) Throws `certificate_unfit`.
 */
export function verifyIssued(certificate: Certificate, names: readonly string[], now: number): void {
  const chain = parseChain(certificate.certPem);
  if (chain.length > MAX_CHAIN) throw unfit(names, `its chain has ${chain.length} certificates`);
  for (const [index, child] of chain.slice(0, -1).entries()) {
    const parent = chain[index + 1]!;
    if (!child.checkIssued(parent) || !child.verify(parent.publicKey))
      throw unfit(names, `its chain is broken after "${nameOf(child)}"`);
  }
  if (!sameNames(certificate.names, names))
    throw unfit(names, `it certifies ${certificate.names.map((name) => `"${name}"`).join(', ') || 'no name'}`);
  if (certificate.notAfter <= now) throw unfit(names, `it ended at ${iso(certificate.notAfter)}`);
  if (certificate.notBefore > now + CLOCK_TOLERANCE_MS)
    throw unfit(names, `it begins at ${iso(certificate.notBefore)} and the clock here says ${iso(now)}`);
}

const KEY_TYPES: Readonly<Record<string, KeyType>> = {
  'ec prime256v1': 'p256',
  'ec secp384r1': 'p384',
  'rsa 2048': 'rsa2048',
  'rsa 4096': 'rsa4096',
};

/** The key type of the leaf, or null: some other. Reads the certificate anew. */
export function keyTypeOf({ certPem }: Pick<Certificate, 'certPem'>): KeyType | null {
  const { asymmetricKeyType, asymmetricKeyDetails } = new X509Certificate(certPem).publicKey;
  const { namedCurve, modulusLength } = asymmetricKeyDetails ?? {};
  return KEY_TYPES[`${asymmetricKeyType} ${namedCurve ?? modulusLength}`] ?? null;
}

/**
 * The name by which an ACME server is asked about it (RFC 9773 section 4.1): `aYhba4dG….AIdlQyE`. null when it has no
 * authority key identifier.
 */
export function ariCertId({ certPem }: Pick<Certificate, 'certPem'>): string | null {
  const ids = readIdentifiers(parseChain(certPem)[0]!.raw);
  return ids === null ? null : `${ids.authorityKey.toString('base64url')}.${ids.serial.toString('base64url')}`;
}

/** Whether two lists hold the same names, in any order. */
export function sameNames(a: readonly string[], b: readonly string[]): boolean {
  const left = new Set(a);
  const right = new Set(b);
  return left.size === right.size && [...left].every((name) => right.has(name));
}

function parseChain(pem: string): X509Certificate[] {
  const blocks = pem.match(PEM_CERTIFICATE) ?? [];
  if (blocks.length === 0) throw invalid('certificate_invalid', 'cannot read certificate: no PEM certificate in it');
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch (cause) {
    throw invalid('certificate_invalid', `cannot read certificate: ${messageOf(cause)}`, cause);
  }
}

function parseKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    throw invalid('key_invalid', `cannot read private key: ${messageOf(cause)}`, cause);
  }
}

/** `DNS:a.example, IP Address:10.0.0.1`; Node quotes values that could be mistaken for several (CVE-2021-44532). */
function namesOf(leaf: X509Certificate): string[] {
  const names: string[] = [];
  for (const [, type, value] of (leaf.subjectAltName ?? '').matchAll(/([^:,]+):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/g)) {
    if ((type !== 'DNS' && type !== 'IP Address') || value!.startsWith('"')) continue;
    names.push(normalizeHostPattern(value!) ?? value!);
  }
  return names;
}

function nameOf(certificate: X509Certificate): string {
  return namesOf(certificate)[0] ?? field(certificate.subject, 'CN') ?? certificate.serialNumber;
}

function field(distinguishedName: string, key: string): string | undefined {
  return new RegExp(`^${key}=(.*)$`, 'm').exec(distinguishedName)?.[1];
}

function iso(at: number): string {
  return new Date(at).toISOString();
}

function invalid(code: string, message: string, cause?: unknown): PerantaraError {
  return new PerantaraError(message, { code, source: 'operator', cause });
}

function unfit(names: readonly string[], state: string): PerantaraError {
  return new PerantaraError(`cannot use the certificate issued for ${names.join(', ')}: ${state}`, {
    code: 'certificate_unfit',
    source: 'issuer',
  });
}
