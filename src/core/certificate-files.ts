// A certificate with its key out of files that an operator made: read, put together and judged, when the configuration is
// loaded and again whenever the files change. Everything found is returned at once; nothing is thrown.
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { codeOf, messageOf } from './errors.ts';
import { pemBlocks, readSmallFile } from './pem-file.ts';
import { readPkcs12 } from './pkcs12.ts';
import { checkSecureContext } from './secure-context.ts';

/** Absolute paths. */
export type CertificateFiles =
  | { readonly form: 'pem'; readonly cert: string; readonly key: string }
  | { readonly form: 'pkcs12'; readonly file: string; readonly password: string };

export interface Finding {
  /** The setting that is to blame. */
  readonly part: 'cert' | 'key' | 'pkcs12' | 'password';
  /** An error: the files cannot be served. */
  readonly severity: 'error' | 'warning';
  /** Completes `cannot use <part>: …`. */
  readonly state: string;
  readonly found: string | null;
  readonly allowed: string | null;
}

export interface ReadCertificateFiles {
  /** Chain, leaf first, and key; null when there is an error among the findings. */
  readonly pair: { readonly certPem: string; readonly keyPem: string } | null;
  readonly findings: readonly Finding[];
}

interface Context {
  /** Normalised hosts that the certificate is for. */
  readonly hosts: readonly string[];
  readonly now: number;
  /** Whoever the certificate is shown to. Default `clients`. */
  readonly audience?: string;
}

export function readCertificateFiles(files: CertificateFiles, context: Context): ReadCertificateFiles {
  const { hosts, now, audience = 'clients' } = context;
  const judge = new Judge(files.form === 'pem' ? 'cert' : 'pkcs12', audience);
  const parts = files.form === 'pem' ? readPem(files, judge) : readBundle(files, judge);
  if (parts.chain !== null) {
    judge.dates(parts.chain[0]!, now);
    for (const host of hosts) judge.names(parts.chain[0]!, host);
  }
  const pair = parts.chain === null || parts.key === null ? null : judge.pair(parts.chain, parts.key);
  return { pair: judge.hasErrors ? null : pair, findings: judge.findings };
}

interface Key {
  readonly object: KeyObject;
  readonly pem: string;
}

interface Parts {
  readonly chain: readonly X509Certificate[] | null;
  readonly key: Key | null;
}

function readPem(files: Extract<CertificateFiles, { form: 'pem' }>, judge: Judge): Parts {
  return { chain: readChain(files.cert, judge), key: readKey(files.key, judge) };
}

function readChain(file: string, judge: Judge): X509Certificate[] | null {
  const text = judge.read(file, 'cert')?.toString();
  if (text === undefined) return null;
  const blocks = pemBlocks(text, 'CERTIFICATE');
  if (blocks.length === 0) {
    const isKey = pemBlocks(text, 'PRIVATE KEY').length > 0;
    const state = isKey ? 'holds a private key; are cert and key swapped?' : 'holds no PEM certificate';
    return judge.error('cert', `${quoted(file)} ${state}`, 'a PEM file, the certificate of the site first');
  }
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch {
    return judge.error('cert', `${quoted(file)} holds a damaged certificate`);
  }
}

function readKey(file: string, judge: Judge): Key | null {
  const text = judge.read(file, 'key')?.toString();
  if (text === undefined) return null;
  const pem = pemBlocks(text, 'PRIVATE KEY')[0];
  if (pem === undefined) {
    const isCert = pemBlocks(text, 'CERTIFICATE').length > 0;
    const state = isCert ? 'holds a certificate; are cert and key swapped?' : 'holds no PEM private key';
    return judge.error('key', `${quoted(file)} ${state}`, 'a PEM file with a private key');
  }
  try {
    return { pem, object: createPrivateKey(pem) };
  } catch (error) {
    const isLocked = codeOf(error) === 'ERR_MISSING_PASSPHRASE' || pem.includes('ENCRYPTED');
    const state = isLocked ? 'is protected by a passphrase, which is not supported' : 'holds a damaged private key';
    const allowed = isLocked ? 'a key without one: openssl pkey -in FILE -out NEWFILE' : null;
    return judge.error('key', `${quoted(file)} ${state}`, allowed);
  }
}

