// Where the certificate of a site comes from: the local CA, files of the operator, or which authorities, proved how.
import { isIP } from 'node:net';
import { isLocalName, isReservedName } from '../core/hostname.ts';
import { isPublicAuthority, readProfile, showDirectory } from './acme.ts';
import { readChallenges } from './challenges.ts';
import type { AcmeConfig, Config, KeyType, SiteTls } from './config.ts';
import { DEFAULT_KEY_TYPES, NAMES_ONLY_DIRECTORIES } from './defaults.ts';
import type { Draft } from './draft.ts';
import { showValue } from './problem.ts';
import type { RawSite, RawTls } from './site-schema.ts';
import type { Path } from './source.ts';
import { readSuppliedCertificate } from './supplied-certificate.ts';

/** What a site's settings depend on. */
export type TlsGround = Pick<Config, 'acme' | 'dns' | 'listen'>;

const FILE_KEYS = ['cert', 'key', 'pkcs12', 'password'] as const;
const ACME_KEYS = ['issuer', 'challenge', 'keyType', 'profile', 'group'] as const;

/** Reads the `tls` of the site at `path`; null when it was wrong, which is reported then. */
export function readSiteTls(site: RawSite, host: string, path: Path, ground: TlsGround, draft: Draft): SiteTls | null {
  const isOneLine = typeof draft.writtenAt(path) !== 'object';
  const tlsPath = [...path, 'tls'];
  if (!isOneLine && draft.isTainted(tlsPath)) return null;
  const tls = ('tls' in site ? site.tls : undefined) ?? {};
  if (tls === 'local') return { kind: 'local' };
  const files = FILE_KEYS.find((key) => tls[key] !== undefined);
  const settings = ACME_KEYS.find((key) => tls[key] !== undefined);
  if (files === undefined) return readAcmeTls(tls, host, path, ground, draft);
  if (settings === undefined) return readFiles(tls, host, tlsPath, draft);
  draft.errorAtKey([...tlsPath, settings], `the certificate is a file of yours (${files}), not obtained by ACME`);
  return null;
}

function readFiles(tls: RawTls, host: string, path: Path, draft: Draft): SiteTls | null {
  const { cert, key, pkcs12, password } = tls;
  if (pkcs12 !== undefined) {
    const other = cert !== undefined ? 'cert' : key !== undefined ? 'key' : null;
    if (other === null) return readSuppliedCertificate({ pkcs12, password: password ?? '' }, host, path, draft);
    draft.errorAtKey([...path, other], 'there is already pkcs12', { allowed: 'cert and key, or pkcs12' });
    return null;
  }
  if (password !== undefined)
    draft.errorAtKey([...path, 'password'], 'it belongs to pkcs12; keys in PEM files have none');
  else if (cert === undefined || key === undefined)
    draft.errorAt(path, `"${cert === undefined ? 'cert' : 'key'}" is missing`, { allowed: 'the path of a file' });
  else return readSuppliedCertificate({ cert, key }, host, path, draft);
  return null;
}

function readAcmeTls(tls: RawTls, host: string, path: Path, ground: TlsGround, draft: Draft): SiteTls | null {
  const tlsPath = [...path, 'tls'];
  const directories = readDirectories(tls, host, tlsPath, ground.acme, draft);
  if (directories === null) return null;
  if (directories.length === 0) {
    const settings = ACME_KEYS.find((key) => tls[key] !== undefined);
    if (settings === undefined) return { kind: 'local' };
    draft.errorAtKey([...tlsPath, settings], `no public authority certifies ${showValue(host)}; the local CA does`, {
      allowed: 'tls: local, a private authority under acme, or files of yours',
    });
    return null;
  }
  const challenges = readChallenges(tls.challenge, host, path, ground, draft);
  const keyTypes = readKeyTypes(tls.keyType, [...tlsPath, 'keyType'], draft);
  if (challenges === null) return null;
  return {
    kind: 'acme',
    directories,
    challenges,
    keyTypes,
    profile: readProfile(tls.profile),
    group: tls.group ?? null,
  };
}

/** Those that may certify the host, in order; empty when none would; null after a problem was reported. */
function readDirectories(
  tls: RawTls,
  host: string,
  path: Path,
  acme: readonly AcmeConfig[],
  draft: Draft,
): readonly string[] | null {
  const known = acme.map(({ directory }) => directory);
  const named = tls.issuer;
  // An authority that was asked for by name may be a private one that certifies anything.
  if (named === undefined && isLocalName(host)) return [];
  for (const [i, directory] of (named ?? []).entries()) {
    if (known.includes(directory) || draft.isTainted(['acme'])) continue;
    draft.errorAt(draft.elementPath([...path, 'issuer'], i), 'this authority is not under acme', {
      found: showValue(showDirectory(directory)),
      allowed: known.map(showDirectory).join(', '),
    });
    return null;
  }
  const isHopeless = isLocalName(host) || isReservedName(host);
  const able = [...new Set(named ?? known)].filter((directory) => !isHopeless || !isPublicAuthority(directory));
  if (isIP(host) === 0 || isHopeless) return able;
  const forAddresses = able.filter((directory) => !NAMES_ONLY_DIRECTORIES.includes(directory));
  if (forAddresses.length > 0) return forAddresses;
  draft.errorAtKey(path.slice(0, -1), `${able.map(showDirectory).join(', ')} certifies no IP addresses`, {
    allowed: 'letsencrypt under acme, tls: local, or files of yours',
  });
  return null;
}

function readKeyTypes(raw: readonly KeyType[] | undefined, path: Path, draft: Draft): readonly KeyType[] {
  const types = raw ?? DEFAULT_KEY_TYPES;
  const kinds = types.map((type) => type.startsWith('rsa'));
  if (new Set(kinds).size !== kinds.length)
    draft.errorAt(path, 'a pair is one RSA and one elliptic-curve key', { allowed: '[p256, rsa2048]' });
  return types;
}
