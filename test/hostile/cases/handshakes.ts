// Items 26 and 30: what a ClientHello may look like, and what is none.
import { request } from '../../support/chain.ts';
import { clientHello, type HelloOptions, handshake, record, serverNames } from '../client-hello.ts';
import type { HandshakeCase, Outcome } from '../handshake-case.ts';
import { show } from '../hostile-case.ts';

const NAME = 'RFC 6066 section 3; Node CVE-2026-48928, CVE-2026-48930';
const FRAGMENTS = 'RFC 8446 section 5.1; Traefik CVE-2026-32305 (fragmented ClientHello)';
const PROTOCOLS = 'RFC 7301 section 3.2; RFC 8737 section 3';
const VERSIONS = 'RFC 8446 section 4.2.1, RFC 8996';
const RECORDS = 'RFC 8446 sections 5.1, 5.2; Node CVE-2021-22883';
const OTHER = 'RFC 9110 section 15.5.1';

const UNRECOGNIZED_NAME: Outcome = 'alert 112';
const NO_PROTOCOL: Outcome = 'alert 120';
const DECODE_ERROR: Outcome = 'alert 50';

const hello = (name: string, source: string, options: HelloOptions, ...expect: readonly Outcome[]): HandshakeCase => ({
  item: 26,
  name,
  source,
  bytes: clientHello(options),
  expect,
});

const served = (name: string, source: string, options: HelloOptions) => hello(name, source, options, 'ServerHello');

const names: readonly HandshakeCase[] = [
  // No certificate is shown to whoever does not know a name (Caddy CVE-2018-19148).
  hello('no server name', NAME, { names: null }, 'alert 40', 'alert 80'),
  ...[
    '127.0.0.1',
    '::1',
    'evil.example',
    'app.localhost.evil.example',
    '*.localhost',
    'localhost',
    '.',
    '..',
    'app..localhost',
    '-',
    'a b',
    '%00',
    '../../etc/passwd',
    '__proto__',
    'constructor',
  ].map((name) => hello(`server name ${name}`, NAME, { names: [name] }, UNRECOGNIZED_NAME)),
  ...[
    '\0',
    'app.localhost\0',
    'app.localhost\0.evil.example',
    '\xff\xfe',
    'b\xc3\xbccher.localhost',
    'app\xe3\x80\x82localhost',
  ].map((name) => hello(`server name ${show(name)}`, NAME, { names: [name] }, UNRECOGNIZED_NAME, DECODE_ERROR)),
  ...[255, 256, 300, 10_000].map((length) =>
    hello(`a server name of ${length} bytes`, NAME, { names: ['a'.repeat(length)] }, UNRECOGNIZED_NAME, DECODE_ERROR),
  ),
  hello('an empty server name', NAME, { names: [''] }, 'alert 40', DECODE_ERROR),
  hello('no name in the list of names', NAME, { names: [] }, DECODE_ERROR),
  hello('two server names', NAME, { names: ['app.localhost', 'evil.example'] }, UNRECOGNIZED_NAME, DECODE_ERROR),
  hello('a server name of another type', NAME, { nameType: 1 }, UNRECOGNIZED_NAME, DECODE_ERROR),
  hello(
    'the extension twice',
    'RFC 8446 section 4.2',
    { extensions: [[0, serverNames(['evil.example'])]] },
    'alert 47',
    DECODE_ERROR,
  ),
  served('the server name in upper case', NAME, { names: ['APP.LOCALHOST'] }),
];

const protocols: readonly HandshakeCase[] = [
  hello(
    'acme-tls/1 for a name not served',
    PROTOCOLS,
    { names: ['evil.example'], protocols: ['acme-tls/1'] },
    NO_PROTOCOL,
    UNRECOGNIZED_NAME,
  ),
  hello('acme-tls/1, no challenge pending', PROTOCOLS, { protocols: ['acme-tls/1'] }, NO_PROTOCOL),
  hello('acme-tls/1 and h3 together', PROTOCOLS, { protocols: ['acme-tls/1', 'h3'] }, NO_PROTOCOL),
  served('acme-tls/1 and http/1.1 together', PROTOCOLS, { protocols: ['acme-tls/1', 'http/1.1'] }),
  hello('protocols we do not speak', PROTOCOLS, { protocols: ['h3', 'spdy/3', 'http/0.9'] }, NO_PROTOCOL),
  hello('a protocol of 255 bytes', PROTOCOLS, { protocols: ['x'.repeat(255)] }, NO_PROTOCOL),
  hello('a protocol without a name', PROTOCOLS, { protocols: ['', 'http/1.1'] }, DECODE_ERROR),
  hello('an empty list of protocols', PROTOCOLS, { protocols: [] }, DECODE_ERROR),
  served('no protocols', PROTOCOLS, { protocols: null }),
];

