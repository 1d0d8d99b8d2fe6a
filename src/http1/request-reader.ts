// From a parsed HTTP/1.1 request to the protocol-neutral facts an Exchange starts with: target and Host agree, framing,
// Expect, Upgrade and TE are understood, and what belongs to this connection is taken out of the fields. Hot: no look at the
// clock, no field of no meaning here turned into a string, no host parsed twice on one connection.
import { PerantaraError } from '../core/errors.ts';
import { parseAuthority } from '../http/authority.ts';
import { listElements } from '../http/grammar.ts';
import type { HeaderList } from '../http/header-list.ts';
import { ConnectionFields } from '../http/hop-by-hop.ts';
import type { RequestHead } from '../http/message.ts';
import { parseRequestTarget } from '../http/request-target.ts';
import { mayUpgradeTo } from '../http/upgrade.ts';
import { type Framing, requestFraming } from './framing.ts';
import type { ParsedRequest } from './head-parser.ts';

export interface IncomingRequest {
  readonly head: RequestHead;
  /** As received. */
  readonly target: string;
  readonly framing: Framing;
  /** Whether the client wants the connection kept. */
  readonly keepAlive: boolean;
  readonly expectsContinue: boolean;
  readonly upgradeTo: string | null;
  readonly acceptsTrailers: boolean;
}

/** name[/version] in lower case (RFC 9110 section 7.8). */
const PROTOCOL = /^[!#$%&'*+\-.^_`|~0-9a-z]+(?:\/[!#$%&'*+\-.^_`|~0-9a-z]+)?$/;

/**
 * Throws PerantaraError with the code of the answer. Takes over `parsed.headers`. `previous`: a request that came by the
 * same connection; mostly it was for the same host, which then need not be looked at again.
 */
export function readRequest(
  parsed: ParsedRequest,
  scheme: 'http' | 'https',
  previous: RequestHead | null = null,
): IncomingRequest {
  const { method, version, headers } = parsed;
  const own = ConnectionFields.take(headers);
  const framing = requestFraming(version, own);
  if (method === 'CONNECT') throw refuse('not_implemented', 'CONNECT is not supported');
  const target = parseRequestTarget(method, parsed.target);
  if (target === null) throw refuse('bad_request', 'the request target is malformed');
  const { authority, host } = readAuthority(version, headers, target.authority, previous);
  const expectsContinue = readExpectation(version, headers, framing);
  const isUpgrade = own.upgrade !== null && version === '1.1' && framing === 0 && own.options.includes('upgrade');
  const keepAlive = version === '1.1' ? !own.options.includes('close') : own.options.includes('keep-alive');
  return {
    head: { method, scheme, authority, host, path: target.path, query: target.query, headers, version },
    target: parsed.target,
    framing,
    keepAlive,
    expectsContinue,
    upgradeTo: isUpgrade ? readUpgrade(own.upgrade!) : null,
    acceptsTrailers: own.te !== null && listElements(own.te).includes('trailers'),
  };
}

/** RFC 9112 section 3.2: exactly one valid Host on 1.1, and the same as an absolute-form target's authority. */
function readAuthority(
  version: string,
  headers: HeaderList,
  fromTarget: string | null,
  previous: RequestHead | null,
): { authority: string; host: string } {
  let text = headers.get('host');
  if (headers.count('host') > 1) throw refuse('bad_request', 'more than one Host field');
  if (text === null && version === '1.1') throw refuse('bad_request', 'no Host field');
  if (text !== null && fromTarget === null && text === previous?.authority) return previous;
  const isAbsent = text === null;
  text ??= fromTarget;
  if (text === null) throw refuse('bad_request', 'no Host field');
  const authority = parseAuthority(text);
  if (authority === null) throw refuse('bad_request', 'the Host field is malformed');
  if (fromTarget !== null) {
    const other = parseAuthority(fromTarget);
    if (other === null || other.host !== authority.host || other.port !== authority.port) {
      throw refuse('bad_request', 'the Host field differs from the request target');
    }
  }
  if (isAbsent) headers.append('Host', text);
  return { authority: text, host: authority.host };
}

/** Whether the client waits for 100 (Continue). What asks for it is taken out where it means nothing. */
function readExpectation(version: string, headers: HeaderList, framing: Framing): boolean {
  const expect = headers.getJoined('expect');
  if (expect === null) return false;
  if (version === '1.1' && expect.toLowerCase() !== '100-continue') {
    throw refuse('expectation_failed', 'unknown expectation');
  }
  if (version === '1.1' && framing !== 0) return true;
  headers.remove('expect');
  return false;
}

/** The protocol asked for, or null when it is none that may be. */
function readUpgrade(value: string): string | null {
  const protocols = listElements(value);
  const isLawful = protocols.length > 0 && protocols.every((protocol) => PROTOCOL.test(protocol));
  return isLawful && protocols.every(mayUpgradeTo) ? value : null;
}

function refuse(code: string, why: string): PerantaraError {
  return new PerantaraError(`cannot accept request: ${why}`, { code, source: 'downstream' });
}
