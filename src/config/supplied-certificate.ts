// A site's own certificate files, read when the configuration is; what core/certificate-files finds goes to the lines that
// name them.
import { resolve } from 'node:path';
import { readCertificateFiles } from '../core/certificate-files.ts';
import type { SiteTls, SuppliedFiles } from './config.ts';
import type { Draft } from './draft.ts';
import type { Path } from './source.ts';

type Supplied = Extract<SiteTls, { kind: 'supplied' }>;

/** As in the file. */
export type WrittenFiles =
  | { readonly cert: string; readonly key: string }
  | { readonly pkcs12: string; readonly password: string };

/** `path` is the site's `tls`. null after a problem was reported. */
export function readSuppliedCertificate(
  written: WrittenFiles,
  host: string,
  path: Path,
  draft: Draft,
): Supplied | null {
  const files = absolute(written, draft.folder);
  const { pair, findings } = readCertificateFiles(files, { hosts: [host], now: draft.now });
  for (const { part, severity, state, found, allowed } of findings) {
    // Nobody need have written a password.
    const key = part === 'password' && draft.writtenAt([...path, part]) === undefined ? 'pkcs12' : part;
    if (severity === 'error') draft.errorAt([...path, key], state, { found, allowed });
    else draft.warnAt([...path, key], state, { found, allowed });
  }
  return pair === null ? null : { kind: 'supplied', files, ...pair };
}

function absolute(written: WrittenFiles, folder: string): SuppliedFiles {
  if ('pkcs12' in written) return { form: 'pkcs12', file: resolve(folder, written.pkcs12), password: written.password };
  return { form: 'pem', cert: resolve(folder, written.cert), key: resolve(folder, written.key) };
}
