// What would become of a request, decision by decision and with the reasons: by the same tables and functions that serve, on
// the configuration alone. Pure; asks nobody, connects to nobody.

import { CHALLENGE_PATH } from '../certs/challenges/challenge-tokens.ts';
import type { Config, RouteConfig, SiteConfig } from '../config/config.ts';
import { showAddress } from '../config/listen.ts';
import { showTarget } from '../config/target.ts';
import { uriHost } from '../core/address.ts';
import { wildcardOf } from '../core/hostname.ts';
import { httpsLocation } from '../handlers/https-redirect.ts';
import { passingFields, tellUpstream } from '../http/forwarded.ts';
import type { HeaderList } from '../http/header-list.ts';
import type { RequestHead } from '../http/message.ts';
import { TrustedProxies } from '../http/trusted-proxies.ts';
import { writeRequestHead } from '../http1/head-writer.ts';
import { HostTable } from '../router/host-table.ts';
import { PathTable } from '../router/path-table.ts';
import { httpsPortOf } from './listeners.ts';
import { tracingOf } from './snapshot.ts';

/** A request as it would come in. */
export interface AskedRequest {
  readonly scheme: 'http' | 'https';
  /** In normal form. */
  readonly host: string;
  readonly port: number;
  readonly method: string;
  /** Normalised path, or `*`. */
  readonly path: string;
  readonly query: string;
  /** Of the client, in normal form. */
  readonly from: string;
  readonly headers: HeaderList;
}

export interface Decision {
  readonly about: 'listener' | 'site' | 'route' | 'answer' | 'request';
  readonly outcome: string;
  /** Why, and why nothing else. */
  readonly reasons: readonly string[];
}

export interface Explanation {
  readonly decisions: readonly Decision[];
  /** The site that was found. */
  readonly site: SiteConfig | null;
}

/** `drained`: names of targets that get no new requests. */
export function explain(config: Config, asked: AskedRequest, drained: ReadonlySet<string> = new Set()): Explanation {
  const listener = explainListener(config, asked);
  const { site, decision } = explainSite(config, asked);
  const decisions = [listener, decision];
  if (asked.path.startsWith(CHALLENGE_PATH)) decisions.push(CHALLENGE);
  else if (asked.scheme === 'http') decisions.push(site === null ? NOT_FOUND : redirectOf(config, asked));
  else if (site !== null) decisions.push(...explainRoute(config, site, asked, drained));
  return { decisions, site };
}

const CHALLENGE: Decision = {
  about: 'answer',
  outcome: 'by Perantara: the answer to an ACME challenge under way, else 404',
  reasons: [
    `paths under ${CHALLENGE_PATH} belong to the certificate authority on every listener (RFC 8555 section 8.3)`,
  ],
};
const NOT_FOUND: Decision = {
  about: 'answer',
  outcome: '404 Not Found',
  reasons: ['plain requests are redirected to https for hosts of the configuration alone'],
};

function explainListener({ listen }: Config, { scheme, port }: AskedRequest): Decision {
  const all = [
    ...listen.http.map((address) => ({ kind: 'http' as const, address })),
    ...listen.https.map((address) => ({ kind: 'https' as const, address })),
  ];
  const others = all
    .filter(({ address }) => address.port !== port)
    .map(({ kind, address }) => `${kind} ${showAddress(address)}`);
  const found = all.filter(({ address }) => address.port === port);
  const right = found.find(({ kind }) => kind === scheme);
  if (right !== undefined) {
    const { address } = right;
    const reasons = [address.position];
    if (address.host !== null) reasons.push(`for connections to ${address.host} alone`);
    if (address.proxyProtocol) reasons.push('every connection begins with a PROXY protocol header of a trusted proxy');
    return { about: 'listener', outcome: `${scheme} ${showAddress(address)}`, reasons };
  }
  const wrong = found[0];
  return wrong === undefined
    ? {
        about: 'listener',
        outcome: `none: nobody listens on port ${port}`,
        reasons: others.length === 0 ? [] : [`listened on: ${others.join(', ')}`],
      }
    : {
        about: 'listener',
        outcome: `none for ${scheme}: ${showAddress(wrong.address)} speaks ${wrong.kind}`,
        reasons: [wrong.address.position],
      };
}

