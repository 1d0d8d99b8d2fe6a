// How Perantara calls itself at CAs, which ask for it (RFC 8555 section 6.1).
import { createRequire } from 'node:module';

/** `perantara/1.2.3` */
export function userAgent(): string {
  const { version } = createRequire(import.meta.url)('../../../package.json') as { version: string };
  return `perantara/${version}`;
}
