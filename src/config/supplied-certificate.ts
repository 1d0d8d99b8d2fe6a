// A site's own certificate and key files: they parse, belong together, are in date, and name the site.
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { codeOf, messageOf } from '../core/errors.ts';
import { checkSecureContext } from '../core/secure-context.ts';
import type { SiteTls } from './config.ts';
import type { Draft } from './draft.ts';
import { pemBlocks, readText } from './pem-file.ts';
import { showValue } from './problem.ts';
import type { Path } from './source.ts';

type Supplied = Extract<SiteTls, { kind: 'supplied' }>;

/** Reads and checks both files; `path` is the site's `tls`. null after a problem was reported. */
export function readSuppliedCertificate(
  written: { readonly cert: string; readonly key: string },
  host: string,
  path: Path,
  draft: Draft,
): Supplied | null {
  const certFile = resolve(draft.folder, written.cert);
  const keyFile = resolve(draft.folder, written.key);
  const chain = readChain(certFile, [...path, 'cert'], draft);
  const key = readKey(keyFile, [...path, 'key'], draft);
  if (chain === null) return null;
  const leaf = chain[0]!;
  checkDates(leaf, [...path, 'cert'], draft);
  checkNames(leaf, host, [...path, 'cert'], draft);
  if (key === null || !checkPair(chain, key.key, path, draft)) return null;
  const certPem = chain.map((certificate) => certificate.toString()).join('');
  try {
    checkSecureContext({ cert: certPem, key: key.pem });
  } catch (error) {
    draft.errorAt([...path, 'cert'], `TLS refuses it: ${messageOf(error).replace(/^error:\w+:[^:]*:+/, '')}`);
    return null;
  }
  return { kind: 'supplied', files: { form: 'pem', cert: certFile, key: keyFile }, certPem, keyPem: key.pem };
}

function readChain(file: string, path: Path, draft: Draft): X509Certificate[] | null {
  const text = readText(file, path, draft);
  if (text === null) return null;
  const blocks = pemBlocks(text, 'CERTIFICATE');
  if (blocks.length === 0) {
    const isKey = pemBlocks(text, 'PRIVATE KEY').length > 0;
    const state = isKey ? 'holds a private key; are cert and key swapped?' : 'holds no PEM certificate';
    draft.errorAt(path, `${showValue(file)} ${state}`, { allowed: 'a PEM file, the certificate of the site first' });
    return null;
  }
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch {
    draft.errorAt(path, `${showValue(file)} holds a damaged certificate`);
    return null;
  }
}

function readKey(file: string, path: Path, draft: Draft): { pem: string; key: KeyObject } | null {
  const text = readText(file, path, draft);
  if (text === null) return null;
  const pem = pemBlocks(text, 'PRIVATE KEY')[0];
  if (pem === undefined) {
    const isCert = pemBlocks(text, 'CERTIFICATE').length > 0;
    const state = isCert ? 'holds a certificate; are cert and key swapped?' : 'holds no PEM private key';
    draft.errorAt(path, `${showValue(file)} ${state}`, { allowed: 'a PEM file with a private key' });
    return null;
  }
  try {
    return { pem, key: createPrivateKey(pem) };
  } catch (error) {
    const isLocked = codeOf(error) === 'ERR_MISSING_PASSPHRASE' || pem.includes('ENCRYPTED');
    const state = isLocked ? 'is protected by a passphrase, which is not supported' : 'holds a damaged private key';
    draft.errorAt(path, `${showValue(file)} ${state}`, {
      allowed: isLocked ? `a key without one: openssl pkey -in FILE -out NEWFILE` : null,
    });
    return null;
  }
}

function checkDates(leaf: X509Certificate, path: Path, draft: Draft): void {
  if (leaf.validToDate.getTime() <= draft.now)
    draft.errorAt(path, `the certificate expired on ${leaf.validToDate.toISOString().slice(0, 10)}`);
  else if (leaf.validFromDate.getTime() > draft.now)
    draft.warnAt(path, `the certificate is valid only from ${leaf.validFromDate.toISOString().slice(0, 10)}`);
}

function checkNames(leaf: X509Certificate, host: string, path: Path, draft: Draft): void {
  const names = leaf.subjectAltName?.split(', ') ?? [];
  const covered = host.startsWith('*.')
    ? names.some((name) => name.toLowerCase() === `dns:${host}`)
    : (isIP(host) === 0 ? leaf.checkHost(host, { subject: 'never' }) : leaf.checkIP(host)) !== undefined;
  if (!covered)
    draft.warnAt(path, `the certificate does not cover ${host}; clients will refuse it`, {
      found: names.length === 0 ? 'no names' : names.map((name) => name.replace(/^\w+( \w+)?:/, '')).join(', '),
    });
}

/** The key must be that of the first certificate; the rest should lead on from it. */
function checkPair(chain: readonly X509Certificate[], key: KeyObject, path: Path, draft: Draft): boolean {
  const match = chain.findIndex((certificate) => certificate.checkPrivateKey(key));
  if (match === -1) {
    draft.errorAt([...path, 'key'], 'it is not the key of the certificate', { allowed: 'the key it was issued for' });
    return false;
  }
  if (match > 0) {
    draft.errorAt([...path, 'cert'], `the certificate of the site stands at place ${match + 1} of the file`, {
      allowed: 'that certificate first, then those that issued it',
    });
    return false;
  }
  const gap = chain.findIndex((certificate, i) => i > 0 && !chain[i - 1]!.checkIssued(certificate));
  if (gap > 0)
    draft.warnAt([...path, 'cert'], `certificate ${gap + 1} of the file did not issue certificate ${gap}`, {
      allowed: 'each certificate followed by its issuer',
    });
  return true;
}
