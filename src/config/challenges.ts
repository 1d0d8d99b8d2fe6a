// How a site proves its name: what was asked for, or everything that can work here.
import { isIP } from 'node:net';
import type { ChallengeType } from './config.ts';
import { ADDRESS_CHALLENGES, NAME_CHALLENGES, WILDCARD_CHALLENGES } from './defaults.ts';
import type { Draft } from './draft.ts';
import type { TlsGround } from './site-tls.ts';
import type { Path } from './source.ts';

/** At least one type, the preferred first; null after a problem was reported. `path` is that of the site. */
export function readChallenges(
  asked: readonly ChallengeType[] | undefined,
  host: string,
  path: Path,
  ground: TlsGround,
  draft: Draft,
): readonly ChallengeType[] | null {
  return asked === undefined ? automatic(host, path, ground, draft) : checked(asked, host, path, ground, draft);
}

function automatic(host: string, path: Path, ground: TlsGround, draft: Draft): readonly ChallengeType[] | null {
  const types = host.startsWith('*.') ? WILDCARD_CHALLENGES : isIP(host) === 0 ? NAME_CHALLENGES : ADDRESS_CHALLENGES;
  const possible = types.filter((type) => obstacle(type, host, ground) === null);
  if (possible.length > 0) return possible;
  // A wildcard without `dns`: all others have TLS-ALPN-01 at least.
  if (draft.writtenAt(['dns']) === undefined)
    draft.errorAtKey(path, 'a wildcard is proved by a DNS record, and nothing says where to put it', {
      allowed: 'a dns section, tls: { challenge: dns-persist-01 }, tls: local, or tls: { cert: FILE, key: FILE }',
    });
  return null;
}

function checked(
  asked: readonly ChallengeType[],
  host: string,
  path: Path,
  ground: TlsGround,
  draft: Draft,
): readonly ChallengeType[] | null {
  const listPath = [...path, 'tls', 'challenge'];
  const types = [...new Set(asked)];
  const possible = types.filter((type) => obstacle(type, host, ground) === null);
  for (const [i, type] of asked.entries()) {
    const state = obstacle(type, host, ground);
    if (state === null || (type === 'dns-01' && draft.writtenAt(['dns']) !== undefined)) continue;
    const at = draft.elementPath(listPath, i);
    if (possible.length > 0) draft.warnAt(at, `${type} is left out: ${state}`);
    else draft.errorAt(at, state, { allowed: 'a way that works here, or none, to let Perantara choose' });
  }
  return possible.length > 0 ? possible : null;
}

/** Why a name cannot be proved this way, or null. That port 443 leads here, TLS-ALPN-01 has to find out. */
function obstacle(type: ChallengeType, host: string, { dns, listen }: TlsGround): string | null {
  const isByDns = type.startsWith('dns');
  if (host.startsWith('*.') && !isByDns) return 'a wildcard is proved by DNS only (RFC 8555 section 7.1.3)';
  if (isIP(host) !== 0 && isByDns) return 'an IP address is not proved by DNS (RFC 8738 section 7)';
  if (type === 'http-01' && listen.http.length === 0) return 'it arrives over plain HTTP, and listen.http is off';
  if (type === 'dns-01' && dns === null) return 'there is no dns section that says where to put the record';
  return null;
}
