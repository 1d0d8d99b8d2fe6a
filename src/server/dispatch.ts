// The first decision about a request on each kind of listener: challenge, redirect, or the site's route.
import { PerantaraError } from '../core/errors.ts';
import { answerChallenge, type ChallengeAnswers } from '../handlers/acme-challenge.ts';
import { redirectToHttps } from '../handlers/https-redirect.ts';
import type { Handler } from '../http/exchange.ts';
import { sendError } from '../http/plain-response.ts';
import type { Snapshot } from './snapshot.ts';

export interface DispatchServices {
  /** The snapshot in force; read once per request. */
  readonly snapshot: () => Snapshot;
  readonly challenges: ChallengeAnswers;
}

/** Plain listeners: challenge, else 308 to https. `httpsPort`: where clients reach the TLS listener. */
export function plainHandler(services: DispatchServices, httpsPort: () => number): Handler {
  return (exchange) => {
    if (answerChallenge(exchange, services.challenges)) return;
    const isServed = services.snapshot().sites.match(exchange.request.host) !== null;
    redirectToHttps(exchange, isServed, httpsPort());
  };
}

/** TLS listeners: challenge (validators follow redirects), else the route; 421 where no site has the host. */
export function secureHandler(services: DispatchServices): Handler {
  return (exchange) => {
    if (answerChallenge(exchange, services.challenges)) return;
    const { host, path } = exchange.request;
    const site = services.snapshot().sites.match(host);
    if (site === null) {
      sendError(exchange, refused('misdirected', `host "${host}" is not served here`));
      return;
    }
    const handler = site.routes.match(path);
    if (handler === null) sendError(exchange, refused('not_found', `no route of "${site.host}" matches`));
    else handler(exchange);
  };
}

function refused(code: string, why: string): PerantaraError {
  return new PerantaraError(`cannot answer request: ${why}`, { code, source: 'downstream' });
}
