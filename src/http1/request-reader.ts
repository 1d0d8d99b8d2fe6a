// From a parsed HTTP/1.1 request to the protocol-neutral facts an Exchange starts with: target and Host agree, framing,
// Expect, Upgrade and TE are understood, and what belongs to this connection is taken out of the fields.
import { PerantaraError } from '../core/errors.ts';
import { parseAuthority } from '../http/authority.ts';
import { listElements } from '../http/grammar.ts';
import type { HeaderList } from '../http/header-list.ts';
import { stripHopByHop } from '../http/hop-by-hop.ts';
import type { RequestHead } from '../http/message.ts';
import { parseRequestTarget } from '../http/request-target.ts';
import { type Framing, requestFraming } from './framing.ts';
import type { ParsedRequest } from './head-parser.ts';

export interface IncomingRequest {
  readonly head: RequestHead;
  readonly framing: Framing;
  /** Whether the client wants the connection kept. */
  readonly keepAlive: boolean;
  readonly expectsContinue: boolean;
  readonly upgradeTo: string | null;
  readonly acceptsTrailers: boolean;
}

/** Throws PerantaraError with the code of the answer. Takes over `parsed.headers`. */
export function readRequest(parsed: ParsedRequest, scheme: 'http' | 'https'): IncomingRequest {
  const { method, version, headers } = parsed;
  const framing = requestFraming(version, headers);
  if (method === 'CONNECT') throw refuse('not_implemented', 'CONNECT is not supported');
  const target = parseRequestTarget(method, parsed.target);
  if (target === null) throw refuse('bad_request', 'the request target is malformed');
  const authority = readAuthority(version, headers, target.authority);
  const connection = headers.getJoined('connection');
  const options = connection === null ? [] : listElements(connection);
  const expect = headers.getJoined('expect');
  if (expect !== null && version === '1.1' && expect.toLowerCase() !== '100-continue') {
    throw refuse('expectation_failed', `unknown expectation`);
  }
  const upgradeTo = version === '1.1' && framing === 0 && options.includes('upgrade') ? readUpgrade(headers) : null;
  const te = headers.get('te');
  const acceptsTrailers = te !== null && listElements(te).includes('trailers');
  stripHopByHop(headers);
  if (expect !== null && (version === '1.0' || framing === 0))
    headers.filter((name) => name.toLowerCase() !== 'expect');
  return {
    head: {
      method,
      scheme,
      authority: authority.text,
      host: authority.host,
      path: target.path,
      query: target.query,
      headers,
      version,
    },
    framing,
    keepAlive: version === '1.1' ? !options.includes('close') : options.includes('keep-alive'),
    expectsContinue: expect !== null && version === '1.1' && framing !== 0,
    upgradeTo,
    acceptsTrailers,
  };
}

/** RFC 9112 section 3.2: exactly one valid Host on 1.1, and the same as an absolute-form target's authority. */
function readAuthority(
  version: string,
  headers: HeaderList,
  fromTarget: string | null,
): { text: string; host: string } {
  const count = headers.count('host');
  if (count > 1) throw refuse('bad_request', 'more than one Host field');
  if (count === 0 && version === '1.1') throw refuse('bad_request', 'no Host field');
  const text = headers.get('host') ?? fromTarget;
  if (text === null) throw refuse('bad_request', 'no Host field');
  const authority = parseAuthority(text);
  if (authority === null) throw refuse('bad_request', 'the Host field is malformed');
  if (fromTarget !== null) {
    const other = parseAuthority(fromTarget);
    if (other === null || other.host !== authority.host || other.port !== authority.port) {
      throw refuse('bad_request', 'the Host field differs from the request target');
    }
  }
  if (count === 0) headers.append('Host', text);
  return { text, host: authority.host };
}

/** The protocol asked for; never h2c (RFC 9113 section 3.1), whose tunnel would escape every rule. */
function readUpgrade(headers: HeaderList): string | null {
  const value = headers.getJoined('upgrade');
  return value === null || listElements(value).some((protocol) => protocol.startsWith('h2')) ? null : value;
}

function refuse(code: string, why: string): PerantaraError {
  return new PerantaraError(`cannot accept request: ${why}`, { code, source: 'downstream' });
}
