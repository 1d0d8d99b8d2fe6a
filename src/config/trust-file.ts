// A file with the CA certificates that authenticate somebody's server. What cannot be believed is refused when the
// configuration is loaded: a bundle that is missing or empty never means that everybody is trusted (CVE-2026-27586).
import { X509Certificate } from 'node:crypto';
import { resolve } from 'node:path';
import { messageOf } from '../core/errors.ts';
import { pemBlocks, readSmallFile } from '../core/pem-file.ts';
import type { Draft } from './draft.ts';
import { showValue } from './problem.ts';
import type { Path } from './source.ts';

/** The PEM text of a CA bundle; null after a problem was reported. */
export function readTrust(written: string, path: Path, draft: Draft): string | null {
  const file = resolve(draft.folder, written);
  let text: string;
  try {
    text = readSmallFile(file).toString();
  } catch (error) {
    draft.errorAt(path, `${showValue(file)} ${messageOf(error)}`);
    return null;
  }
  const blocks = pemBlocks(text, 'CERTIFICATE');
  if (blocks.length === 0) draft.errorAt(path, 'the file contains no certificate', { allowed: 'a PEM bundle' });
  for (const [i, block] of blocks.entries()) {
    try {
      new X509Certificate(block);
    } catch {
      draft.errorAt(path, `certificate ${i + 1} of ${blocks.length} in the file is damaged`);
    }
  }
  return blocks.join('');
}
