// The sites: host names brought to one form and compared, and for each the source of its certificate.
import type { SiteConfig } from './config.ts';
import type { Draft } from './draft.ts';
import { checkGroups, type PlacedSite } from './groups.ts';
import { parseHost } from './host.ts';
import { showValue } from './problem.ts';
import { readRoutes } from './routes.ts';
import type { RawConfig } from './schema.ts';
import { readSiteTls, type TlsGround } from './site-tls.ts';
import type { Path } from './source.ts';

const EXAMPLE = 'at least one line such as app.example.com: http://127.0.0.1:3000';

export function readSites(raw: RawConfig['sites'], ground: TlsGround, draft: Draft): SiteConfig[] {
  const hosts = draft.keysAt(['sites']);
  if (hosts.length === 0 && !draft.isTainted(['sites']))
    draft.errorAt(['sites'], 'there is nothing to serve', { allowed: EXAMPLE });
  const seen = new Map<string, Path>();
  const sites: PlacedSite[] = [];
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
    const tls = readSiteTls(site, host, path, ground, draft);
    if (tls !== null) sites.push({ site: { host, tls, routes, position: draft.positionAtKey(path) }, path });
  }
  checkGroups(sites, draft);
  return sites.map(({ site: read }) => read);
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
