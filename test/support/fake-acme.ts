// An ACME server on real HTTPS that does what it is told: for behaviour that Pebble does not have (answers cut off,
// orders that never end, foreign certificates). By itself it is strict: signatures, addresses, nonces, bindings.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { type Account, FakeAcmeState, type FakeSettings, type Order, problem } from './fake-acme-state.ts';
import { type Jws, type JwsHeader, readJws } from './fake-jws.ts';
import type { Authority } from './minted.ts';
import { makeServerCertificate } from './server-certificate.ts';

export { problem } from './fake-acme-state.ts';

export type Step =
  | 'directory'
  | 'newNonce'
  | 'newAccount'
  | 'account'
  | 'orders'
  | 'keyChange'
  | 'newOrder'
  | 'order'
  | 'authorization'
  | 'challenge'
  | 'finalize'
  | 'certificate'
  | 'alternate'
  | 'renewalInfo'
  | 'revokeCert';

export interface Call {
  readonly step: Step;
  /** How often this step was called, this time included. */
  readonly count: number;
  readonly url: string;
  readonly header: JwsHeader;
  readonly payload: Record<string, unknown> | null;
  /** null when nothing was signed. */
  readonly jws: Jws | null;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** What to answer instead. `handled`: the script has written to `call.response` itself, or never will. */
export type Reply = Answer | 'handled';

export interface Answer {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
}

export interface FakeAcme {
  readonly origin: string;
  readonly directoryUrl: string;
  readonly trustPem: string;
  readonly authority: Authority;
  /** May be changed at any time. */
  readonly settings: FakeSettings;
  readonly accounts: Account[];
  readonly orders: Order[];
  /** Leaves, PEM. */
  readonly issued: readonly string[];
  /** Serial number → reason. */
  readonly revoked: ReadonlyMap<string, number>;
  /** Every request so far: `POST newOrder`. */
  readonly requests: string[];
  /** Asked before the usual answer is given; null leaves it to the server. */
  script: (call: Call) => Reply | null | Promise<Reply | null>;
  /** What is answered to a challenge right now; `yes` for anything that is right. */
  lookUp: (host: string, token: string, type: string) => string | null;
  /** What the server would say to a step by itself. */
  usual(call: Call): Answer;
  count(step: Step): number;
  stop(): Promise<void>;
}

export async function startFakeAcme(): Promise<FakeAcme> {
  const { certPem, keyPem } = await makeServerCertificate(['localhost']);
  const nonces = new Set<string>();
  const counts = new Map<Step, number>();
  const server = createServer({ cert: certPem, key: keyPem });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `https://localhost:${(server.address() as AddressInfo).port}`;
  const state = new FakeAcmeState((step, id = '0') => `${origin}/${step}/${id}`);
  const { authority, settings, accounts, orders, revoked } = state;

  const fake: FakeAcme = {
    origin,
    directoryUrl: `${origin}/directory`,
    trustPem: certPem,
    authority,
    settings,
    accounts,
    orders,
    revoked,
    get issued() {
      return state.issued;
    },
    requests: [],
    script: () => null,
    lookUp: () => 'yes',
    usual: (call) => state.answer(call),
    count: (step) => counts.get(step) ?? 0,
    stop: async () => {
      server.close();
      server.closeAllConnections();
    },
  };
  state.lookUp = (host, token, type) => fake.lookUp(host, token, type);

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const step = request.url!.split('/')[1] as Step;
    counts.set(step, (counts.get(step) ?? 0) + 1);
    fake.requests.push(`${request.method} ${step}`);
    const body = await text(request);
    const jws = body === '' ? null : readJws(body);
    const { header, payload } = jws ?? { header: {}, payload: null };
    const url = `${origin}${request.url}`;
    const call: Call = { step, count: fake.count(step), url, header, payload, jws, request, response };
    const fresh = randomBytes(12).toString('base64url');
    response.setHeader('replay-nonce', fresh);
    let reply = await fake.script(call);
    if (reply === 'handled') return;
    const known = nonces.delete(header.nonce ?? '');
    nonces.add(fresh);
    if (reply === null && request.method === 'POST') reply = known ? state.check(call) : BAD_NONCE;
    send(response, reply ?? fake.usual(call));
  };
  server.on('request', (request, response) => {
    request.on('error', () => {});
    response.on('error', () => {});
    serve(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  server.on('tlsClientError', () => {});
  return fake;
}

export const BAD_NONCE = problem(400, 'badNonce', 'JWS has an invalid anti-replay nonce');

function send(response: ServerResponse, reply: Answer): void {
  const { status = 200, headers = {}, body = '' } = reply;
  const isText = typeof body === 'string';
  response.writeHead(status, { ...(isText ? {} : { 'content-type': 'application/json' }), ...headers });
  response.end(isText ? body : JSON.stringify(body));
}
