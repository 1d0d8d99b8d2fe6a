// The access log: the `log.access` section and what sites say of it.
import { statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileState } from '../core/pem-file.ts';
import type { LogPlace } from './access-log-words.ts';
import type { AccessLogConfig } from './config.ts';
import { DEFAULT_ACCESS_FIELDS, DEFAULT_ACCESS_FORMAT, DEFAULT_ACCESS_HEADERS } from './defaults.ts';
import type { Draft } from './draft.ts';
import { parseHost } from './host.ts';
import { showValue } from './problem.ts';
import type { RawConfig } from './schema.ts';
import type { Path } from './source.ts';

const ON_DEMAND = 'onDemand';

/** null: there is none. */
export function readAccessLog(raw: RawConfig, draft: Draft): AccessLogConfig | null {
  const access = raw.log?.access;
  const sites = sharesOf(raw, access === undefined, draft);
  if (access === undefined) return null;
  const { output, format = DEFAULT_ACCESS_FORMAT } = access;
  if (format === 'combined')
    for (const key of ['fields', 'requestHeaders', 'responseHeaders'] as const)
      if (access[key] !== undefined)
        draft.errorAtKey(['log', 'access', key], 'the combined format has its own fields', { allowed: 'format: json' });
  return {
    output: readPlace(output, draft),
    format,
    oneIn: access.sites ?? 1,
    sites,
    fields: [...new Set(access.fields ?? DEFAULT_ACCESS_FIELDS)],
    requestHeaders: [...new Set(access.requestHeaders ?? DEFAULT_ACCESS_HEADERS)],
    responseHeaders: [...new Set(access.responseHeaders ?? [])],
    reveal: [...new Set(access.reveal ?? [])],
  };
}

/** The file need not be there yet, but its folder. */
function readPlace(place: LogPlace, draft: Draft): LogPlace {
  if (place.kind !== 'file') return place;
  const path = resolve(draft.folder, place.path);
  const at = draft.keysAt(['log', 'access']).length > 0 ? ['log', 'access', 'output'] : ['log', 'access'];
  try {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) draft.errorAt(at, `${showValue(path)} is a folder`);
    else statSync(dirname(path));
  } catch (error) {
    draft.errorAt(at, `the folder ${showValue(dirname(path))} ${fileState(error)}`);
  }
  return { kind: 'file', path };
}

/** Site → one exchange in so many, for those that say so. */
function sharesOf(raw: RawConfig, isOff: boolean, draft: Draft): Record<string, number> {
  const shares: Record<string, number> = {};
  const take = (site: string, share: number | undefined, path: Path): void => {
    if (share === undefined) return;
    shares[site] = share;
    if (isOff && share > 0) draft.warnAtKey([...path, 'accessLog'], 'there is no access log: log.access is not set');
  };
  for (const [written, site] of Object.entries(raw.sites)) {
    const host = parseHost(written);
    if (host.ok && 'accessLog' in site) take(host.value.host, site.accessLog, ['sites', written]);
  }
  if (raw.onDemand !== undefined) take(ON_DEMAND, raw.onDemand.accessLog, ['onDemand']);
  return shares;
}
