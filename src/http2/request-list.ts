// A request to an upstream as HTTP/2 writes it: its pseudo-fields (RFC 9113 section 8.3.1), and the fields without those that
// they stand for. A request that asks for an upgrade becomes an extended CONNECT (RFC 8441 section 4).
import { listElements } from '../http/grammar.ts';
import { HeaderList } from '../http/header-list.ts';
import { declaresEmptyContent } from '../http/message.ts';
import type { OutgoingRequest } from '../http/outgoing-request.ts';
import type { PseudoFields } from './frame-writer.ts';

export interface RequestList {
  readonly pseudo: PseudoFields;
  readonly headers: HeaderList;
  /** What content-length says; null for none. */
  readonly length: number | null;
}

/** The one that is preferred of those that an upgrade may be to; a stream can ask for no more than one. */
export function firstProtocol(upgradeTo: string): string {
  return listElements(upgradeTo)[0] ?? upgradeTo;
}

/** The list is made anew: the request may have to be written again, to somebody who speaks otherwise. */
export function requestList(request: OutgoingRequest, scheme: 'http' | 'https'): RequestList {
  const { method, target, headers, length, upgradeTo, acceptsTrailers } = request;
  const isTunnel = upgradeTo !== null;
  const authority = headers.get('host') ?? '';
  const own = without(headers, isTunnel);
  if (acceptsTrailers && !isTunnel) own.append('te', 'trailers');
  const pseudo = [
    ':method',
    isTunnel ? 'CONNECT' : method,
    ':scheme',
    scheme,
    ':path',
    target,
    ':authority',
    authority,
  ];
  // Its registered name; a version, as HTTP/1.1 has it, has no place there.
  if (isTunnel) pseudo.push(':protocol', firstProtocol(upgradeTo).split('/')[0]!);
  const declared = isTunnel || (length === 0 && !declaresEmptyContent(method)) ? null : length;
  return { pseudo, headers: own, length: declared };
}

function without(headers: HeaderList, isTunnel: boolean): HeaderList {
  const { text, marks } = headers;
  const kept: number[] = [];
  for (let i = 0; i < marks.length; i += 3) {
    const start = marks[i]!;
    const end = marks[i + 1]!;
    if (end - start === 4 && isNamed(text, start, end, 'host')) continue;
    if (isTunnel && end - start === 17 && isNamed(text, start, end, 'sec-websocket-key')) continue;
    kept.push(start, end, marks[i + 2]!);
  }
  const list = HeaderList.written(text, kept);
  list.neverIndexed = headers.neverIndexed;
  return list;
}

function isNamed(text: string, start: number, end: number, name: string): boolean {
  return text.slice(start, end).toLowerCase() === name;
}
