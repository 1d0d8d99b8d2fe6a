// Reading PEM files named in the configuration: small, text, and with the blocks that are looked for.
import { readFileSync, statSync } from 'node:fs';
import { codeOf, messageOf } from '../core/errors.ts';
import type { Draft } from './draft.ts';
import { showValue } from './problem.ts';
import type { Path } from './source.ts';

/** A system's whole CA bundle is about 250 KiB. */
const MAX_FILE_BYTES = 4 * 1024 ** 2;

const STATES: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'does not exist',
  EACCES: 'may not be read by this user',
  EPERM: 'may not be read by this user',
  EISDIR: 'is a folder',
};

/** What a failed open or read means to the operator, to be put behind the file's name. */
export function fileState(error: unknown): string {
  return STATES[codeOf(error)] ?? `cannot be read: ${messageOf(error)}`;
}

/** The text of a regular file, or null after reporting why not at `path`. `file` is absolute. */
export function readText(file: string, path: Path, draft: Draft): string | null {
  const fail = (state: string): null => {
    draft.errorAt(path, `${showValue(file)} ${state}`);
    return null;
  };
  try {
    const stats = statSync(file);
    if (stats.isDirectory()) return fail('is a folder');
    if (!stats.isFile()) return fail('is not a regular file');
    if (stats.size > MAX_FILE_BYTES) return fail('is larger than 4 MiB');
    return readFileSync(file, 'utf8');
  } catch (error) {
    return fail(fileState(error));
  }
}

/** The PEM blocks (RFC 7468) whose label ends in `label`, each with a final newline. */
export function pemBlocks(text: string, label: string): string[] {
  const pattern = new RegExp(`-----BEGIN ((?:[A-Z0-9]+ )*${label})-----[\\s\\S]*?-----END \\1-----`, 'g');
  return Array.from(text.matchAll(pattern), ([block]) => `${block}\n`);
}
