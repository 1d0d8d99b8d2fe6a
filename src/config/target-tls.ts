// How an https:// target is spoken to: the name that its certificate must be for, whose word counts, our own certificate,
// and which protocols. Every other target has none of these settings.
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { readCertificateFiles } from '../core/certificate-files.ts';
import type { TargetAddress, TargetTls } from './config.ts';
import type { Draft } from './draft.ts';
import { meant, mistaken, type Parsed } from './parsed.ts';
import type { RawTarget } from './site-schema.ts';
import type { Path } from './source.ts';
import { showTarget, type TargetScheme, targetHost } from './target.ts';
import { readTrust } from './trust-file.ts';

export const HTTP_FORMS = '"1.1" or "2"';

/** Their use is with encryption only. */
const TLS_KEYS = ['trust', 'servername', 'cert', 'key', 'verify'] as const;
/** Who is at the other end of a socket is this machine. */
const SOCKET_NAME = 'localhost';

/** Unquoted, YAML makes numbers of them. */
export function parseHttpVersion(written: string | number): Parsed<'1.1' | '2'> {
  const version = String(written)
    .trim()
    .toLowerCase()
    .replace(/^(https?\/?|h)(?=\d)/, '');
  if (version === '1.1' || version === '2') return meant(version);
  if (version === '2c') return mistaken('HTTP/2 in the clear is a target of its own', { allowed: 'h2c://HOST:PORT' });
  const suggestion = /^[12]/.test(version) ? (version.startsWith('1') ? '1.1' : '2') : null;
  return mistaken('it is not a version that is spoken here', { allowed: HTTP_FORMS, suggestion });
}

/** The name in a target's certificate. */
export function parseServername(written: string): Parsed<string> {
  const name = targetHost(written.trim());
  const allowed = 'a host name such as app.internal';
  if (name === null) return mistaken('it is not a host name', { allowed });
  // RFC 6066 section 3
  return isIP(name) === 0 ? meant(name) : mistaken('an address is no name that could be asked for', { allowed });
}

/** null after a problem was reported. */
export function readTarget(raw: RawTarget, path: Path, draft: Draft): TargetAddress | null {
  const { protocol, ...place } = raw.to;
  if (protocol !== 'https') return isPlain(raw, protocol, path, draft) ? { ...place, protocol } : null;
  const tls = readTls(raw, place.kind === 'tcp' ? place.host : SOCKET_NAME, path, draft);
  return tls === null ? null : { ...place, protocol, tls };
}

function isPlain(raw: RawTarget, protocol: TargetScheme, path: Path, draft: Draft): boolean {
  const surplus = TLS_KEYS.filter((key) => raw[key] !== undefined);
  const secure = showTarget(raw.to, 'https');
  for (const key of surplus)
    draft.errorAtKey([...path, key], `${protocol}:// is not encrypted, so there is nothing to set`, {
      allowed: `https:// targets have it, such as ${secure}`,
    });
  if (raw.http === undefined) return surplus.length === 0;
  const own = protocol === 'h2c' ? '2' : '1.1';
  const state = raw.http === own ? `${protocol}:// says so already; leave it out` : `${protocol}:// is HTTP/${own}`;
  const other = showTarget(raw.to, raw.http === '2' ? 'h2c' : 'http');
  draft.errorAtKey([...path, 'http'], state, raw.http === own ? {} : { suggestion: `to: ${other}` });
  return false;
}

function readTls(raw: RawTarget, host: string, path: Path, draft: Draft): TargetTls | null {
  const { verify = true, servername = host, http = 'any' } = raw;
  const problems = draft.errors.length;
  const trust = raw.trust === undefined ? null : readTrust(raw.trust, [...path, 'trust'], draft);
  const identity = readIdentity(raw, path, draft);
  if (!verify && raw.trust !== undefined)
    draft.errorAtKey([...path, 'trust'], 'with verify: false nobody looks at it', { allowed: 'one of the two' });
  else if (!verify)
    draft.warnAt([...path, 'verify'], 'whoever answers in its place is believed and given every request', {
      allowed: 'trust: FILE with the certificate of its authority, or its own',
    });
  return draft.errors.length > problems ? null : { servername, trust, identity, http, verify };
}

/** null without one, and after a problem was reported. */
function readIdentity({ cert, key }: RawTarget, path: Path, draft: Draft): TargetTls['identity'] {
  if (cert === undefined && key === undefined) return null;
  if (cert === undefined || key === undefined) {
    const missing = cert === undefined ? 'cert' : 'key';
    if (!draft.isTainted([...path, missing]))
      draft.errorAtKey([...path, cert === undefined ? 'key' : 'cert'], `"${missing}" is missing beside it`, {
        allowed: 'the path of a file',
      });
    return null;
  }
  const files = { form: 'pem', cert: resolve(draft.folder, cert), key: resolve(draft.folder, key) } as const;
  const { pair, findings } = readCertificateFiles(files, { hosts: [], now: draft.now, audience: 'the upstream' });
  for (const { part, severity, state, found, allowed } of findings) {
    if (severity === 'error') draft.errorAt([...path, part], state, { found, allowed });
    else draft.warnAt([...path, part], state, { found, allowed });
  }
  return pair;
}
