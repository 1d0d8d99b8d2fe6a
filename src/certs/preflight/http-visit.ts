// Asks one address of a name for a test token as an HTTP-01 validator does (RFC 8555 section 8.3, Let's Encrypt's rules):
// plain HTTP, at most ten redirects, to ports 80 and 443 only, certificates not checked.
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, isIPv6 } from 'node:net';
import { codeOf, messageOf } from '../../core/errors.ts';
import type { HttpProbe } from './http-path.ts';

export interface VisitOptions {
  readonly name: string;
  readonly address: string;
  readonly token: string;
  /** The body that proves that it was us. */
  readonly expected: string;
  /** Where authorities come: 80 and 443, but in tests. */
  readonly ports: { readonly http: number; readonly https: number };
  /** An address of another host that a redirect leads to, or null. */
  readonly addressOf: (host: string) => Promise<string | null>;
  readonly timeoutMs: number;
}

const MAX_REDIRECTS = 10;
const MAX_BODY_BYTES = 4096;

/** Never rejects. */
export async function visit(options: VisitOptions): Promise<HttpProbe> {
  const { name, address, token, ports } = options;
  const redirects: string[] = [];
  const end = (outcome: HttpProbe['outcome']): HttpProbe => ({ address, redirects, outcome });
  let url = new URL(`http://${isIPv6(name) ? `[${name}]` : name}/.well-known/acme-challenge/${token}`);
  for (;;) {
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const target = host === name ? address : isIP(host) !== 0 ? host : await options.addressOf(host);
    if (target === null) return end({ kind: 'astray', why: `"${host}" has no address` });
    let answer: Answer;
    try {
      answer = await ask(url, target, url.protocol === 'https:' ? ports.https : ports.http, options.timeoutMs);
    } catch (error) {
      const code = codeOf(error);
      return end({ kind: 'silent', code, reason: REASONS[code] ?? messageOf(error) });
    }
    if (answer.location === null) {
      if (answer.status === 200 && answer.body.trim() === options.expected) return end({ kind: 'ours' });
      return end({ kind: 'other', status: answer.status, server: answer.server });
    }
    const next = URL.parse(answer.location, url.href);
    const why = next === null ? `"${answer.location}" is no URL` : objection(next);
    if (next === null || why !== null) return end({ kind: 'astray', why: why ?? '' });
    if (redirects.push(next.href) > MAX_REDIRECTS) return end({ kind: 'astray', why: 'more than ten redirects' });
    url = next;
  }
}

/** Why a validator does not follow, or null. */
function objection(url: URL): string | null {
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return `${url.href} is not HTTP`;
  if (url.port !== '') return `${url.href} names a port other than 80 and 443`;
  return null;
}

interface Answer {
  readonly status: number;
  readonly server: string | null;
  /** Of a redirect, else null. */
  readonly location: string | null;
  readonly body: string;
}

function ask(url: URL, address: string, port: number, timeoutMs: number): Promise<Answer> {
  const headers = { host: url.host, 'user-agent': 'perantara-check', connection: 'close' };
  const common = { host: address, port, path: url.pathname + url.search, headers, agent: false as const };
  return new Promise((resolve, reject) => {
    const outgoing =
      url.protocol === 'https:'
        ? httpsRequest({
            ...common,
            servername: isIP(url.hostname) === 0 ? url.hostname : '',
            rejectUnauthorized: false,
          })
        : httpRequest(common);
    const timer = setTimeout(
      () =>
        outgoing.destroy(Object.assign(new Error(`no answer within ${timeoutMs / 1_000} s`), { code: 'ETIMEDOUT' })),
      timeoutMs,
    );
    outgoing.on('error', reject).on('close', () => clearTimeout(timer));
    outgoing.on('response', (incoming) =>
      readBody(incoming).then((body) => {
        const { statusCode: status = 0, headers: fields } = incoming;
        const isRedirect = status >= 300 && status < 400 && fields.location !== undefined;
        resolve({
          status,
          server: String(fields.server ?? '') || null,
          location: isRedirect ? fields.location! : null,
          body,
        });
        outgoing.destroy();
      }, reject),
    );
    outgoing.end();
  });
}

/** The beginning of it, which is all of it when it is our answer. */
async function readBody(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) break;
  }
  return Buffer.concat(chunks).toString('latin1');
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection is refused: nothing listens there, or a firewall says no',
  ECONNRESET: 'the connection is cut',
  ENETUNREACH: 'this machine has no way to that network',
  EHOSTUNREACH: 'this machine has no way to that host',
  EADDRNOTAVAIL: 'this machine has no address of that kind',
};
