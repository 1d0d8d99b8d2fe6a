// The sites: host names brought to one form and compared, and for each the source of its certificate.
import { isIP } from 'node:net';
import { isLocalName, isReservedName } from '../core/hostname.ts';
import { isPublicAuthority } from './acme.ts';
import type { AcmeConfig, ListenConfig, SiteConfig, SiteTls } from './config.ts';
import type { Draft } from './draft.ts';
import { parseHost } from './host.ts';
import { showValue } from './problem.ts';
import { readRoutes } from './routes.ts';
import type { RawConfig, RawSite } from './schema.ts';
import type { Path } from './source.ts';
import { readSuppliedCertificate } from './supplied-certificate.ts';

const EXAMPLE = 'at least one line such as app.example.com: http://127.0.0.1:3000';

export function readSites(raw: RawConfig['sites'], acme: AcmeConfig, draft: Draft): SiteConfig[] {
  const hosts = draft.keysAt(['sites']);
  if (hosts.length === 0 && !draft.isTainted(['sites']))
    draft.errorAt(['sites'], 'there is nothing to serve', { allowed: EXAMPLE });
  const seen = new Map<string, Path>();
  const sites: SiteConfig[] = [];
  for (const written of hosts) {
    const path = ['sites', written];
    const site = Object.hasOwn(raw, written) ? raw[written]! : {};
    const host = readHost(written, path, draft);
    const routes = readRoutes(site, path, draft);
    if (host === null) continue;
    const first = seen.get(host);
    if (first !== undefined) {
      const at = `${showValue(first.at(-1))} (${draft.positionAtKey(first)})`;
      draft.errorAtKey(path, `it is the same host as ${at}`);
      continue;
    }
    seen.set(host, path);
    const tls = readTls(site, host, acme, path, draft);
    if (tls !== null) sites.push({ host, tls, routes, position: draft.positionAtKey(path) });
  }
  return sites;
}

function readHost(written: string, path: Path, draft: Draft): string | null {
  const host = parseHost(written);
  if (!host.ok) {
    draft.errorAtKey(path, host.state, host);
    return null;
  }
  if (host.value.port !== null)
    draft.warnAtKey(path, `the port ${host.value.port} has no effect here; ports are set under listen`);
  return host.value.host;
}

/** null when `tls` was wrong; that is reported already. */
function readTls(site: RawSite, host: string, acme: AcmeConfig, path: Path, draft: Draft): SiteTls | null {
  const isOneLine = typeof draft.writtenAt(path) !== 'object';
  if (!isOneLine && draft.isTainted([...path, 'tls'])) return null;
  const tls = 'tls' in site ? site.tls : undefined;
  if (tls === 'local') return { kind: 'local' };
  if (tls !== undefined) return readSuppliedCertificate(tls, host, [...path, 'tls'], draft);
  if (isLocalName(host) || (isReservedName(host) && isPublicAuthority(acme.directory))) return { kind: 'local' };
  const allowed = 'tls: local, or tls: { cert: FILE, key: FILE }';
  if (host.startsWith('*.'))
    draft.errorAtKey(path, 'HTTP-01 cannot prove a wildcard to the ACME authority (DNS-01 comes later)', { allowed });
  else if (isIP(host) !== 0)
    draft.errorAtKey(path, 'certificates for IP addresses are not obtained yet (they come later)', { allowed });
  return {
    kind: 'acme',
    directories: [acme.directory],
    challenges: ['http-01'],
    keyTypes: ['p256'],
    profile: null,
    group: null,
  };
}

/** HTTP-01 arrives over plain HTTP (RFC 8555 section 8.3), so somebody must listen for it. */
export function checkChallengeListener(sites: readonly SiteConfig[], listen: ListenConfig, draft: Draft): void {
  if (listen.http.length > 0 || draft.isTainted(['listen'])) return;
  const names = sites.filter((site) => site.tls.kind === 'acme').map((site) => site.host);
  if (names.length === 0) return;
  const shown = names.length > 3 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', ');
  draft.errorAt(['listen', 'http'], `the certificate authority checks ${shown} over plain HTTP on port 80`, {
    found: '"off"',
    allowed: '":80", or tls: local or supplied certificates for these sites',
  });
}
