// Real certificates for tests, in milliseconds: signed by a throw-away authority with the product's own mint.
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { type Certificate, parseCertificate } from '../../src/certs/certificate.ts';
import { mintCertificate } from '../../src/certs/mint.ts';

const DAY_MS = 86_400_000;

export interface Authority {
  readonly subject: string;
  readonly certPem: string;
  readonly keyPem: string;
}

export interface MintOptions {
  /** Milliseconds since the epoch. Default an hour ago, for 90 days. */
  readonly notBefore?: number;
  readonly notAfter?: number;
  /** Put under the leaf in the chain. Default none. */
  readonly chain?: string;
  /** Default a new P-256 key. */
  readonly keyPem?: string;
}

export function newKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

export function makeAuthority(subject = 'Test Root', parent?: Authority): Authority {
  const keyPem = newKey();
  const period = { notBefore: Date.now() - DAY_MS, notAfter: Date.now() + 4_000 * DAY_MS };
  const signer = parent ?? { subject, keyPem };
  const template = { subject, names: [], authority: true, ...period };
  const certPem = mintCertificate(template, createPublicKey(keyPem), {
    subject: signer.subject,
    key: createPrivateKey(signer.keyPem),
  });
  return { subject, certPem, keyPem };
}

/** A leaf for `names`, valid from an hour ago for 90 days unless told otherwise. */
export function mint(names: readonly string[], authority: Authority, options: MintOptions = {}): Certificate {
  const keyPem = options.keyPem ?? newKey();
  const { notBefore = Date.now() - 3_600_000, notAfter = notBefore + 90 * DAY_MS, chain = '' } = options;
  const template = { subject: names[0] ?? 'nobody', names, authority: false, notBefore, notAfter };
  const signer = { subject: authority.subject, key: createPrivateKey(authority.keyPem) };
  return parseCertificate(mintCertificate(template, createPublicKey(keyPem), signer) + chain, keyPem);
}
