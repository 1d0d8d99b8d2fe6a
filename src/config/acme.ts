// The `acme` section: reading its values, and checking the trust file.
import { X509Certificate } from 'node:crypto';
import { resolve } from 'node:path';
import { suggest } from '../core/suggest.ts';
import type { AcmeConfig } from './config.ts';
import { BINDING_DIRECTORIES, PUBLIC_DIRECTORIES } from './defaults.ts';
import type { Draft } from './draft.ts';
import { meant, mistaken, type Parsed } from './parsed.ts';
import { pemBlocks, readText } from './pem-file.ts';
import type { RawConfig } from './schema.ts';

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

export function readAcme(raw: RawConfig['acme'], draft: Draft): AcmeConfig {
  const directory = raw?.directory ?? PUBLIC_DIRECTORIES.letsencrypt!;
  if (BINDING_DIRECTORIES.includes(directory))
    draft.warnAt(
      ['acme', 'directory'],
      'this authority wants an account binding from its web site, which is not supported yet; it will refuse to register',
      { allowed: 'letsencrypt' },
    );
  const trust = raw?.trust === undefined ? null : readTrust(raw.trust, draft);
  return { directory, email: raw?.email ?? null, trust, binding: null, profile: null, preferredChain: null };
}

/** The PEM text of a CA bundle; null after a problem was reported. */
function readTrust(written: string, draft: Draft): string | null {
  const path = ['acme', 'trust'];
  const text = readText(resolve(draft.folder, written), path, draft);
  if (text === null) return null;
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

/** Whether one of the named public authorities is asked; they refuse names outside the public DNS. */
export function isPublicAuthority(directory: string): boolean {
  return Object.values(PUBLIC_DIRECTORIES).includes(directory);
}
