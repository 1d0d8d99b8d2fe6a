// Items 10 and 11: forms of the request target, and that the path which chooses the route is the path that is forwarded.
import { request } from '../../support/chain.ts';
import { forwarded, type HostileCase, refused, SMUGGLED, show } from '../hostile-case.ts';
import { type Observation, targetOf } from '../observation.ts';

const FORMS = 'RFC 9112 section 3.2';
const CONNECT = 'RFC 9110 section 9.3.6; Traefik CVE-2026-71324';
const SEGMENTS = 'RFC 3986 sections 5.2.4, 6.2.2; Traefik CVE-2025-32431, CVE-2025-66490';
const ENCODED = 'RFC 3986 section 2.2; Traefik CVE-2025-66490, Caddy #7941';
const FRAGMENT = 'RFC 9112 section 3.2; Traefik CVE-2023-47106';
const BACKSLASH = 'RFC 3986 section 2; Caddy CVE-2026-52844';
const NUL = 'RFC 3986 section 7.3; Node CVE-2026-48930';
const SPACE = 'RFC 9112 section 3; nginx CVE-2013-4547';
const OVERLONG = 'RFC 3629 section 3';
const TWICE = 'RFC 3986 section 2.4';

/**
 * The target as any reader of RFC 3986 may take it: one layer of unreserved escapes decoded, dot segments removed. Written
 * apart from the product's own, from the text of section 5.2.4.
 */
function readAs(target: string): string {
  const [path = ''] = target.replace(/^https?:\/\/[^/]*/i, '').split('?');
  let input = path.replace(/%[0-9a-f]{2}/gi, (triplet) => {
    const char = String.fromCharCode(Number.parseInt(triplet.slice(1), 16));
    return /[\w.~-]/.test(char) ? char : triplet;
  });
  let output = '';
  while (input !== '') {
    if (input.startsWith('/./')) input = input.slice(2);
    else if (input === '/.') input = '/';
    else if (input.startsWith('/../') || input === '/..') {
      input = `/${input.slice(4)}`;
      output = output.slice(0, Math.max(0, output.lastIndexOf('/')));
    } else {
      const end = input.indexOf('/', 1);
      output += end === -1 ? input : input.slice(0, end);
      input = end === -1 ? '' : input.slice(end);
    }
  }
  return output;
}

/** The public origin got what is, to any reader, a guarded path. The other way round nothing is lost. */
export function misrouted({ requests }: Pick<Observation, 'requests'>): string | null {
  const wrong = requests.find((seen) => seen.route === 'public' && readAs(targetOf(seen)).startsWith('/admin/'));
  return wrong === undefined ? null : 'guarded path by the public route';
}

/** `seen`: the path that an origin gets, with `guarded ` before it for the guarded one; or the status of a refusal. */
const path = (target: string, seen: string, source: string): HostileCase => ({
  item: 11,
  name: show(target),
  source,
  send: request(target),
  expect: /^\d/.test(seen)
    ? refused(Number(seen))
    : forwarded(seen.startsWith('/') ? `GET ${seen}` : seen.replace(' ', ': GET ')),
  danger: misrouted,
});

const forms: readonly HostileCase[] = [
  ['GET http://app.localhost/x', 'GET /x'],
  ['GET HTTP://APP.localhost/x?y', 'GET /x?y'],
  ['GET https://app.localhost/x', 'GET /x'],
  ['GET http://app.localhost', 'GET /'],
  ['GET http://app.localhost?y', 'GET /?y'],
  ['GET http://app.localhost/admin/x', 'guarded: GET /admin/x'],
  ['OPTIONS *', 'OPTIONS *'],
  ['OPTIONS http://app.localhost', 'OPTIONS *'],
].map(([start, seen]) => ({
  item: 10,
  name: start!,
  source: FORMS,
  send: `${start} HTTP/1.1\r\nHost: app.localhost\r\n\r\n`,
  expect: forwarded(seen!),
  danger: misrouted,
}));

const refusedForms: readonly HostileCase[] = [
  ['GET *', 400],
  ['GET app.localhost:443', 400],
  ['GET app.localhost', 400],
  ['GET x/y', 400],
  ['GET ?x', 400],
  ['GET #x', 400],
  ['GET http:/app.localhost/', 400],
  ['GET http:///x', 400],
  ['GET http://', 400],
  ['GET ftp://app.localhost/', 400],
  ['GET file:///etc/passwd', 400],
  ['GET javascript:alert(1)', 400],
  ['GET ws://app.localhost/', 400],
  ['GET http://app.localhost\\@evil.example/', 400],
  ['OPTIONS /*/../*x y', 400],
  ['CONNECT app.localhost:443', 501],
  ['CONNECT evil.example:25', 501],
  ['CONNECT /', 501],
  ['CONNECT *', 501],
].map(([start, status]) => ({
  item: 10,
  name: `${start}`,
  source: `${start}`.startsWith('CONNECT') ? CONNECT : FORMS,
  send: `${start} HTTP/1.1\r\nHost: app.localhost\r\n\r\n`,
  expect: refused(Number(status)),
}));

