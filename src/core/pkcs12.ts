// PKCS#12 bundles (RFC 7292): key and certificates out of a .p12 or .pfx file. OpenSSL reads today's; those made with RC2
// or 3DES, which OpenSSL 3 refuses, and all of them on a Node without `crypto.parsePKCS12`, are read by node-forge.
import * as crypto from 'node:crypto';
import { createRequire } from 'node:module';
import type Forge from 'node-forge';
import { codeOf, messageOf, PerantaraError } from './errors.ts';

export interface Pkcs12Content {
  readonly key: crypto.KeyObject;
  /** All of them, in no certain order. At least one. */
  readonly certificates: readonly crypto.X509Certificate[];
}

interface NativeContent {
  readonly privateKey?: crypto.KeyObject | null;
  readonly certificate?: crypto.X509Certificate | null;
  readonly additionalCertificates?: readonly crypto.X509Certificate[];
}

/** Node 26.10 and newer. */
const native = crypto as { parsePKCS12?: (bundle: Buffer, options: { passphrase: string }) => NativeContent };

/** An empty password is the same as none. Throws `pkcs12_password` or `pkcs12_invalid`; the message is the bundle's state. */
export function readPkcs12(bundle: Buffer, password: string): Pkcs12Content {
  if (native.parsePKCS12 === undefined) return readByForge(bundle, password);
  try {
    const {
      privateKey,
      certificate,
      additionalCertificates = [],
    } = native.parsePKCS12(bundle, { passphrase: password });
    return content(privateKey ?? null, certificate ? [certificate, ...additionalCertificates] : additionalCertificates);
  } catch (error) {
    if (error instanceof PerantaraError) throw error;
    if (/MAC_VERIFY_FAILURE/.test(codeOf(error))) throw wrongPassword(password, error);
    return readByForge(bundle, password);
  }
}

/** Loaded when first needed: most installations never do. */
function readByForge(bundle: Buffer, password: string): Pkcs12Content {
  const forge = createRequire(import.meta.url)('node-forge') as typeof Forge;
  const { asn1, pki, pkcs12 } = forge;
  const derOf = (part: Forge.asn1.Asn1): Buffer => Buffer.from(asn1.toDer(part).getBytes(), 'latin1');
  try {
    const parsed = pkcs12.pkcs12FromAsn1(asn1.fromDer(bundle.toString('latin1')), false, password);
    const bags = (type: string): Forge.pkcs12.Bag[] => parsed.getBags({ bagType: type })[type] ?? [];
    const keyBag = [...bags(pki.oids.pkcs8ShroudedKeyBag!), ...bags(pki.oids.keyBag!)][0];
    // Only RSA is known to forge; the rest it hands on as it is.
    const keyPart = keyBag?.key ? pki.wrapRsaPrivateKey(pki.privateKeyToAsn1(keyBag.key)) : keyBag?.asn1;
    const key = keyPart && crypto.createPrivateKey({ key: derOf(keyPart), format: 'der', type: 'pkcs8' });
    const certificates = bags(pki.oids.certBag!).flatMap(({ cert, asn1: raw }) => {
      const part = cert ? pki.certificateToAsn1(cert) : raw;
      return part ? [new crypto.X509Certificate(derOf(part))] : [];
    });
    return content(key ?? null, certificates);
  } catch (error) {
    if (error instanceof PerantaraError) throw error;
    if (/invalid password|MAC could not be verified/i.test(messageOf(error))) throw wrongPassword(password, error);
    throw invalid('is no PKCS#12 bundle, or a damaged one', error);
  }
}

function content(key: crypto.KeyObject | null, certificates: readonly crypto.X509Certificate[]): Pkcs12Content {
  if (key === null) throw invalid('holds no private key');
  if (certificates.length === 0) throw invalid('holds no certificate');
  return { key, certificates };
}

function wrongPassword(password: string, cause: unknown): PerantaraError {
  return new PerantaraError(`is protected by ${password === '' ? 'a' : 'another'} password`, {
    code: 'pkcs12_password',
    source: 'operator',
    cause,
  });
}

function invalid(state: string, cause?: unknown): PerantaraError {
  return new PerantaraError(state, { code: 'pkcs12_invalid', source: 'operator', cause });
}