function readBundle(files: Extract<CertificateFiles, { form: 'pkcs12' }>, judge: Judge): Parts {
  const nothing = { chain: null, key: null };
  const bundle = judge.read(files.file, 'pkcs12');
  if (bundle === null) return nothing;
  try {
    const { key, certificates } = readPkcs12(bundle, files.password);
    const pem = key.export({ type: 'pkcs8', format: 'pem' }).toString();
    return { chain: ordered(certificates, key), key: { object: key, pem } };
  } catch (error) {
    const part = codeOf(error) === 'pkcs12_password' ? 'password' : 'pkcs12';
    const allowed = part === 'password' ? 'the password that it was exported with' : 'a .p12 or .pfx file';
    judge.error(part, `${quoted(files.file)} ${messageOf(error)}`, allowed);
    return nothing;
  }
}

/** The certificate of the key, then each followed by the one that issued it; strangers are left out. */
function ordered(certificates: readonly X509Certificate[], key: KeyObject): readonly X509Certificate[] {
  const leaf = certificates.find((certificate) => certificate.checkPrivateKey(key));
  if (leaf === undefined) return certificates;
  const chain = [leaf];
  for (;;) {
    const last = chain.at(-1)!;
    const next = certificates.find((certificate) => !chain.includes(certificate) && last.checkIssued(certificate));
    if (next === undefined) return chain;
    chain.push(next);
  }
}

/** Collects what is wrong. */
class Judge {
  readonly findings: Finding[] = [];
  readonly #certPart: 'cert' | 'pkcs12';
  readonly #audience: string;

  constructor(certPart: 'cert' | 'pkcs12', audience: string) {
    this.#certPart = certPart;
    this.#audience = audience;
  }

  get hasErrors(): boolean {
    return this.findings.some(({ severity }) => severity === 'error');
  }

  error(part: Finding['part'], state: string, allowed: string | null = null): null {
    this.findings.push({ part, severity: 'error', state, found: null, allowed });
    return null;
  }

  warn(state: string, details: Partial<Pick<Finding, 'found' | 'allowed'>> = {}): void {
    this.findings.push({ part: this.#certPart, severity: 'warning', state, found: null, allowed: null, ...details });
  }

  read(file: string, part: Finding['part']): Buffer | null {
    try {
      return readSmallFile(file);
    } catch (error) {
      return this.error(part, `${quoted(file)} ${messageOf(error)}`);
    }
  }

  dates(leaf: X509Certificate, now: number): void {
    const day = (date: Date): string => date.toISOString().slice(0, 10);
    if (leaf.validToDate.getTime() <= now)
      this.warn(`the certificate expired on ${day(leaf.validToDate)}; ${this.#audience} will refuse it`);
    else if (leaf.validFromDate.getTime() > now)
      this.warn(`the certificate is valid only from ${day(leaf.validFromDate)}`);
  }

  names(leaf: X509Certificate, host: string): void {
    const names = leaf.subjectAltName?.split(', ') ?? [];
    const isCovered = host.startsWith('*.')
      ? names.some((name) => name.toLowerCase() === `dns:${host}`)
      : (isIP(host) === 0 ? leaf.checkHost(host, { subject: 'never' }) : leaf.checkIP(host)) !== undefined;
    if (isCovered) return;
    const found = names.map((name) => name.replace(/^\w+( \w+)?:/, '')).join(', ') || 'no names';
    this.warn(`the certificate does not cover ${host}; ${this.#audience} will refuse it`, { found });
  }

  /** The key must be that of the first certificate; the rest should lead on from it; OpenSSL must take both. */
  pair(chain: readonly X509Certificate[], key: Key): ReadCertificateFiles['pair'] {
    const match = chain.findIndex((certificate) => certificate.checkPrivateKey(key.object));
    if (match === -1) {
      const part = this.#certPart === 'cert' ? 'key' : 'pkcs12';
      return this.error(part, 'it is not the key of the certificate', 'the key it was issued for');
    }
    if (match > 0) {
      const state = `the certificate of the site stands at place ${match + 1} of the file`;
      return this.error(this.#certPart, state, 'that certificate first, then those that issued it');
    }
    const gap = chain.findIndex((certificate, i) => i > 0 && !chain[i - 1]!.checkIssued(certificate));
    if (gap > 0)
      this.warn(`certificate ${gap + 1} of the file did not issue certificate ${gap}`, {
        allowed: 'each certificate followed by its issuer',
      });
    const certPem = chain.map((certificate) => certificate.toString()).join('');
    try {
      checkSecureContext({ cert: certPem, key: key.pem });
    } catch (error) {
      return this.error(this.#certPart, `TLS refuses it: ${messageOf(error).replace(/^error:\w+:[^:]*:+/, '')}`);
    }
    return { certPem, keyPem: key.pem };
  }
}

/** A path as messages show it. */
function quoted(file: string): string {
  return JSON.stringify(file.length > 80 ? `${file.slice(0, 79)}…` : file);
}
