// Whom an https:// target is believed to be. What is not believed gets nothing of a request, and the log says why in words.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer as createPlainServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { createServer, type TLSSocket, type TlsOptions } from 'node:tls';
import type { TargetTls } from '../../src/config/config.ts';
import { makeCertificate } from '../golden/certificates.ts';
import { startBareProxy } from '../support/bare-proxy.ts';
import { post, request } from '../support/chain.ts';
import { makeAuthority, mint } from '../support/minted.ts';
import { ok } from '../support/origin.ts';
import { ORIGIN_AUTHORITY, ORIGIN_NAME, originTls, secureTarget } from '../support/secure-origin.ts';

const DAY_MS = 86_400_000;
const STRANGER = makeAuthority('Stranger');
const MIDDLE = makeAuthority('Middle', ORIGIN_AUTHORITY);
/** Authorities that may have others below them, and certificates that are not for servers only. */
const day = (days: number): string => new Date(Date.now() + days * DAY_MS).toISOString().slice(0, 10);
const DATES = { from: day(-2), to: day(30) };
const TOP = makeCertificate({ ...DATES, names: [], subject: 'Top' });
const BELOW = makeCertificate({ ...DATES, names: [], subject: 'Below', issuer: TOP });
const LEAF = makeCertificate({ ...DATES, names: [ORIGIN_NAME], issuer: BELOW });
const CLIENT = makeCertificate({ ...DATES, names: ['perantara'], issuer: TOP });

interface Answer {
  readonly status: number;
  /** Why, as the log has it. */
  readonly reasons: readonly string[];
}

/** Asks for `message` through a proxy whose only target is the server. */
async function ask(
  t: TestContext,
  server: { listen(port: number, host: string): unknown; address(): unknown; close(): unknown },
  settings: Partial<TargetTls> = {},
  message: string = request('/'),
): Promise<Answer> {
  server.listen(0, '127.0.0.1');
  await once(server as never, 'listening');
  t.after(() => server.close());
  const proxy = await startBareProxy(t, secureTarget((server.address() as AddressInfo).port, settings));
  const client = await proxy.connect();
  await client.send(message);
  const { status } = await client.message();
  client.destroy();
  proxy.target.closeIdle();
  await proxy.idle();
  assert.equal(proxy.target.inflight, 0);
  assert.deepEqual(proxy.faults, []);
  const reasons = proxy.logged.map((line) => JSON.parse(line) as { msg: string; reason: string });
  return { status, reasons: reasons.filter(({ msg }) => msg === 'upstream failed').map(({ reason }) => reason) };
}

/** Answers every connection's first bytes; `taken` counts what it has been given to read. */
function origin(t: TestContext, options: TlsOptions): { server: ReturnType<typeof createServer>; taken: () => number } {
  let taken = 0;
  const sockets = new Set<TLSSocket>();
  const server = createServer(options, (socket) => {
    sockets.add(socket.on('error', () => {}));
    socket.on('data', (chunk) => {
      if (taken === 0) socket.write(ok());
      taken += chunk.length;
    });
  });
  server.on('tlsClientError', () => {});
  t.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  return { server, taken: () => taken };
}

const refused: readonly (readonly [what: string, options: TlsOptions, settings: Partial<TargetTls>, reason: RegExp])[] =
  [
    [
      'for another name',
      originTls(['other.test', '127.0.0.1']),
      {},
      /its certificate is for other\.test, 127\.0\.0\.1, not for origin\.test; name the right one with servername$/,
    ],
    [
      'for the name, but not for the address that is written',
      originTls([ORIGIN_NAME]),
      { servername: '127.0.0.1' },
      /its certificate is for origin\.test, not for 127\.0\.0\.1/,
    ],
    [
      'that has expired',
      originTls([ORIGIN_NAME], ORIGIN_AUTHORITY, { notBefore: Date.now() - 9 * DAY_MS, notAfter: Date.now() - DAY_MS }),
      {},
      /its certificate has expired, or that of its authority$/,
    ],
    [
      'that is not valid yet',
      originTls([ORIGIN_NAME], ORIGIN_AUTHORITY, { notBefore: Date.now() + DAY_MS }),
      {},
      /its certificate is not valid yet$/,
    ],
    [
      'of an authority that is not trusted',
      originTls([ORIGIN_NAME], STRANGER),
      {},
      /the authority of its certificate is not known here, .*; trust it with trust: FILE$/,
    ],
    [
      'of an authority that it sends along',
      originTls([ORIGIN_NAME], STRANGER, { chain: STRANGER.certPem }),
      {},
      /its certificate leads to an authority that is not trusted; trust it with trust: FILE$/,
    ],
    ['whose chain has a gap', originTls([ORIGIN_NAME], MIDDLE), {}, /or its chain has a gap/],
    ['that nobody public has issued', originTls(), { trust: null }, /not known here/],
  ];

for (const [what, options, settings, reason] of refused) {
  test(`a target with a certificate ${what} gets nothing of the request`, async (t) => {
    const { server, taken } = origin(t, options);
    const { status, reasons } = await ask(t, server, settings, post('/', 'secret'));
    assert.equal(status, 502);
    assert.equal(reasons.length, 1, 'asked once');
    assert.match(reasons[0]!, /^cannot get a response: cannot connect: /);
    assert.match(reasons[0]!, reason);
    assert.equal(taken(), 0);
  });
}

