// Certificates that another program obtained, read and checked: what `certs import` begins with. Stores nothing.
import { readCertificateFiles } from '../../core/certificate-files.ts';
import { type Certificate, parseCertificate } from '../certificate.ts';
import { findCandidates } from './candidates.ts';

export interface Imported {
  readonly certificate: Certificate;
  /** The file it was read from. */
  readonly file: string;
  /** The folder that names the issuer in Caddy's layout: `acme-v02.api.letsencrypt.org-directory`, `local`; else null. */
  readonly issuerFolder: string | null;
}

export interface ReadImport {
  readonly certificates: readonly Imported[];
  /** Files that cannot be used, each with the reason in words. */
  readonly problems: readonly { readonly file: string; readonly reason: string }[];
}

/**
 * Reads one file (PKCS#12; PEM with its key inside or beside it) or a folder: certbot's, Caddy's, or any with pairs in it.
 * `password` is for PKCS#12, '' for none. Account keys are not looked at. Rejects with `import_unreadable` when there is no
 * such file or folder.
 */
export async function readImport(path: string, password: string, now: number): Promise<ReadImport> {
  const certificates: Imported[] = [];
  const problems: { file: string; reason: string }[] = [];
  for (const { files, issuerFolder } of await findCandidates(path, password)) {
    const file = files.form === 'pem' ? files.cert : files.file;
    const { pair, findings } = readCertificateFiles(files, { hosts: [], now });
    if (pair !== null) {
      const certificate = parseCertificate(pair.certPem, pair.keyPem);
      // Copies of one certificate: a bundle and its parts.
      if (certificates.some((other) => other.certificate.fingerprint === certificate.fingerprint)) continue;
      certificates.push({ certificate, file, issuerFolder });
    } else
      for (const { severity, state, allowed } of findings)
        if (severity === 'error')
          problems.push({ file, reason: allowed === null ? state : `${state}; allowed: ${allowed}` });
  }
  return { certificates, problems };
}
