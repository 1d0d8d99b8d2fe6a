// What came of asking every address of the name for a test token, as an HTTP-01 validator would (RFC 8555 section 8.3).
import { isIPv6 } from 'node:net';
import { type Finding, finding } from './finding.ts';

export interface HttpProbe {
  readonly address: string;
  /** The addresses (URLs) that answers sent us on to, in order. */
  readonly redirects: readonly string[];
  readonly outcome:
    | { readonly kind: 'ours' }
    /** Something else answered. `server`: its Server field, or null. */
    | { readonly kind: 'other'; readonly status: number; readonly server: string | null }
    /** A redirect that validators do not follow; `why` completes `…: `. */
    | { readonly kind: 'astray'; readonly why: string }
    | { readonly kind: 'silent'; readonly code: string; readonly reason: string };
}

/**
 * Who answers on the plain listeners here: a running server or another program (`taken`), this check itself (`own`),
 * nobody, since this user may not open the port (`forbidden`), or nobody ever (`off`).
 */
export type PlainListening = 'taken' | 'own' | 'forbidden' | 'off';

export interface HttpFacts {
  readonly probes: readonly HttpProbe[];
  readonly listening: PlainListening;
  readonly own: readonly string[];
}

export function judgeHttp(facts: HttpFacts): readonly Finding[] {
  if (facts.listening === 'off')
    return [
      finding('http-01', 'problem', 'listen.http is off', 'set listen.http: ":80", or allow another challenge type'),
    ];
  const answering = facts.probes.some(({ outcome }) => outcome.kind === 'ours');
  return facts.probes.map((probe) => judgeProbe(probe, facts, answering));
}

function judgeProbe(probe: HttpProbe, { listening, own }: HttpFacts, answering: boolean): Finding {
  const { address, outcome, redirects } = probe;
  const place = isIPv6(address) ? `[${address}]` : address;
  const via = redirects.length === 0 ? '' : `, by way of ${redirects.join(', ')}`;
  /** A validator tries IPv6 first, and IPv4 after it only when nothing answers at all. */
  const six = isIPv6(address) && answering ? 'mend IPv6 or remove the AAAA record: authorities try IPv6 first' : null;
  switch (outcome.kind) {
    case 'ours':
      return finding('http-01', 'ok', `port 80 of ${place} answers with our test token${via}`);
    case 'astray':
      return finding(
        'http-01',
        'problem',
        `port 80 of ${place} redirects where authorities do not follow${via}: ${outcome.why}`,
        'let /.well-known/acme-challenge/ pass to Perantara without a redirect',
      );
    case 'other': {
      const who = outcome.server === null ? 'something' : `something (${outcome.server})`;
      const advice =
        listening === 'taken'
          ? 'start Perantara with this configuration if it does not run; else let whatever has port 80 pass /.well-known/acme-challenge/ on to it'
          : 'something stands between the address and this machine: let it pass /.well-known/acme-challenge/ on';
      return finding(
        'http-01',
        'problem',
        `${who} at port 80 of ${place} answers ${outcome.status}${via}`,
        six ?? advice,
      );
    }
    case 'silent':
      return judgeSilence(place, own.includes(address), outcome, listening, six);
  }
}

function judgeSilence(
  place: string,
  isOwn: boolean,
  { code, reason }: { readonly code: string; readonly reason: string },
  listening: PlainListening,
  six: string | null,
): Finding {
  const found = `port 80 of ${place} cannot be reached from here: ${reason}`;
  if (listening === 'forbidden') {
    const advice =
      'start Perantara and check again: it does not run, and this user may not open the port for a try ("Low ports" in docs/operations.md)';
    return finding('http-01', 'unknown', found, advice);
  }
  if (isOwn || code === 'ECONNREFUSED' || six !== null)
    return finding(
      'http-01',
      'problem',
      found,
      six ?? 'let port 80 pass in the firewall, and forward it to listen.http',
    );
  if (code === 'ENETUNREACH' || code === 'EHOSTUNREACH' || code === 'EADDRNOTAVAIL')
    return finding(
      'http-01',
      'unknown',
      found,
      'this machine has no way there; remove the record unless it leads here from outside',
    );
  return finding(
    'http-01',
    'unknown',
    found,
    'many routers do not let their own network in by the public address: try from outside, and look at firewall and forwarding',
  );
}
