// Item 22: the redirect to https repeats the client's host and path, and nothing that the client writes there may become a
// line of its own or lead to another host. (Other redirects go to fixed places; there are no placeholders.)
import assert from 'node:assert/strict';
import { request } from '../../support/chain.ts';
import { type Expectation, type HostileCase, refused, show } from '../hostile-case.ts';

const SPLIT = 'undici CVE-2023-23936; RFC 9110 section 5.5';
const OPEN = 'Caddy CVE-2022-28923; RFC 9110 section 10.2.2';

const redirected = (path: string): Expectation => ({
  client: [308],
  ends: 'kept',
  origin: [],
  check: ({ answers }) => {
    const [location] = answers[0]!.fields('location');
    assert.equal(location?.replace(/^https:\/\/app\.localhost(:\d+)?\//, '/'), path);
    assert.deepEqual(answers[0]!.fields('x'), []);
  },
});

const to = (target: string, expect: Expectation, source: string): HostileCase => ({
  item: 22,
  name: `${show(target)}, by plain HTTP`,
  source,
  via: 'redirect',
  send: request(target),
  expect,
});

/** What template engines, shells and Caddy would replace. */
const TEMPLATE = `/{env.HOME}$${'{HOME}'}{{1+1}}`;

export const redirectCases: readonly HostileCase[] = [
  to('/a%0d%0aX:%20y', redirected('/a%0D%0AX:%20y'), SPLIT),
  to('/a?b%0d%0aX:%20y', redirected('/a?b%0d%0aX:%20y'), SPLIT),
  to('/a%0aX:%20y', redirected('/a%0AX:%20y'), SPLIT),
  to('/a%e5%98%8a%e5%98%8dX:%20y', redirected('/a%E5%98%8A%E5%98%8DX:%20y'), SPLIT),
  to('/a\nX: y', refused(400), SPLIT),
  to('/a\rX: y', refused(400), SPLIT),
  to('//evil.example/', redirected('//evil.example/'), OPEN),
  to('//evil.example/..', redirected('//'), OPEN),
  to('/\\evil.example/', refused(400), OPEN),
  to('/@evil.example', redirected('/@evil.example'), OPEN),
  to('.evil.example/', refused(400), OPEN),
  to('@evil.example/', refused(400), OPEN),
  to(':@evil.example/', refused(400), OPEN),
  to('http://evil.example/', refused(400), OPEN),
  to(TEMPLATE, redirected(TEMPLATE), 'Caddy CVE-2026-30852, CVE-2026-77281'),
  {
    item: 22,
    name: 'a Host that is not served, by plain HTTP',
    source: OPEN,
    via: 'redirect',
    send: 'GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n',
    expect: {
      client: [404],
      ends: 'kept',
      origin: [],
      check: ({ answers }) => assert.deepEqual(answers[0]!.fields('location'), []),
    },
  },
  {
    item: 22,
    name: 'a Host with a line end in it, by plain HTTP',
    source: SPLIT,
    via: 'redirect',
    send: 'GET / HTTP/1.1\r\nHost: app.localhost%0d%0aX:%20y\r\n\r\n',
    expect: refused(400),
  },
];