test('a self-signed certificate is refused, and believed when it stands in the bundle itself', async (t) => {
  const { certPem, keyPem } = mint(
    [ORIGIN_NAME],
    { subject: ORIGIN_NAME, certPem: '', keyPem: STRANGER.keyPem },
    STRANGER,
  );
  const refusal = await ask(t, origin(t, { cert: certPem, key: keyPem }).server);
  assert.equal(refusal.status, 502);
  assert.match(refusal.reasons[0]!, /its certificate is self-signed; trust it with trust: FILE$/);
  const answer = await ask(t, origin(t, { cert: certPem, key: keyPem }).server, { trust: certPem });
  assert.deepEqual(answer, { status: 200, reasons: [] });
});

const believed: readonly (readonly [what: string, options: TlsOptions, settings: Partial<TargetTls>])[] = [
  ['by the authority of the bundle', originTls(), {}],
  ['by an authority between, sent along', { cert: LEAF.pem + BELOW.pem, key: LEAF.keyPem }, { trust: TOP.pem }],
  ['by an authority between that stands in the bundle', originTls([ORIGIN_NAME], MIDDLE), { trust: MIDDLE.certPem }],
  ['by the second authority of the bundle', originTls(), { trust: STRANGER.certPem + ORIGIN_AUTHORITY.certPem }],
  ['for an address, where one is written', originTls(['127.0.0.1']), { servername: '127.0.0.1' }],
  ['for a wildcard', originTls(['*.internal.test']), { servername: 'app.internal.test' }],
  ['in TLS 1.2', { ...originTls(), maxVersion: 'TLSv1.2' }, {}],
  ['by anybody, without verification', originTls(['other.test'], STRANGER), { verify: false, trust: null }],
];

for (const [what, options, settings] of believed) {
  test(`a target is believed: certified ${what}`, async (t) => {
    assert.deepEqual(await ask(t, origin(t, options).server, settings), { status: 200, reasons: [] });
  });
}

test('the name that is written is asked for, and none for an address', async (t) => {
  for (const [servername, expected] of [
    ['app.internal', 'app.internal'],
    ['127.0.0.1', false],
  ] as const) {
    const { server } = origin(t, originTls(['app.internal', '127.0.0.1']));
    const asked: unknown[] = [];
    server.on('secureConnection', (socket) => asked.push((socket as TLSSocket & { servername: unknown }).servername));
    await ask(t, server, { servername });
    assert.deepEqual(asked, [expected]);
  }
});

test('no session is ever resumed', async (t) => {
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const resumed: boolean[] = [];
    const server = createServer({ ...originTls(), maxVersion }, (socket) => {
      resumed.push(socket.isSessionReused());
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close());
    const proxy = await startBareProxy(t, secureTarget((server.address() as AddressInfo).port));
    const client = await proxy.connect();
    for (let i = 0; i < 3; i++) {
      await client.send(request('/'));
      assert.equal((await client.message()).status, 200);
    }
    assert.deepEqual(resumed, [false, false, false], maxVersion);
  }
});

const MUTUAL = { requestCert: true, rejectUnauthorized: true, ca: TOP.pem };

for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`our own certificate is shown to a target that asks for one (${maxVersion})`, async (t) => {
    const { server } = origin(t, { ...originTls(), ...MUTUAL, maxVersion });
    const shown: string[] = [];
    server.on('secureConnection', (socket) => shown.push(socket.getPeerCertificate().subject.CN as string));
    const answer = await ask(t, server, { identity: { certPem: CLIENT.pem, keyPem: CLIENT.keyPem } });
    assert.deepEqual([answer, shown], [{ status: 200, reasons: [] }, ['perantara']]);
  });

  test(`a target that asks for a certificate in vain is named in the log (${maxVersion})`, async (t) => {
    const { status, reasons } = await ask(t, origin(t, { ...originTls(), ...MUTUAL, maxVersion }).server);
    assert.equal(status, 502);
    assert.match(
      reasons[0]!,
      maxVersion === 'TLSv1.3' ? /it wants a certificate from us/ : /alert "handshake failure"/,
    );
  });
}

test('a target that speaks no TLS 1.2 is told apart', async (t) => {
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
  const { reasons } = await ask(t, origin(t, { ...originTls(), ...old }).server);
  assert.match(reasons[0]!, /it speaks no TLS 1\.2 or newer$/);
});

test('a target that wants another protocol is told apart', async (t) => {
  const { reasons } = await ask(t, origin(t, { ...originTls(), ALPNProtocols: ['smtp'] }).server);
  assert.match(reasons[0]!, /it speaks none of the protocols offered \(ALPN\)$/);
});

const plain: readonly (readonly [what: string, act: (socket: Socket) => void, reason: RegExp])[] = [
  [
    'answers in plain HTTP',
    (socket) => void socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')),
    /it does not speak TLS; is it an http:\/\/ target\?$/,
  ],
  ['greets in the clear', (socket) => void socket.write('SSH-2.0-OpenSSH_9.9\r\n'), /it does not speak TLS/],
  ['closes at once', (socket) => void socket.end(), /it closed the connection during the TLS handshake$/],
  ['resets', (socket) => void socket.once('data', () => socket.resetAndDestroy()), /ECONNRESET$/],
];

for (const [what, act, reason] of plain) {
  test(`a target that ${what} gets nothing of the request`, async (t) => {
    let text = '';
    const sockets: Socket[] = [];
    const server = createPlainServer((socket) => {
      sockets.push(socket.on('error', () => {}));
      socket.on('data', (chunk) => {
        text += chunk.toString('latin1');
      });
      act(socket);
    });
    t.after(() => {
      for (const socket of sockets) socket.destroy();
    });
    const { status, reasons } = await ask(t, server, {}, post('/secret', 'secret'));
    assert.equal(status, 502);
    assert.match(reasons[0]!, reason);
    assert.ok(!text.includes('secret'));
  });
}
