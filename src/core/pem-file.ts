// Small files that an operator names, and the PEM blocks in them (RFC 7468). What cannot be read is said in words.
import { readFileSync, statSync } from 'node:fs';
import { codeOf, messageOf, PerantaraError } from './errors.ts';

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

/** The content of a regular file of 4 MiB at most. Throws `file_unreadable`, whose message is the file's state. */
export function readSmallFile(file: string): Buffer {
  try {
    const stats = statSync(file);
    if (stats.isDirectory()) throw unreadable('is a folder');
    if (!stats.isFile()) throw unreadable('is not a regular file');
    if (stats.size > MAX_FILE_BYTES) throw unreadable('is larger than 4 MiB');
    return readFileSync(file);
  } catch (error) {
    throw error instanceof PerantaraError ? error : unreadable(fileState(error), error);
  }
}

/** The PEM blocks whose label ends in `label`, each with a final newline. */
export function pemBlocks(text: string, label: string): string[] {
  const pattern = new RegExp(`-----BEGIN ((?:[A-Z0-9]+ )*${label})-----[\\s\\S]*?-----END \\1-----`, 'g');
  return Array.from(text.matchAll(pattern), ([block]) => `${block}\n`);
}

function unreadable(state: string, cause?: unknown): PerantaraError {
  return new PerantaraError(state, { code: 'file_unreadable', source: 'operator', cause });
}
