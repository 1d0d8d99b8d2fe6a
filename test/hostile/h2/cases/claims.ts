// Item 19: fields with which a client claims to be somebody, as HTTP/2 spells them.
import assert from 'node:assert/strict';
import { data, END_STREAM } from '../../../support/h2-frames.ts';
import { type FieldPair, headers, requestFields } from '../../../support/h2-headers.ts';
import { CLAIMS, losesClient, sourceOf, spoofs } from '../../cases/header-hygiene.ts';
import { ask, forwarded, type H2Case } from '../h2-case.ts';
import type { H2Observation } from '../h2-observation.ts';

/** What the origin is told whatever the client says. */
const OURS: Readonly<Record<string, readonly string[]>> = {
  'x-forwarded-for': ['127.0.0.1'],
  'x-forwarded-proto': ['https'],
  'x-forwarded-host': ['app.localhost'],
  forwarded: ['for=127.0.0.1;host=app.localhost;proto=https'],
  via: ['2.0 perantara'],
  host: ['app.localhost'],
};

function oursAlone({ requests }: H2Observation): void {
  assert.doesNotMatch(requests[0]!.head, /6\.6\.6|6666/);
  for (const [name, values] of Object.entries(OURS)) assert.deepEqual(requests[0]!.fields(name), values, name);
}

const asField = (line: string): FieldPair => {
  const [name, value] = line.split(/: (.*)/) as [string, string];
  return [name.toLowerCase(), value];
};

export const claimCases: readonly H2Case[] = [
  ...[...new Set(CLAIMS.map((line) => asField(line).join(': ')))].map((line) => ({
    item: 19,
    name: line,
    source: sourceOf(CLAIMS.find((known) => asField(known).join(': ') === line)!),
    send: ask([asField(line)]),
    expect: forwarded('GET /', oursAlone),
    danger: (seen: H2Observation) => losesClient(seen) ?? spoofs(line, seen),
  })),
  {
    item: 19,
    name: 'all of these claims at once',
    source: 'Traefik CVE-2026-39858, Caddy CVE-2026-52845',
    send: ask(CLAIMS.map(asField)),
    expect: forwarded('GET /', oursAlone),
    danger: losesClient,
  },
  {
    item: 19,
    name: 'x-forwarded-for in trailers',
    source: 'RFC 9110 section 6.5.1',
    send: Buffer.concat([
      headers(1, requestFields('/', 'POST')),
      data(1, 'hello'),
      headers(1, [['x-forwarded-for', '6.6.6.6']], END_STREAM),
    ]),
    expect: forwarded('POST /', ({ requests }) => assert.deepEqual(requests[0]!.trailers, [])),
    danger: ({ requests }) => (requests[0]?.trailers.length ? 'X-Forwarded-For in trailers passed on' : null),
  },
  {
    item: 19,
    name: 'fields called __proto__, constructor and hasownproperty',
    source: 'Node CVE-2026-21710',
    send: ask([
      ['__proto__', 'x'],
      ['constructor', 'y'],
      ['hasownproperty', 'z'],
    ]),
    expect: forwarded('GET /', ({ requests }) => {
      assert.deepEqual(requests[0]!.fields('__proto__'), []); // underscores
      assert.deepEqual(requests[0]!.fields('constructor'), ['y']);
      assert.deepEqual(requests[0]!.fields('hasownproperty'), ['z']);
    }),
  },
  {
    item: 24,
    name: 'content_length and transfer_encoding',
    source: 'Traefik CVE-2026-39858',
    send: ask([
      ['content_length', '5'],
      ['transfer_encoding', 'chunked'],
    ]),
    expect: forwarded('GET /', ({ requests }) => assert.doesNotMatch(requests[0]!.head, /_(?:length|encoding)/i)),
  },
];
