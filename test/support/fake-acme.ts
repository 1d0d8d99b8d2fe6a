// A small ACME server on real HTTPS that does what it is told: for behaviour that Pebble does not have (answers cut off,
// orders that never end, foreign certificates). Trusts every signature; hands out each nonce once and insists on it.
import { createPrivateKey, createPublicKey, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import forge from 'node-forge';
import { mintCertificate } from '../../src/certs/mint.ts';
import { type Authority, makeAuthority } from './minted.ts';
import { makeServerCertificate } from './server-certificate.ts';

export type Step =
  | 'directory'
  | 'newNonce'
  | 'newAccount'
  | 'account'
  | 'newOrder'
  | 'order'
  | 'authorization'
  | 'challenge'
  | 'finalize'
  | 'certificate';

export interface Call {
  readonly step: Step;
  /** How often this step was called, this time included. */
  readonly count: number;
  readonly header: { readonly nonce?: string; readonly kid?: string; readonly jwk?: object; readonly alg?: string };
  readonly payload: Record<string, unknown> | null;
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
  /** Every request so far: `POST newOrder`. */
  readonly requests: string[];
  /** Asked before the usual answer is given; null leaves it to the server. */
  script: (call: Call) => Reply | null | Promise<Reply | null>;
  /** Whether a challenge would be met right now: host, token → what is answered there. */
  lookUp: (host: string, token: string) => string | null;
  /** What the server would say to a step by itself. */
  usual(call: Call): Answer;
  count(step: Step): number;
  stop(): Promise<void>;
}

interface OrderRecord {
  readonly names: readonly string[];
  status: string;
  chain: string;
  valid: boolean;
  error?: object;
}

export async function startFakeAcme(): Promise<FakeAcme> {
  const { certPem, keyPem } = await makeServerCertificate(['localhost']);
  const authority = makeAuthority('Fake ACME Root');
  const nonces = new Set<string>();
  const orders: OrderRecord[] = [];
  const counts = new Map<Step, number>();
  const server = createServer({ cert: certPem, key: keyPem });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `https://localhost:${(server.address() as AddressInfo).port}`;
  const url = (step: string, index = 0): string => `${origin}/${step}/${index}`;

  const describe = (order: OrderRecord): object => {
    const index = orders.indexOf(order);
    const certificate = order.status === 'valid' ? { certificate: url('certificate', index) } : {};
    const { status, error } = order;
    return {
      status,
      error,
      authorizations: [url('authorization', index)],
      finalize: url('finalize', index),
      ...certificate,
    };
  };
  const authorize = (order: OrderRecord): object => {
    const index = orders.indexOf(order);
    const status = order.error !== undefined ? 'invalid' : order.valid ? 'valid' : 'pending';
    const token = `token-of-order-${String(index).padStart(8, '0')}`;
    const challenge = { type: 'http-01', url: url('challenge', index), status, token, error: order.error };
    const others = [{ type: 'dns-01', url: url('challenge', index), status: 'pending', token }];
    return { identifier: { type: 'dns', value: order.names[0] }, status, challenges: [...others, challenge] };
  };

  const fake: FakeAcme = {
    origin,
    directoryUrl: `${origin}/directory`,
    trustPem: certPem,
    authority,
    requests: [],
    script: () => null,
    lookUp: () => 'yes',
    usual: (call) => {
      const order = orders[Number(call.request.url?.split('/')[2] ?? 0)];
      switch (call.step) {
        case 'directory': {
          const resources = ['newNonce', 'newAccount', 'newOrder'].map((name) => [name, url(name)]);
          return { body: Object.fromEntries(resources) };
        }
        case 'newNonce':
          return {};
        case 'newAccount':
          return { status: 201, headers: { location: url('account') }, body: { status: 'valid' } };
        case 'account':
          return { body: { status: 'valid' } };
        case 'newOrder': {
          const identifiers = call.payload?.identifiers as { value: string }[];
          orders.push({ names: identifiers.map(({ value }) => value), status: 'pending', chain: '', valid: false });
          const location = url('order', orders.length - 1);
          return { status: 201, headers: { location }, body: describe(orders.at(-1)!) };
        }
        case 'order':
          return { body: describe(order!) };
        case 'authorization':
          return { body: authorize(order!) };
        case 'challenge': {
          const token = `token-of-order-${String(orders.indexOf(order!)).padStart(8, '0')}`;
          order!.valid = fake.lookUp(order!.names[0]!, token) !== null;
          order!.status = order!.valid ? 'ready' : 'invalid';
          if (!order!.valid)
            order!.error = {
              type: 'urn:ietf:params:acme:error:unauthorized',
              detail: 'Invalid response: 404',
              status: 403,
            };
          return { body: { type: 'http-01', status: 'processing', url: call.request.url, token: 'x' } };
        }
        case 'finalize':
          order!.chain = issue(order!.names, String(call.payload?.csr), authority);
          order!.status = 'valid';
          return { body: { ...describe(order!), status: 'processing' } };
        case 'certificate':
          return { headers: { 'content-type': 'application/pem-certificate-chain' }, body: order!.chain };
      }
    },
    count: (step) => counts.get(step) ?? 0,
    stop: async () => {
      server.close();
      server.closeAllConnections();
    },
  };

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const step = request.url!.split('/')[1] as Step;
    counts.set(step, (counts.get(step) ?? 0) + 1);
    fake.requests.push(`${request.method} ${step}`);
    const body = await text(request);
    const { header, payload } = body === '' ? { header: {}, payload: null } : readJws(body);
    const call: Call = { step, count: fake.count(step), header, payload, request, response };
    const fresh = randomBytes(12).toString('base64url');
    response.setHeader('replay-nonce', fresh);
    let reply = await fake.script(call);
    if (reply === 'handled') return;
    const known = nonces.delete(header.nonce ?? '');
    nonces.add(fresh);
    if (reply === null && request.method === 'POST' && !known) reply = BAD_NONCE;
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

export const BAD_NONCE = {
  status: 400,
  headers: { 'content-type': 'application/problem+json' },
  body: { type: 'urn:ietf:params:acme:error:badNonce', detail: 'JWS has an invalid anti-replay nonce' },
} as const;

/** A problem document (RFC 7807). */
export function problem(status: number, type: string, detail: string, more: object = {}, headers = {}): Answer {
  const body = { type: `urn:ietf:params:acme:error:${type}`, detail, status, ...more };
  return { status, headers: { 'content-type': 'application/problem+json', ...headers }, body };
}

function send(response: ServerResponse, reply: Answer): void {
  const { status = 200, headers = {}, body = '' } = reply;
  const isText = typeof body === 'string';
  response.writeHead(status, { ...(isText ? {} : { 'content-type': 'application/json' }), ...headers });
  response.end(isText ? body : JSON.stringify(body));
}

function readJws(body: string): Pick<Call, 'header' | 'payload'> {
  const jws = JSON.parse(body) as { protected: string; payload: string };
  const decode = (part: string): unknown => JSON.parse(Buffer.from(part, 'base64url').toString());
  return {
    header: decode(jws.protected) as Call['header'],
    payload: jws.payload === '' ? null : (decode(jws.payload) as Record<string, unknown>),
  };
}

/** Signs a leaf for the public key inside a PKCS#10 request. */
function issue(names: readonly string[], csr: string, authority: Authority): string {
  const request = forge.asn1.fromDer(Buffer.from(csr, 'base64url').toString('latin1'));
  const info = (request.value as forge.asn1.Asn1[])[0]!;
  const spki = forge.asn1.toDer((info.value as forge.asn1.Asn1[])[2]!).getBytes();
  const publicKey = createPublicKey({ key: Buffer.from(spki, 'latin1'), format: 'der', type: 'spki' });
  const notBefore = Date.now() - 3_600_000;
  const template = { subject: names[0]!, names, authority: false, notBefore, notAfter: notBefore + 90 * 86_400_000 };
  const signer = { subject: authority.subject, key: createPrivateKey(authority.keyPem) };
  return mintCertificate(template, publicKey, signer);
}
