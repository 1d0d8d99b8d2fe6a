// From the fields of an HTTP/2 request to what an Exchange starts with (RFC 9113 section 8.3.1, RFC 8441 section 4). What the
// RFC calls malformed ends the stream; what is well formed and not acceptable to us is answered with a status.
import { randomBytes } from 'node:crypto';
import { PerantaraError } from '../core/errors.ts';
import { parseAuthority } from '../http/authority.ts';
import { isToken, readDigits } from '../http/grammar.ts';
import type { RequestHead } from '../http/message.ts';
import { parseRequestTarget } from '../http/request-target.ts';
import { mayUpgradeTo } from '../http/upgrade.ts';
import { StreamFault } from './fault.ts';
import { START_LINE_BYTES } from './limits.ts';
import type { MessageFields } from './message-fields.ts';

export interface IncomingRequest {
  readonly head: RequestHead;
  /** As received, where `head` stands for something else. */
  readonly method: string;
  readonly target: string;
  /** Declared bytes of content; null when not known beforehand. */
  readonly length: number | null;
  readonly upgradeTo: string | null;
  readonly acceptsTrailers: boolean;
  /** Why it is to be answered by a status and not by the handler, or null. */
  readonly refusal: PerantaraError | null;
}

export type KnownAuthority = Pick<RequestHead, 'authority' | 'host'>;

/**
 * Throws StreamFault. `ended`: no content follows. `previous`: of a request of the same connection; mostly this one is for the
 * same authority, which then need not be looked at again.
 */
export function readRequest(
  fields: MessageFields,
  scheme: 'http' | 'https',
  ended: boolean,
  previous: KnownAuthority | null,
): IncomingRequest {
  if (fields.fault !== null) throw malformed(fields.fault);
  if (fields.tooLarge) return refused(fields, scheme, refuse('head_too_large', 'its head is too large'));
  checkPseudoFields(fields);
  const method = fields.method!;
  const length = ended ? 0 : declaredLength(fields.contentLength);
  if (ended && fields.contentLength !== null && declaredLength(fields.contentLength) !== 0)
    throw malformed('content-length without content');
  const authority = fields.authority ?? fields.host;
  if (fields.host !== null && fields.authority !== null && !isSame(fields.host, fields.authority, scheme))
    throw malformed(':authority and host differ');
  if (authority?.includes('@')) throw malformed('user information in :authority');
  const isTunnel = method === 'CONNECT' && fields.protocol !== null;
  if (method === 'CONNECT' && !isTunnel)
    return refused(fields, scheme, refuse('not_implemented', 'CONNECT is not supported'));
  if (isTunnel && !mayUpgradeTo(fields.protocol!.toLowerCase()))
    return refused(fields, scheme, refuse('not_implemented', 'no tunnel for that :protocol'));
  const isSameHost = authority !== null && authority === previous?.authority;
  const host = isSameHost ? previous!.host : authority === null ? null : (parseAuthority(authority)?.host ?? null);
  if (authority === null || host === null)
    return refused(fields, scheme, refuse('bad_request', 'it has no valid :authority'));
  const path = fields.path!;
  if (method.length + path.length > START_LINE_BYTES)
    return refused(fields, scheme, refuse('target_too_long', 'its start line would be too long'));
  const target = path.charCodeAt(0) === 0x2f || path === '*' ? parseRequestTarget(method, path) : null;
  if (target === null) return refused(fields, scheme, refuse('bad_request', 'its :path is malformed'));
  const expects = readExpectation(fields.expect, length);
  if (expects === null) return refused(fields, scheme, refuse('expectation_failed', 'unknown expectation'));
  const headers = fields.headers();
  if (expects) headers.append('Expect', '100-continue');
  if (isTunnel) {
    headers.remove('sec-websocket-key');
    headers.append('Sec-WebSocket-Key', randomBytes(16).toString('base64'));
  }
  return {
    // An extended CONNECT is, to everybody above, the upgrade that it stands for (RFC 8441 section 5).
    head: {
      method: isTunnel ? 'GET' : method,
      scheme,
      authority,
      host,
      path: target.path,
      query: target.query,
      headers,
      version: '2.0',
    },
    method,
    target: path,
    length: isTunnel ? 0 : length,
    upgradeTo: isTunnel ? fields.protocol : null,
    acceptsTrailers: !isTunnel && fields.acceptsTrailers,
    refusal: null,
  };
}

/** A value of Content-Length in HTTP/2. Throws StreamFault. */
export function declaredLength(value: string | null): number | null {
  if (value === null) return null;
  const length = readDigits(value);
  if (length === null || !Number.isSafeInteger(length)) throw malformed('content-length is no number');
  return length;
}

function checkPseudoFields({ method, scheme, path, status, protocol }: MessageFields): void {
  if (status !== null) throw malformed(':status in a request');
  if (method === null || !isToken(method)) throw malformed('no valid :method');
  if (protocol !== null && (method !== 'CONNECT' || !isToken(protocol))) throw malformed(':protocol in a wrong place');
  const isPlainConnect = method === 'CONNECT' && protocol === null;
  if (isPlainConnect) {
    if (scheme !== null || path !== null) throw malformed('CONNECT with :scheme or :path');
    return;
  }
  if (scheme !== 'https' && scheme !== 'http' && !isScheme(scheme)) throw malformed('no valid :scheme');
  if (path === null || path === '') throw malformed('no :path');
  if (path === '*' ? method !== 'OPTIONS' : path.charCodeAt(0) !== 0x2f) throw malformed(':path is no path');
}

/** Whether the client waits for 100 (Continue); null for any other expectation. */
function readExpectation(expect: string | null, length: number | null): boolean | null {
  if (expect === null) return false;
  return expect.toLowerCase() === '100-continue' ? length !== 0 : null;
}

function refused(fields: MessageFields, scheme: 'http' | 'https', refusal: PerantaraError): IncomingRequest {
  const head: RequestHead = {
    method: fields.method === 'HEAD' ? 'HEAD' : 'GET',
    scheme,
    authority: '',
    host: '',
    path: '/',
    query: '',
    headers: fields.headers(),
    version: '2.0',
  };
  const { method, path } = fields;
  return {
    head,
    method: method ?? '',
    target: path ?? '',
    length: null,
    upgradeTo: null,
    acceptsTrailers: false,
    refusal,
  };
}

/** RFC 3986 section 3.1. */
function isScheme(scheme: string | null): boolean {
  return scheme !== null && /^[A-Za-z][A-Za-z0-9+.-]*$/.test(scheme);
}

/** Host and port agree; the default port is not spelled out by everybody. */
function isSame(a: string, b: string, scheme: 'http' | 'https'): boolean {
  if (a === b) return true;
  const [first, second] = [parseAuthority(a), parseAuthority(b)];
  if (first === null || second === null || first.host !== second.host) return false;
  const usual = scheme === 'https' ? 443 : 80;
  return (first.port ?? usual) === (second.port ?? usual);
}

function malformed(what: string): StreamFault {
  return new StreamFault('PROTOCOL_ERROR', `the request is malformed: ${what}`);
}

function refuse(code: string, why: string): PerantaraError {
  return new PerantaraError(`cannot accept request: ${why}`, { code, source: 'downstream' });
}