const shapes: readonly HandshakeCase[] = [
  served('a ClientHello in records of 10 bytes', FRAGMENTS, { recordBytes: 10 }),
  served('a ClientHello in records of 1 byte', FRAGMENTS, { recordBytes: 1 }),
  served('a ClientHello of over 16 KiB', FRAGMENTS, { paddingBytes: 17_000 }),
  served('a ClientHello of 60 KiB', FRAGMENTS, { paddingBytes: 60_000 }),
  hello('TLS 1.1 only', VERSIONS, { versions: [0x0302] }, 'alert 70'),
  hello('TLS 1.9 only', VERSIONS, { versions: [0x030a] }, 'alert 70'),
  hello('no versions', VERSIONS, { versions: [] }, 'alert 70', DECODE_ERROR),
];

const raw = (
  item: number,
  name: string,
  source: string,
  bytes: Buffer,
  ...expect: readonly Outcome[]
): HandshakeCase => ({
  item,
  name,
  source,
  bytes,
  expect,
});

const REFUSALS: readonly Outcome[] = ['alert 10', 'alert 22', 'alert 47', 'alert 50', 'alert 70', 'alert 40', 'closed'];

const records: readonly HandshakeCase[] = [
  raw(26, 'a record that says 65,535 bytes', RECORDS, record(22, Buffer.alloc(40_000), 65_535), ...REFUSALS),
  raw(
    26,
    'a ClientHello that says 16 MiB',
    RECORDS,
    record(22, handshake(1, Buffer.alloc(16_000), 0xffffff)),
    ...REFUSALS,
  ),
  raw(26, 'a ServerHello', RECORDS, record(22, handshake(2, Buffer.alloc(100))), ...REFUSALS),
  raw(26, 'an empty ClientHello', RECORDS, record(22, handshake(1, Buffer.alloc(0))), ...REFUSALS),
  raw(26, '10,000 empty records', RECORDS, Buffer.concat(Array(10_000).fill(record(22, Buffer.alloc(0)))), ...REFUSALS),
  raw(
    26,
    '10,000 ChangeCipherSpecs',
    RECORDS,
    Buffer.concat(Array(10_000).fill(record(20, Buffer.of(1)))),
    ...REFUSALS,
  ),
  raw(26, 'application data first', RECORDS, record(23, Buffer.alloc(100)), ...REFUSALS),
  raw(
    26,
    'a heartbeat first (Heartbleed)',
    'OpenSSL CVE-2014-0160',
    record(24, Buffer.from('014000', 'hex')),
    ...REFUSALS,
  ),
  raw(26, 'an alert first', RECORDS, record(21, Buffer.of(2, 40)), ...REFUSALS),
  raw(
    26,
    'a ClientHello of SSL 2',
    'RFC 6176',
    Buffer.from(`802e0100020015000000100100800300800700c0${'00'.repeat(30)}`, 'hex'),
    ...REFUSALS,
  ),
  raw(26, '20 KB of 0xff', RECORDS, Buffer.alloc(20_000, 0xff), ...REFUSALS),
  raw(26, "another protocol's greeting", RECORDS, Buffer.from('SSH-2.0-OpenSSH_9.2\r\n'), ...REFUSALS),
];

const plain: readonly HandshakeCase[] = [
  ...['GET', 'POST', 'PUT', 'HEAD'].map((method) =>
    raw(30, `${method} in the clear to the TLS port`, OTHER, Buffer.from(request('/', [], method)), '400'),
  ),
  { ...raw(30, 'TLS to the plain port', OTHER, clientHello({}), '400', 'closed'), to: 'redirect' },
];

export const handshakeCases: readonly HandshakeCase[] = [...names, ...protocols, ...shapes, ...records, ...plain];
