import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { normalizePath, parseRequestTarget } from '../../src/http/request-target.ts';

test('a path is brought to the one form that the router and the upstream see', () => {
  const table: readonly (readonly [string, string])[] = [
    ['/', '/'],
    ['/a/b', '/a/b'],
    ['/a/b/', '/a/b/'],
    ['/~a-b_c.d', '/~a-b_c.d'],
    ["/!$&'()*+,;=:@", "/!$&'()*+,;=:@"],
    ['/%61%2d%5f%7E', '/a-_~'],
    ['/%e2%82%ac', '/%E2%82%AC'],
    ['/a%2fb', '/a%2Fb'],
    ['/a%5cb', '/a%5Cb'],
    ['/a%3Fb%23c', '/a%3Fb%23c'],
    ['/%252e%252e/a', '/%252e%252e/a'],
    ['/%25%32%65', '/%252e'],
    ['/%c0%ae%c0%ae/a', '/%C0%AE%C0%AE/a'],
    ['/./a', '/a'],
    ['/a/.', '/a/'],
    ['/a/./', '/a/'],
    ['/a/../b', '/b'],
    ['/a/..', '/'],
    ['/..', '/'],
    ['/../..', '/'],
    ['/../../etc', '/etc'],
    ['/a/%2e%2e/b', '/b'],
    ['/a/%2E./b', '/b'],
    ['/a/b/../../../c', '/c'],
    ['/..a/.b./...', '/..a/.b./...'],
    ['//a', '//a'],
    ['//', '//'],
    ['/a//../b', '/a/b'],
    ['/a;x=y/b', '/a;x=y/b'],
    ['/a;/../b', '/b'],
    ['/a"<>[]^`{|}', '/a"<>[]^`{|}'],
  ];
  for (const [raw, path] of table) assert.equal(normalizePath(raw), path, raw);
});

test('a path that two readers could take for different ones is refused', () => {
  const refused = [
    '',
    'a',
    '/a#b',
    '/a b',
    '/a\\b',
    '/..\\a',
    '/%00',
    '/a%00b',
    '/%',
    '/%2',
    '/%zz',
    '/%%30%30',
    '/a\x00',
    '/\xe9',
    '/..%2fadmin',
    '/%2e%2e%2fadmin',
    '/a/..%5cb',
    '/a%2f..',
    '/a%2f../b',
    '/a%2f%2e%2e%2fb',
    '/a/%2f./b',
    '/.%2f',
  ];
  for (const raw of refused) assert.equal(normalizePath(raw), null, raw);
});

const segment = fc.oneof(
  fc.constantFrom('.', '..', '', '%2e', '%2E%2e', '%2f', '%5C', '%25', '%c0%ae', 'a;b', '%61', '...', '..;'),
  fc.stringMatching(/^[!-~]{0,6}$/),
);
const path = fc.array(segment, { minLength: 1, maxLength: 6 }).map((segments) => `/${segments.join('/')}`);

test('normalising is idempotent, never leaves a dot segment, and never makes a slash', () => {
  fc.assert(
    fc.property(path, (raw) => {
      const once = normalizePath(raw);
      if (once === null) return;
      assert.equal(normalizePath(once), once, raw);
      assert.doesNotMatch(once, /(^|\/|%2F|%5C)(\.|%2E){1,2}($|\/|%2F|%5C)/i, raw);
      const slashes = (text: string) => text.split('/').length;
      assert.ok(slashes(once) <= slashes(raw), raw);
      assert.equal(new URL(once.replaceAll('//', '/x/'), 'http://a').pathname.includes('/../'), false);
    }),
    { numRuns: 3_000 },
  );
});

test('each form of target is understood where its method allows it', () => {
  const table: readonly (readonly [method: string, raw: string, parsed: string | null])[] = [
    ['GET', '/a?b=c', 'null /a ?b=c'],
    ['GET', '/a?', 'null /a ?'],
    ['GET', '/a?b?c/../%2e\\|^', 'null /a ?b?c/../%2e\\|^'],
    ['GET', 'http://host/a?b', 'host /a ?b'],
    ['GET', 'HTTPS://host:8443', 'host:8443 / '],
    ['GET', 'http://host?q', 'host / ?q'],
    ['OPTIONS', '*', 'null * '],
    ['OPTIONS', 'http://host', 'host * '],
    ['OPTIONS', 'http://host/', 'host / '],
    ['GET', '*', null],
    ['GET', '**', null],
    ['GET', 'host:443', null],
    ['GET', 'host', null],
    ['GET', 'ftp://host/', null],
    ['GET', 'http:///a', null],
    ['GET', 'http:/a', null],
    ['GET', '/a?b#c', null],
    ['GET', '/a#c', null],
    ['GET', 'http://host/a#c', null],
    ['GET', '/a?b\xe9', null],
    ['GET', '?a', null],
    ['GET', '', null],
  ];
  for (const [method, raw, expected] of table) {
    const target = parseRequestTarget(method, raw);
    const found = target === null ? null : `${target.authority} ${target.path} ${target.query}`;
    assert.equal(found, expected, `${method} ${raw}`);
  }
});

test('a long path of any shape is judged quickly', () => {
  for (const unit of ['/a', '/..', '%2e', '%2F', '/', ';', '/.', 'a%']) normalizePath(`/${unit.repeat(4_000)}!`);
});
