// Names one request in logs and on error pages.
import { randomBytes } from 'node:crypto';

/** 16 hexadecimal digits. */
export function newRequestId(): string {
  return randomBytes(8).toString('hex');
}
