// Items 17 to 19: fields that belong to one connection, and fields with which a client claims to be somebody.
import assert from 'node:assert/strict';
import { post, request } from '../../support/chain.ts';
import { ok } from '../../support/origin.ts';
import { also, forwarded, type HostileCase } from '../hostile-case.ts';
import type { Observation } from '../observation.ts';

const NAMED = 'Traefik CVE-2024-45410, CVE-2026-29054; RFC 9110 section 7.6.1';
const HOP = 'RFC 9110 section 7.6.1';
const CLAIM = 'Traefik CVE-2026-39858, Caddy CVE-2026-52845';

/** What the origin is told whatever the client says. */
const OURS: Readonly<Record<string, readonly string[]>> = {
  'x-forwarded-for': ['127.0.0.1'],
  'x-forwarded-proto': ['https'],
  'x-forwarded-host': ['app.localhost'],
  forwarded: ['for=127.0.0.1;host=app.localhost;proto=https'],
  via: ['1.1 perantara'],
  host: ['app.localhost'],
};

function oursAreSet({ requests }: Observation): void {
  for (const [name, values] of Object.entries(OURS)) assert.deepEqual(requests[0]!.fields(name), values, name);
}

/** Every proxy here says X-Forwarded-For; an origin takes its last element for the client. */
export function losesClient({ requests }: Pick<Observation, 'requests'>): string | null {
  const seen = requests[0]?.fields('x-forwarded-for').join(', ');
  return seen === undefined || seen.endsWith('127.0.0.1') ? null : `X-Forwarded-For: ${seen || 'missing'}`;
}

const NAMES =
  'X-Forwarded-For, x-real-ip, AUTHORIZATION, Host, content-length, x-forwarded-proto, Forwarded, via, transfer-encoding';

const named: readonly HostileCase[] = [NAMES, NAMES.toLowerCase(), NAMES.toUpperCase()].map((names, i) => ({
  item: 17,
  name: `Connection names ours, Host and the length (${['mixed', 'lower', 'upper'][i]} case)`,
  source: NAMED,
  send: post('/', 'hello', [`Connection: ${names}`, 'Authorization: x', 'X-Custom: kept']),
  expect: also(forwarded('POST /'), (seen) => {
    oursAreSet(seen);
    const [asked] = seen.requests;
    assert.deepEqual(asked!.fields('content-length'), ['5']);
    assert.deepEqual(asked!.fields('authorization'), []);
    assert.deepEqual(asked!.fields('connection'), []);
    assert.deepEqual(asked!.fields('x-custom'), ['kept']);
    assert.equal(asked!.body, 'hello');
  }),
  danger: losesClient,
}));

const HOP_FIELDS = [
  'Keep-Alive: timeout=5',
  'Proxy-Connection: keep-alive',
  'Proxy-Authorization: Basic eDp5',
  'Proxy-Authenticate: Basic',
  'TE: gzip',
  'X-Hop: x',
];

function leaked(fields: (name: string) => readonly string[]): string[] {
  return HOP_FIELDS.map((line) => line.split(':')[0]!).filter((name) => fields(name.toLowerCase()).length > 0);
}

export const CLAIMS = [
  'X-Forwarded-For: 6.6.6.6',
  'x-forwarded-for: 6.6.6.7',
  'X_Forwarded_For: 6.6.6.6',
  'X.Forwarded.For: 6.6.6.6',
  'X-Forwarded_For: 6.6.6.6',
  'X_Forwarded-For: 6.6.6.6',
  'X_Forwarded_User: 6.6.6.6',
  'X-Forwarded-User: 6.6.6.6',
  'X-Forwarded-Prefix: //6.6.6.6',
  'X-Forwarded-Port: 6666',
  'X-Forwarded-Host: 6.6.6.6',
  'X-Forwarded-Proto: 6666',
  'X-Forwarded-Server: 6.6.6.6',
  'X-Forwarded: for=6.6.6.6',
  'Forwarded: for=6.6.6.6',
  'X-Real-IP: 6.6.6.6',
  'X_REAL_IP: 6.6.6.6',
  'X-Original-URL: /admin/6666',
  'X-Rewrite-URL: /admin/6666',
  'X_Original_URL: /admin/6666',
  'Proxy: http://6.6.6.6',
];

const claims: readonly HostileCase[] = CLAIMS.map((line) => ({
  item: 19,
  name: line,
  source: sourceOf(line),
  send: request('/', [line]),
  expect: also(forwarded('GET /'), (seen) => {
    assert.doesNotMatch(seen.requests[0]!.head, /6\.6\.6|6666/);
    oursAreSet(seen);
  }),
  danger: (seen) => losesClient(seen) ?? spoofs(line, seen),
}));

export function sourceOf(line: string): string {
  if (/^x_|_for|^x\./i.test(line)) return line.startsWith('X.') ? 'Caddy GHSA-49wc-4hcv-v58q' : CLAIM;
  if (line.includes('Prefix')) return 'Traefik CVE-2024-52003, CVE-2026-35051';
  if (line.includes('Port')) return 'Traefik CVE-2026-54764';
  if (line.startsWith('Proxy')) return 'HTTPoxy; Caddy #7934';
  if (line.includes('URL')) return 'Symfony CVE-2018-14773';
  return 'RFC 7239 section 8.1';
}

/** A spelling that CGI-style applications read as the field which the proxy sets itself. */
export function spoofs(line: string, { requests }: Pick<Observation, 'requests'>): string | null {
  const name = line.split(':')[0]!;
  if (!/^x[._-]forwarded[._-]for$/i.test(name) || /^x-forwarded-for$/i.test(name)) return null;
  return (requests[0]?.fields(name).length ?? 0) > 0 ? `${name} passed on, which CGI reads as X-Forwarded-For` : null;
}

