// Item 23: pseudo-fields that are missing, doubled, late, unknown or empty, and :authority beside host.
import type { FieldPair } from '../../../support/h2-headers.ts';
import { misrouted } from '../../cases/targets.ts';
import { show } from '../../hostile-case.ts';
import { askWith, forwarded, type H2Case, type H2Expectation, pseudo, refused } from '../h2-case.ts';

const RULES = 'RFC 9113 section 8.3';
const REQUEST = 'RFC 9113 section 8.3.1';
const HOSTS = 'RFC 9113 section 8.3.1; Traefik CVE-2022-46153';

const MALFORMED = refused('PROTOCOL_ERROR');
/** Well-formed HTTP/2 that no HTTP/1.1 request could be. */
const BAD = refused(400);

const input = (name: string, source: string, fields: readonly FieldPair[], expect: H2Expectation): H2Case => ({
  item: 23,
  name,
  source,
  send: askWith(fields),
  expect,
});

const changed = (field: string, value: string | null, expect: H2Expectation, source = REQUEST): H2Case => ({
  ...input(
    `${field}: ${value === null ? 'missing' : value === '' ? 'empty' : show(value)}`,
    source,
    pseudo({ [field]: value }),
    expect,
  ),
  danger: misrouted,
});

const NAMES = [':method', ':scheme', ':path', ':authority'] as const;

export const pseudoFieldCases: readonly H2Case[] = [
  ...[':method', ':scheme', ':path'].flatMap((name) => [changed(name, null, MALFORMED), changed(name, '', MALFORMED)]),
  ...NAMES.map((name) => {
    const value = pseudo().find(([known]) => known === name)![1];
    return input(`two ${name}, equal`, RULES, [...pseudo(), [name, value]], MALFORMED);
  }),
  input('two :path, the second guarded', RULES, [...pseudo(), [':path', '/admin/']], MALFORMED),
  input(
    'two :authority, the second of another site',
    RULES,
    [...pseudo(), [':authority', 'other.localhost']],
    MALFORMED,
  ),
  ...NAMES.map((name) => {
    const others = pseudo({ [name]: null });
    const value = pseudo().find(([known]) => known === name)![1];
    return input(`${name} behind another field`, RULES, [...others, ['a', 'b'], [name, value]], MALFORMED);
  }),
  input(':status in a request', RULES, [...pseudo(), [':status', '200']], MALFORMED),
  input(':protocol without CONNECT', 'RFC 8441 section 4', [...pseudo(), [':protocol', 'websocket']], MALFORMED),
  input('an unknown pseudo-field', RULES, [...pseudo(), [':forwarded', 'x']], MALFORMED),
  input('a pseudo-field with an empty name', RULES, [...pseudo(), [':', 'x']], MALFORMED),
  input(':Path in upper case', 'RFC 9113 section 8.2', [...pseudo(), [':Path', '/']], MALFORMED),
  input('no field at all', REQUEST, [], MALFORMED),

  changed(':path', 'admin/', MALFORMED),
  changed(':path', '*', MALFORMED),
  changed(':path', 'http://app.localhost/admin/', MALFORMED),
  changed(':path', 'https://other.localhost/', MALFORMED),
  changed(':path', '?a=b', MALFORMED),
  changed(':path', '/#fragment', BAD, 'Traefik CVE-2023-47106'),
  changed(':path', '/a\\b', BAD, 'Caddy CVE-2026-52844'),
  changed(':path', '/%00', BAD, 'RFC 3986 section 7.3'),
  changed(':path', '/public/%2e%2e/admin/', { ...forwarded('guarded: GET /admin/') }, 'Traefik CVE-2025-47952'),
  changed(':path', '/public/..%2fadmin/', BAD, 'Traefik CVE-2025-32431'),
  changed(':method', 'GE T', MALFORMED),
  changed(':method', 'GET\t', MALFORMED),
  changed(':scheme', 'ht tp', MALFORMED),

  input(':authority beside an equal host', HOSTS, [...pseudo(), ['host', 'app.localhost']], forwarded()),
  input('host alone', HOSTS, [...pseudo({ ':authority': null }), ['host', 'app.localhost']], forwarded()),
  input(':authority and another host', HOSTS, [...pseudo(), ['host', 'other.localhost']], MALFORMED),
  input(':authority and a host with another port', HOSTS, [...pseudo(), ['host', 'app.localhost:81']], MALFORMED),
  input(':authority and an empty host', HOSTS, [...pseudo(), ['host', '']], MALFORMED),
  input(
    'an empty :authority and a host',
    HOSTS,
    [...pseudo({ ':authority': '' }), ['host', 'app.localhost']],
    MALFORMED,
  ),
  input(
    'two host fields',
    HOSTS,
    [...pseudo({ ':authority': null }), ['host', 'app.localhost'], ['host', 'app.localhost']],
    MALFORMED,
  ),
  input('neither', HOSTS, pseudo({ ':authority': null }), BAD),
  changed(':authority', '', BAD, HOSTS),
  changed(':authority', 'user@app.localhost', MALFORMED),
  changed(':authority', 'app.localhost, other.localhost', BAD, HOSTS),
  changed(':authority', 'app.localhost:99999', BAD, HOSTS),
  changed(':authority', 'app.localhost/admin', BAD, HOSTS),
  changed(':authority', 'app.localhost#', BAD, HOSTS),
  changed(':authority', 'app.localhost%00', BAD, 'Node CVE-2026-48618'),
  changed(':authority', '[::1%25lo]', BAD, HOSTS),
  changed(':authority', 'other.localhost', refused(421), 'RFC 9110 section 15.5.20'),
];