const paths: readonly HostileCase[] = [
  path('/admin/x', 'guarded /admin/x', SEGMENTS),
  path('/a/../admin/x', 'guarded /admin/x', SEGMENTS),
  path('/../admin/x', 'guarded /admin/x', SEGMENTS),
  path('/a/%2e%2e/admin/x', 'guarded /admin/x', SEGMENTS),
  path('/a/.%2E/admin/x', 'guarded /admin/x', SEGMENTS),
  path('/./admin/x', 'guarded /admin/x', SEGMENTS),
  path('/%2e/admin/x', 'guarded /admin/x', SEGMENTS),
  path('/admin/./x', 'guarded /admin/x', SEGMENTS),
  path('/%61dmin/x', 'guarded /admin/x', SEGMENTS),
  path('/%61%64%6d%69%6E/x', 'guarded /admin/x', SEGMENTS),
  path('/admin/../x', '/x', SEGMENTS),
  path('/admin/%2e%2e/x', '/x', SEGMENTS),
  path('/admin/..', '/', SEGMENTS),
  path('/admin/.', 'guarded /admin/', SEGMENTS),
  path('/a/b/../..', '/', SEGMENTS),
  path('/..', '/', SEGMENTS),
  path('/...', '/...', SEGMENTS),
  path('/admin', '/admin', SEGMENTS),
  path('/ADMIN/x', '/ADMIN/x', 'RFC 3986 section 6.2.2.1; Caddy CVE-2026-27587'),
  path('/x?/../admin/x', '/x?/../admin/x', SEGMENTS),
  path('//admin/x', '//admin/x', `${SEGMENTS}; Caddy CVE-2022-28923`),
  path('/a//../admin/x', '/a/admin/x', SEGMENTS),
  path('/admin//x', 'guarded /admin//x', SEGMENTS),
  path('/admin%2fx', '/admin%2Fx', ENCODED),
  path('/admin/%2fx', 'guarded /admin/%2Fx', ENCODED),
  path('/a%2f..%2fadmin/x', '400', ENCODED),
  path('/..%2fadmin/x', '400', ENCODED),
  path('/%2e%2e%2fadmin/x', '400', ENCODED),
  path('/admin/..%2fx', '400', ENCODED),
  path('/a%5cb', '/a%5Cb', ENCODED),
  path('/..%5cadmin/x', '400', ENCODED),
  path('/admin\\x', '400', BACKSLASH),
  path('/a\\..\\admin/x', '400', BACKSLASH),
  path('\\admin/x', '400', BACKSLASH),
  path('/a#/../admin/x', '400', FRAGMENT),
  path('/#', '400', FRAGMENT),
  path('/x?y#z', '400', FRAGMENT),
  path('/admin%23x', '/admin%23x', FRAGMENT),
  path('/a%00', '400', NUL),
  path('/a%00/../admin/x', '400', NUL),
  path('/a\0b', '400', NUL),
  path('/a b', '400', SPACE),
  path('/admin/x y', '400', SPACE),
  path('/a%20b', '/a%20b', SPACE),
  path('/a%0d%0aX:%20y', '/a%0D%0AX:%20y', 'RFC 3986 section 2.1; undici CVE-2023-23936'),
  path('/a\tb', '400', SPACE),
  path('/admin;x=y/z', '/admin;x=y/z', 'RFC 3986 section 3.3'),
  path('/a/..;/admin/x', '/a/..;/admin/x', 'RFC 3986 section 3.3'),
  path('/a/..;x=y/admin/x', '/a/..;x=y/admin/x', 'RFC 3986 section 3.3'),
  path('/admin/;x=y', 'guarded /admin/;x=y', 'RFC 3986 section 3.3'),
  path('/a/%c0%ae%c0%ae/admin/x', '/a/%C0%AE%C0%AE/admin/x', OVERLONG),
  path('/%c0%afadmin/x', '/%C0%AFadmin/x', OVERLONG),
  path('/a/\xc0\xae\xc0\xae/admin/x', '400', OVERLONG),
  path('/%e0%80%ae%e0%80%ae/admin/x', '/%E0%80%AE%E0%80%AE/admin/x', OVERLONG),
  path('/\xc3\xa9', '400', 'RFC 3986 section 2'),
  path('/%c3%a9', '/%C3%A9', 'RFC 3986 section 2'),
  path('/a/%252e%252e/admin/x', '/a/%252e%252e/admin/x', TWICE),
  path('/%2561dmin/x', '/%2561dmin/x', TWICE),
  path('/a%252fb', '/a%252fb', TWICE),
  path('/%', '400', 'RFC 3986 section 2.1'),
  path('/%2', '400', 'RFC 3986 section 2.1'),
  path('/%zz', '400', 'RFC 3986 section 2.1'),
  path('/%u002e%u002e/admin/x', '400', 'RFC 3986 section 2.1'),
  path('/x?\xe9', '400', 'RFC 3986 section 3.4'),
  path('/x?%', '/x?%', 'RFC 3986 section 3.4'),
  path('/{a}<b>|^`"[]', '/{a}<b>|^`"[]', 'RFC 3986 section 2'),
  path('/$%7Benv.SECRET%7D/{env.SECRET}', '/$%7Benv.SECRET%7D/{env.SECRET}', 'Caddy CVE-2026-30852, CVE-2026-77281'),
];

const asterisk: HostileCase = {
  item: 10,
  name: 'OPTIONS * with a request as its content',
  source: 'RFC 9110 section 9.3.7',
  send: request('*', [`Content-Length: ${SMUGGLED.length}`], 'OPTIONS') + SMUGGLED,
  expect: forwarded('OPTIONS *'),
  smuggles: true,
};

export const targetCases: readonly HostileCase[] = [...forms, asterisk, ...refusedForms, ...paths];
