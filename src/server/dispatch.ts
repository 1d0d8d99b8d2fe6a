// The first decision about a request on each kind of listener: challenge, redirect, or the site's route.

import { PerantaraError } from '../core/errors.ts';
import { normalizeHostname } from '../core/hostname.ts';
import { answerChallenge, type ChallengeAnswers } from '../handlers/acme-challenge.ts';
import { redirectToHttps } from '../handlers/https-redirect.ts';
import type { Exchange, Handler } from '../http/exchange.ts';
import { sendError } from '../http/plain-response.ts';
import type { Route, Site, Snapshot } from './snapshot.ts';

export interface DispatchServices {
  /** The snapshot in force; read once per request. */
  readonly snapshot: () => Pick<Snapshot, 'sites'>;
  readonly challenges: ChallengeAnswers;
}

/** Plain listeners: challenge, else 308 to https. `httpsPort`: where clients reach the TLS listener. */
export function plainHandler(services: DispatchServices, httpsPort: () => number): Handler {
  return (exchange) => {
    if (answerChallenge(exchange, services.challenges)) return;
    const site = services.snapshot().sites.match(exchange.request.host);
    noteSite(exchange, site);
    redirectToHttps(exchange, site !== null, httpsPort());
  };
}

/** TLS listeners: challenge (validators follow redirects), else the route; 421 where no site has the host. */
export function secureHandler(services: DispatchServices): Handler {
  return (exchange) => {
    if (answerChallenge(exchange, services.challenges)) return;
    const { host, path } = exchange.request;
    const site = services.snapshot().sites.match(host);
    noteSite(exchange, site);
    if (site === null) {
      sendError(exchange, refused('misdirected', `host "${host}" is not served here`));
      return;
    }
    if (!isWithinTerms(exchange.client.servername, site, services.snapshot())) {
      sendError(exchange, refused('misdirected', `"${host}" has other terms of TLS than this connection`));
      return;
    }
    const route = site.routes.match(path);
    if (route === null) {
      sendError(exchange, refused('not_found', `no route of "${site.host}" matches`));
      return;
    }
    noteRoute(exchange, route);
    route.handler(exchange);
  };
}

function noteSite({ record }: Exchange, site: Site | null): void {
  if (record === null || site === null) return;
  record.site = site.host;
  record.tally = site.tally;
}

function noteRoute({ record }: Exchange, { path, tally }: Route): void {
  if (record === null) return;
  record.route = path;
  record.tally = tally;
}

/**
 * Whether a connection that was made for `servername` may carry requests for `site` (RFC 9110 section 15.5.20): it was
 * made for that host, or for one on the same terms. Without a name (none sent, or TLS 1.2 resumed) nothing can be said.
 */
function isWithinTerms(servername: string | null, site: Site, { sites }: Pick<Snapshot, 'sites'>): boolean {
  if (servername === null || servername === '' || servername === site.host) return true;
  const name = normalizeHostname(servername);
  const asked = name === null ? null : sites.match(name);
  return asked === null || asked === site || asked.tlsTerms === site.tlsTerms;
}

function refused(code: string, why: string): PerantaraError {
  return new PerantaraError(`cannot answer request: ${why}`, { code, source: 'downstream' });
}
