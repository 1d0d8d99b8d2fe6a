// Item 9: which host a request is for.
import assert from 'node:assert/strict';
import { request } from '../../support/chain.ts';
import { also, answered, forwarded, type HostileCase, refused, show } from '../hostile-case.ts';

const ONE = 'RFC 9112 section 3.2';
const SYNTAX = 'RFC 9110 section 7.2, RFC 3986 section 3.2.2';
const SAME = 'RFC 9112 section 3.2.2';

const withHosts = (name: string, lines: readonly string[], source = ONE, start = 'GET / HTTP/1.1'): HostileCase => ({
  item: 9,
  name,
  source,
  send: [start, ...lines, '', ''].join('\r\n'),
  expect: refused(400),
});

const many: readonly HostileCase[] = [
  withHosts('no Host', []),
  withHosts('no Host, in HTTP/1.0', [], ONE, 'GET / HTTP/1.0'),
  withHosts('two Hosts', ['Host: app.localhost', 'Host: evil.example']),
  withHosts('two Hosts, ours last', ['Host: evil.example', 'Host: app.localhost']),
  withHosts('the same Host twice', ['Host: app.localhost', 'Host: app.localhost']),
  withHosts('two Hosts in different case', ['HOST: app.localhost', 'host: evil.example']),
  withHosts(
    'an absolute target and two Hosts',
    ['Host: app.localhost', 'Host: app.localhost'],
    ONE,
    'GET http://app.localhost/ HTTP/1.1',
  ),
  withHosts('an absolute target and no Host', [], ONE, 'GET http://app.localhost/ HTTP/1.1'),
  withHosts('an absolute target with another host', ['Host: app.localhost'], SAME, 'GET http://evil.example/ HTTP/1.1'),
  withHosts(
    'an absolute target with ours, another Host',
    ['Host: evil.example'],
    SAME,
    'GET http://app.localhost/ HTTP/1.1',
  ),
  withHosts(
    'an absolute target with another port',
    ['Host: app.localhost'],
    SAME,
    'GET http://app.localhost:1/ HTTP/1.1',
  ),
  withHosts('an absolute target with userinfo', ['Host: app.localhost'], SAME, 'GET http://a@app.localhost/ HTTP/1.1'),
  withHosts(
    'an absolute target with a space in its host',
    ['Host: app.localhost'],
    SAME,
    'GET http://app.localhost evil/ HTTP/1.1',
  ),
];

const malformed: readonly HostileCase[] = [
  '',
  'user@app.localhost',
  'user:pass@app.localhost',
  'app.localhost@evil.example',
  'a b',
  'app.localhost evil.example',
  'app.localhost, evil.example',
  'app.localhost:0',
  'app.localhost:65536',
  'app.localhost:99999',
  'app.localhost:-1',
  'app.localhost:+80',
  'app.localhost:80:80',
  'app.localhost:http',
  'app.localhost: 80',
  'app.localhost/',
  'app.localhost/admin',
  'app.localhost?x',
  'app.localhost#x',
  'app.localhost\\x',
  '//app.localhost',
  'http://app.localhost',
  'app.localhost%00',
  '%61pp.localhost',
  'app.localhost\0',
  'app.localhost\x7f',
  'app\t.localhost',
  'b\xc3\xbccher.localhost',
  'app\xe3\x80\x82localhost',
  'app..localhost',
  '.app.localhost',
  'app.localhost..',
  '-app.localhost',
  'app_x.localhost',
  '*.localhost',
  '[::1',
  '::1',
  '[::1%25eth0]',
  '[fe80::1%eth0]',
  '[app.localhost]',
  '127.0.0.1.5',
  '0x7f.1',
  '2130706433',
  'a'.repeat(64),
  `${'a.'.repeat(126)}localhost`,
  '{{app}}.localhost',
  '$' + '{env}',
].map((host) => ({
  item: 9,
  name: `Host: ${show(host.length > 60 ? `${host.slice(0, 20)}… (${host.length} characters)` : host) || '(empty)'}`,
  source: SYNTAX,
  send: `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
  expect: refused(400),
}));

const unknown: readonly HostileCase[] = [
  'evil.example',
  'app.localhost.evil.example',
  'xapp.localhost',
  'localhost',
  '127.0.0.1',
  '[::1]',
  '[::ffff:127.0.0.1]',
  'xn--bcher-kva.localhost',
].map((host) => ({
  item: 9,
  name: `Host: ${host}, a name not served`,
  source: 'RFC 9110 section 15.5.20',
  send: request().replace('app.localhost', host),
  expect: answered(421),
}));

/** As the client wrote it, which names the same host. */
const lawful: readonly HostileCase[] = ['APP.LocalHost', 'app.localhost.', 'app.localhost:443', 'app.localhost:'].map(
  (host) => ({
    item: 9,
    name: `Host: ${host}, the same name`,
    source: 'RFC 9110 section 4.2.3; Traefik CVE-2022-23632',
    send: request().replace('app.localhost', host),
    expect: also(forwarded('GET /'), ({ requests }) => assert.deepEqual(requests[0]!.fields('host'), [host])),
  }),
);

export const hostCases: readonly HostileCase[] = [...many, ...malformed, ...unknown, ...lawful];