function explainSite(config: Config, { host, scheme }: AskedRequest): { site: SiteConfig | null; decision: Decision } {
  const site = new HostTable(new Map(config.sites.map((each) => [each.host, each]))).match(host);
  const wildcard = wildcardOf(host);
  if (site === null) {
    const reasons = [`no site is called "${host}"${wildcard === null ? '' : `, and none "${wildcard}"`}`];
    if (config.onDemand !== null)
      reasons.push('on demand: if its certificate was obtained, its routes are those of "onDemand"');
    const outcome = scheme === 'https' ? 'none: the handshake is refused (unrecognized_name)' : 'none';
    return { site, decision: { about: 'site', outcome, reasons } };
  }
  const reasons: string[] = [site.position];
  if (site.host !== host) reasons.push(`a wildcard covers one label; no site is called "${host}" itself`);
  else if (config.sites.some((each) => each.host === wildcard))
    reasons.push(`"${wildcard}" covers it too; the name itself goes first`);
  return { site, decision: { about: 'site', outcome: site.host, reasons } };
}

function explainRoute(config: Config, site: SiteConfig, asked: AskedRequest, drained: ReadonlySet<string>): Decision[] {
  const { routes } = site;
  const route = new PathTable(routes.map((each) => ({ path: each.path, value: each }))).match(asked.path);
  const others = routes.filter((each) => each !== route);
  const matching = others.filter(({ path }) => new PathTable([{ path, value: true }]).match(asked.path) !== null);
  const rest = others.filter((each) => !matching.includes(each)).map(({ path }) => path);
  const reasons = rest.length === 0 ? [] : [`not for this path: ${rest.join(', ')}`];
  if (route === null)
    return [
      { about: 'route', outcome: 'none', reasons },
      { about: 'answer', outcome: '404 Not Found', reasons: ['no route of the site matches the path'] },
    ];
  const isExact = !route.path.endsWith('/*');
  if (matching.length > 0)
    reasons.unshift(
      `${matching.map(({ path }) => path).join(', ')} would match too; ${isExact ? 'an exact path' : 'the longest prefix'} goes first`,
    );
  return [{ about: 'route', outcome: route.path, reasons }, ...explainAction(config, route, asked, drained)];
}

function explainAction(
  config: Config,
  { action, maxBodyBytes }: RouteConfig,
  asked: AskedRequest,
  drained: ReadonlySet<string>,
): Decision[] {
  switch (action.kind) {
    case 'redirect':
      return [{ about: 'answer', outcome: `${action.status} to ${action.location}`, reasons: [] }];
    case 'respond':
      return [{ about: 'answer', outcome: `${action.status}, ${action.contentType}`, reasons: [] }];
    case 'proxy': {
      const all = action.targets.map((target) => showTarget(target));
      const targets = all.filter((name) => !drained.has(name));
      if (targets.length === 0) return [allDrained(all)];
      const reasons = targets.length > 1 ? ['one after the other in turn; the next one when a connection fails'] : [];
      for (const name of all) if (drained.has(name)) reasons.push(`${name} is drained: it gets no new requests`);
      if (maxBodyBytes !== null) reasons.push(`content over ${maxBodyBytes} bytes is refused with 413`);
      return [
        { about: 'answer', outcome: `from ${targets.join(', ')}`, reasons },
        { about: 'request', outcome: 'as the upstream gets it', reasons: upstreamHead(config, asked) },
      ];
    }
  }
}

function allDrained(names: readonly string[]): Decision {
  const reasons = [`all targets of the route are drained: ${names.join(', ')}`, 'perantara target enable NAME'];
  return { about: 'answer', outcome: '503 Service Unavailable', reasons };
}

/** Line by line. */
function upstreamHead(config: Config, asked: AskedRequest): string[] {
  const { scheme, host, port, method, path, query, headers, from } = asked;
  const isUsual = port === (scheme === 'https' ? 443 : 80);
  const name = uriHost(host);
  const authority = isUsual ? name : `${name}:${port}`;
  const request: RequestHead = { method, scheme, authority, host, path, query, headers, version: '2.0' };
  headers.append('Host', authority);
  const passes = passingFields(new Set(config.underscoreHeaders));
  const client = { address: from, port: 0, servername: host, tls: null };
  tellUpstream(request, client, passes, new TrustedProxies(config.trustedProxies));
  tracingOf(config)?.follow(headers);
  const target = path + query;
  const outgoing = { method, target, headers, length: 0, upgradeTo: null, acceptsTrailers: false };
  return writeRequestHead(outgoing).trimEnd().split('\r\n');
}

function redirectOf({ listen }: Config, asked: AskedRequest): Decision {
  const port = httpsPortOf(
    listen,
    listen.https.map((address) => address.port),
  );
  const reasons = ['plain requests are redirected to https'];
  return { about: 'answer', outcome: `308 to ${httpsLocation(asked, port)}`, reasons };
}
