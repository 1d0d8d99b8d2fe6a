// The `acme` section: reading its values.
import { suggest } from '../core/suggest.ts';
import type { AcmeConfig, ProfileChoice } from './config.ts';
import { BINDING_DIRECTORIES, PUBLIC_DIRECTORIES } from './defaults.ts';
import type { Draft } from './draft.ts';
import { meant, mistaken, type Parsed } from './parsed.ts';
import type { RawConfig } from './schema.ts';
import type { Path } from './source.ts';
import { readTrust } from './trust-file.ts';

type RawAuthority = NonNullable<RawConfig['acme']>[number];

export function parseEmail(written: string): Parsed<string> {
  if (/^[\x21-\x3f\x41-\x7e]+@[A-Za-z0-9.-]+\.?[A-Za-z0-9-]+$/.test(written) && !written.startsWith('mailto:'))
    return meant(written);
  const suggestion = written.startsWith('mailto:') ? written.slice(7) : null;
  return mistaken('it is not an e-mail address', { allowed: 'one address such as ops@example.com', suggestion });
}

/** A name of PUBLIC_DIRECTORIES or an https URL → directory URL (RFC 8555 section 7.1.1). */
export function parseAcmeDirectory(written: string): Parsed<string> {
  const names = Object.keys(PUBLIC_DIRECTORIES);
  const allowed = `an https:// URL, or ${names.join(', ')}`;
  if (Object.hasOwn(PUBLIC_DIRECTORIES, written)) return meant(PUBLIC_DIRECTORIES[written]!);
  const url = URL.parse(written);
  if (url === null || !/^https?:\/\//i.test(written))
    return mistaken('it is not the name or URL of an ACME directory', { allowed, suggestion: suggest(written, names) });
  if (url.protocol === 'http:')
    return mistaken('an ACME server is only spoken to over https (RFC 8555 section 6.1)', {
      allowed,
      suggestion: written.replace(/^http:/i, 'https:'),
    });
  if (url.username !== '' || url.password !== '') return mistaken('it has a user or password', { allowed });
  if (url.hash !== '') return mistaken('it has a fragment', { allowed });
  return meant(url.href);
}

/** RFC 8555 section 7.3.4: base64url; the plain base64 that some web sites show is brought to it. */
export function parseHmacKey(written: string): Parsed<string> {
  const key = written.trim().replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
  if (/^[\w-]+$/.test(key) && key.length % 4 !== 1) return meant(key);
  return mistaken('it is not base64url', { allowed: 'the HMAC key as the web site of the authority shows it' });
}

/** Every authority, in the order to try; Let's Encrypt when none is written. */
export function readAcme(raw: RawConfig['acme'], draft: Draft): AcmeConfig[] {
  const seen = new Map<string, Path>();
  return (raw ?? [{}]).flatMap((authority, i) => {
    const path = draft.elementPath(['acme'], i);
    const read = readAuthority(authority, path, draft);
    const first = seen.get(read.directory);
    seen.set(read.directory, first ?? path);
    if (first === undefined) return [read];
    draft.errorAt([...path, 'directory'], `this authority stands already at ${draft.positionAt(first)}`);
    return [];
  });
}

function readAuthority(raw: RawAuthority, path: Path, draft: Draft): AcmeConfig {
  const directory = raw.directory ?? PUBLIC_DIRECTORIES.letsencrypt!;
  if (raw.binding === undefined && BINDING_DIRECTORIES.includes(directory) && !draft.isTainted([...path, 'binding']))
    draft.errorAt([...path, 'directory'], 'this authority registers accounts only with a key from its web site', {
      allowed: 'binding: { keyId: …, hmacKey: … } beside it',
    });
  return {
    directory,
    email: raw.email ?? null,
    trust: raw.trust === undefined ? null : readTrust(raw.trust, [...path, 'trust'], draft),
    binding: raw.binding ?? null,
    profile: readProfile(raw.profile),
    preferredChain: raw.preferredChain ?? null,
  };
}

export function readProfile(raw: RawAuthority['profile']): ProfileChoice | null {
  return raw === undefined ? null : { name: raw.name, required: raw.required ?? false };
}

/** Whether it is one of the named public authorities; they refuse names outside the public DNS. */
export function isPublicAuthority(directory: string): boolean {
  return Object.values(PUBLIC_DIRECTORIES).includes(directory);
}

/** The short name of a directory, or its URL: as an operator would write it. */
export function showDirectory(directory: string): string {
  return Object.entries(PUBLIC_DIRECTORIES).find(([, url]) => url === directory)?.[0] ?? directory;
}