export const headerHygieneCases: readonly HostileCase[] = [
  ...named,
  {
    item: 17,
    name: 'Connection: close, and names, in two fields',
    source: NAMED,
    send: request('/', ['Connection: X-Secret', 'X-Secret: a', 'connection: close, x-forwarded-for']),
    expect: {
      client: [200],
      ends: 'closed',
      origin: ['GET /'],
      check: (seen) => {
        oursAreSet(seen);
        assert.deepEqual(seen.requests[0]!.fields('x-secret'), []);
      },
    },
    danger: losesClient,
  },
  {
    item: 18,
    name: 'hop-by-hop fields in a request',
    source: HOP,
    send: request('/', ['Connection: X-Hop', ...HOP_FIELDS, 'A: b']),
    expect: also(forwarded('GET /'), ({ requests }) => {
      assert.deepEqual(leaked(requests[0]!.fields), []);
      assert.deepEqual(requests[0]!.fields('a'), ['b']);
    }),
    danger: ({ requests }) => leak(requests[0]),
  },
  {
    item: 18,
    name: 'hop-by-hop fields in a response',
    source: HOP,
    script: (_asked, peer) =>
      peer.send(
        `HTTP/1.1 200 OK\r\nConnection: X-Hop\r\nUpgrade: h2c\r\n${HOP_FIELDS.join('\r\n')}\r\nA: b\r\nContent-Length: 0\r\n\r\n`,
      ),
    send: request(),
    expect: also(forwarded('GET /'), ({ answers }) => {
      assert.deepEqual(leaked(answers[0]!.fields), []);
      assert.deepEqual(answers[0]!.fields('upgrade'), []);
      assert.deepEqual(answers[0]!.fields('a'), ['b']);
    }),
    danger: ({ answers }) => leak(answers[0]),
  },
  {
    item: 18,
    name: 'TE: trailers, gzip',
    source: 'RFC 9110 section 10.1.4',
    send: request('/', ['TE: trailers, gzip', 'Connection: TE']),
    expect: also(forwarded('GET /'), ({ requests }) => {
      assert.deepEqual(requests[0]!.fields('te'), ['trailers']);
      assert.deepEqual(requests[0]!.fields('connection'), ['TE']);
    }),
  },
  {
    item: 18,
    name: 'Trailer, and the trailers it names',
    source: 'RFC 9110 section 6.6.2',
    send: `${request('/', ['Trailer: X-Sum', 'Transfer-Encoding: chunked'], 'POST')}0\r\nX-Sum: 7\r\n\r\n`,
    expect: also(forwarded('POST /'), ({ requests }) => {
      assert.deepEqual(requests[0]!.fields('trailer'), ['X-Sum']);
      assert.deepEqual(requests[0]!.trailers, ['X-Sum: 7']);
    }),
  },
  ...claims,
  {
    item: 19,
    name: 'all of these claims at once',
    source: CLAIM,
    send: request('/', CLAIMS),
    expect: also(forwarded('GET /'), (seen) => {
      assert.doesNotMatch(seen.requests[0]!.head, /6\.6\.6|6666/);
      oursAreSet(seen);
    }),
    danger: losesClient,
  },
  {
    item: 19,
    name: 'X-Forwarded-For in trailers',
    source: 'RFC 9110 section 6.5.1',
    send: `${request('/', ['Transfer-Encoding: chunked'], 'POST')}0\r\nX-Forwarded-For: 6.6.6.6\r\nX_Real_IP: 6.6.6.6\r\n\r\n`,
    expect: also(forwarded('POST /'), ({ requests }) => assert.deepEqual(requests[0]!.trailers, [])),
    danger: ({ requests }) =>
      requests[0]?.trailers.some((line) => line.includes('6.6.6.6')) ? 'X-Forwarded-For in trailers passed on' : null,
  },
  {
    item: 19,
    name: 'fields called __proto__, constructor and hasOwnProperty',
    source: 'Node CVE-2026-21710',
    send: request('/', ['__proto__: x', 'constructor: y', 'hasOwnProperty: z', 'toString: w']),
    expect: also(forwarded('GET /'), ({ requests }) => {
      assert.deepEqual(requests[0]!.fields('__proto__'), []); // an underscore
      assert.deepEqual(requests[0]!.fields('constructor'), ['y']);
      assert.deepEqual(requests[0]!.fields('hasownproperty'), ['z']);
    }),
  },
  {
    item: 19,
    name: 'fields of an answer called __proto__ and constructor',
    source: 'Node CVE-2026-21710',
    script: (_asked, peer) => peer.send(ok('x').replace('\r\n', '\r\n__proto__: a\r\nconstructor: b\r\n')),
    send: request(),
    expect: also(forwarded('GET /'), ({ answers }) => {
      assert.deepEqual(answers[0]!.fields('__proto__'), ['a']);
      assert.deepEqual(answers[0]!.fields('constructor'), ['b']);
    }),
  },
];

/** Of those that RFC 9110 section 7.6.1 has removed; Proxy-Authenticate and -Authorization may be relayed (section 11.7). */
function leak(message: { fields(name: string): string[] } | undefined): string | null {
  const names = (message === undefined ? [] : leaked(message.fields)).filter((name) => !name.startsWith('Proxy-Auth'));
  return names.length === 0 ? null : `${names.join(', ')} passed on`;
}
