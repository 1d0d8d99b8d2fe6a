// The routes of one site: its `routes` map or its site-level action, each with exactly one action, patterns unique.
import type { RouteAction, RouteConfig, TargetAddress } from './config.ts';
import { DEFAULT_REDIRECT_STATUS, DEFAULT_RESPOND_TYPE } from './defaults.ts';
import type { Draft } from './draft.ts';
import { parsePathPattern, patternMatches } from './path-pattern.ts';
import { showValue } from './problem.ts';
import type { RawAction, RawRouting, RawTarget } from './site-schema.ts';
import type { Path } from './source.ts';
import { readTarget } from './target-tls.ts';

const ACTIONS = ['proxy', 'redirect', 'respond'] as const;
const ALLOWED_ACTIONS = 'exactly one of proxy, redirect, respond';

export function readRoutes(site: RawRouting, path: Path, draft: Draft): RouteConfig[] {
  const siteAction = ACTIONS.find((action) => (site as RawAction)[action] !== undefined);
  const routes = 'routes' in site ? site.routes : undefined;
  if (routes === undefined) {
    if (draft.isTainted([...path, 'routes'])) return [];
    const action = readAction(site, path, draft);
    return action === null ? [] : [{ path: '/*', maxBodyBytes: maxBodyOf(site) ?? null, action }];
  }
  if (siteAction !== undefined)
    draft.errorAtKey([...path, siteAction], 'the site has routes; put this action under its path there', {
      allowed: 'routes, or one action for the whole site',
    });
  if (draft.keysAt([...path, 'routes']).length === 0 && !draft.isTainted([...path, 'routes']))
    draft.errorAt([...path, 'routes'], 'it is empty', {
      allowed: 'at least one line such as /*: http://127.0.0.1:3000',
    });
  const result = readPatterns(routes, site, [...path, 'routes'], draft);
  warnOfLoops(result, draft);
  return result.map(({ route }) => route);
}

interface PlacedRoute {
  readonly route: RouteConfig;
  readonly path: Path;
}

function readPatterns(
  routes: Readonly<Record<string, RawAction>>,
  site: RawRouting,
  path: Path,
  draft: Draft,
): PlacedRoute[] {
  const seen = new Map<string, Path>();
  const result: PlacedRoute[] = [];
  for (const written of draft.keysAt(path)) {
    const routePath = [...path, written];
    const raw = Object.hasOwn(routes, written) ? routes[written]! : {};
    const pattern = parsePathPattern(written);
    const action = readAction(raw, routePath, draft);
    if (!pattern.ok) {
      draft.errorAtKey(routePath, pattern.state, pattern);
      continue;
    }
    const first = seen.get(pattern.value);
    if (first !== undefined) {
      const at = `${showValue(first.at(-1))} (${draft.positionAtKey(first)})`;
      draft.errorAtKey(routePath, `it is the same path as ${at}`);
      continue;
    }
    seen.set(pattern.value, routePath);
    const own = maxBodyOf(raw);
    const maxBodyBytes = (own === undefined ? maxBodyOf(site) : own) ?? null;
    if (action !== null) result.push({ route: { path: pattern.value, maxBodyBytes, action }, path: routePath });
  }
  return result;
}

/** null for "off", undefined when nothing was written. */
function maxBodyOf(raw: RawAction | RawRouting): number | null | undefined {
  return 'maxBody' in raw ? raw.maxBody : undefined;
}

/** null after a problem was reported, now or by the schema. */
function readAction(raw: RawAction | RawRouting, path: Path, draft: Draft): RouteAction | null {
  const { proxy, redirect, respond } = raw as RawAction;
  const given = ACTIONS.filter((action) => (raw as RawAction)[action] !== undefined);
  if (given.length > 1) {
    draft.errorAtKey([...path, given[1]!], `there is already ${given[0]}`, { allowed: ALLOWED_ACTIONS });
    return null;
  }
  if (proxy !== undefined) return { kind: 'proxy', targets: readTargets(proxy, [...path, 'proxy'], draft) };
  if (redirect !== undefined)
    return { kind: 'redirect', location: redirect.to, status: redirect.status ?? DEFAULT_REDIRECT_STATUS };
  if (respond !== undefined) {
    const { status = 200, body = '', type = DEFAULT_RESPOND_TYPE } = respond;
    if (body !== '' && (status === 204 || status === 205 || status === 304))
      draft.errorAt([...path, 'respond'], `a response with status ${status} has no body`);
    return { kind: 'respond', status, contentType: type, body };
  }
  if (!draft.isTainted(path)) draft.errorAt(path, 'it has no action', { allowed: ALLOWED_ACTIONS });
  return null;
}

function readTargets(raw: readonly RawTarget[], path: Path, draft: Draft): TargetAddress[] {
  const seen = new Set<string>();
  return raw.flatMap((written, i) => {
    const elementPath = draft.elementPath(path, i);
    const target = readTarget(written, elementPath, draft);
    if (target === null) return [];
    const id = JSON.stringify(target);
    if (seen.has(id)) draft.errorAt(elementPath, 'this target stands in the list twice');
    seen.add(id);
    return [target];
  });
}

/** A redirect that its own route catches again goes round for ever. */
function warnOfLoops(routes: readonly PlacedRoute[], draft: Draft): void {
  const patterns = routes.map(({ route }) => route.path).toSorted((a, b) => b.length - a.length);
  for (const { route, path: routePath } of routes) {
    if (route.action.kind !== 'redirect' || !route.action.location.startsWith('/')) continue;
    const target = route.action.location.replace(/[?#].*$/, '');
    const hit = patterns.includes(target) ? target : patterns.find((pattern) => patternMatches(pattern, target));
    if (hit === route.path) draft.warnAt([...routePath, 'redirect'], 'it leads back to this route, round and round');
  }
}
