// TLS-ALPN-01 in the listener that serves sites (RFC 8737): who is shown the proof, and what becomes of everybody else.
import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { AlpnCertificates, serverNameOf } from '../../src/certs/challenges/alpn-certificates.ts';
import type { PendingChallenge } from '../../src/certs/challenges/challenge-solver.ts';
import { CertificateResolver } from '../../src/certs/resolver.ts';
import { systemClock } from '../../src/core/clock.ts';
import { DeadlineSweep } from '../../src/core/deadlines.ts';
import { secureContextOptions, TlsAcceptor } from '../../src/server/tls-acceptor.ts';
import { capturedLog } from '../support/captured-log.ts';
import { makeAuthority, mint } from '../support/minted.ts';

const root = makeAuthority();
const never = new AbortController().signal;

function challengeFor(identifier: string): PendingChallenge {
  const keyAuthorization = 'token.thumbprint';
  return { identifier, wildcard: false, token: 'token', keyAuthorization, accountUrl: '', issuerDomainNames: [] };
}

/** A server that has certificates for site.example, and serves only them. */
async function serve(t: TestContext) {
  const contextOptions = secureContextOptions();
  const resolver = new CertificateResolver({ contextOptions, log: capturedLog().log });
  resolver.restore('site.example', mint(['site.example'], root));
  const challenges = new AlpnCertificates({ contextOptions, clock: systemClock });
  const served: TLSSocket[] = [];
  const onSecure = (socket: TLSSocket): void => void served.push(socket.on('error', () => {}));
  const sweep = new DeadlineSweep();
  const options = { contexts: resolver, challenges, contextOptions, handshakeMs: 10_000, sweep, onSecure };
  const acceptor = new TlsAcceptor(options);
  const server = createServer({ allowHalfOpen: true }, (raw) =>
    acceptor.accept(raw, { address: '127.0.0.1', port: 1 }),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    acceptor.destroy();
    for (const socket of served) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  /** What a client sees: the certificate and the protocol, or the alert. */
  const shake = async (servername: string, ALPNProtocols: string[], more: ConnectionOptions = {}) => {
    const client = connectTls({
      port,
      host: '127.0.0.1',
      servername,
      ALPNProtocols,
      rejectUnauthorized: false,
      ...more,
    });
    t.after(() => client.destroy());
    const { promise, resolve } = Promise.withResolvers<string>();
    client.once('secureConnect', () => resolve(''));
    client.on('error', (error: Error & { code?: string }) => resolve(error.code ?? error.message));
    const refusal = await promise;
    const raw = client.getPeerCertificate()?.raw as Buffer | undefined;
    const certificate = raw === undefined || refusal !== '' ? null : new X509Certificate(raw);
    return { client, refusal, protocol: client.alpnProtocol, certificate };
  };
  return { challenges, served, shake };
}

test('a validator of a pending name sees the proof and then the end of the connection', async (t) => {
  const { challenges, served, shake } = await serve(t);
  await challenges.present(challengeFor('proved.example'), never);
  const { client, protocol, certificate } = await shake('proved.EXAMPLE', ['acme-tls/1']);
  assert.equal(protocol, 'acme-tls/1');
  assert.equal(certificate?.subjectAltName, 'DNS:proved.example');
  assert.ok(certificate?.verify(certificate.publicKey), 'signed by itself');
  // OID 1.3.6.1.5.5.7.1.31, critical, OCTET STRING of OCTET STRING of the digest.
  const digest = createHash('sha256').update('token.thumbprint').digest('hex');
  assert.ok(certificate?.raw.toString('hex').includes(`06082b0601050507011f0101ff04220420${digest}`));
  await once(client.resume(), 'close');
  assert.equal(served.length, 0);
});

test('a validator of an address asks by its reverse name (RFC 8738)', async (t) => {
  const { challenges, shake } = await serve(t);
  await challenges.present(challengeFor('127.0.0.1'), never);
  await challenges.present(challengeFor('2001:db8::1'), never);
  const first = await shake('1.0.0.127.in-addr.arpa', ['acme-tls/1']);
  assert.equal(first.certificate?.subjectAltName, 'IP Address:127.0.0.1');
  const second = await shake(serverNameOf('2001:db8::1'), ['acme-tls/1']);
  assert.equal(second.certificate?.subjectAltName, 'IP Address:2001:DB8:0:0:0:0:0:1');
});

test('the reverse name of an IPv6 address has its 32 digits', () => {
  const zeros = (count: number): string => '0.'.repeat(count);
  assert.equal(serverNameOf('2001:db8::1'), `1.${zeros(23)}8.b.d.0.1.0.0.2.ip6.arpa`);
  assert.equal(serverNameOf('::'), `${zeros(32)}ip6.arpa`);
  assert.equal(
    serverNameOf('1:2:3:4:5:6:7:8'),
    '8.0.0.0.7.0.0.0.6.0.0.0.5.0.0.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.ip6.arpa',
  );
});

test('while a name is being proved everybody else is served as before', async (t) => {
  const { challenges, served, shake } = await serve(t);
  await challenges.present(challengeFor('site.example'), never);
  for (const [offered, expected] of [
    [['h2', 'http/1.1'], 'h2'],
    [['http/1.0', 'http/1.1'], 'http/1.1'],
    [['http/1.0'], 'http/1.0'],
  ] as const) {
    const { protocol, certificate } = await shake('site.example', [...offered]);
    assert.equal(protocol, expected);
    assert.equal(certificate?.issuer, 'CN=Test Root');
  }
  assert.equal((await shake('site.example', [], {})).certificate?.issuer, 'CN=Test Root', 'no ALPN at all');
  // Not a validator: those offer one protocol (RFC 8737 section 3).
  const mixed = await shake('site.example', ['acme-tls/1', 'http/1.1']);
  assert.deepEqual([mixed.protocol, mixed.certificate?.issuer], ['http/1.1', 'CN=Test Root']);
  assert.equal((await shake('site.example', ['h3'])).refusal, 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL');
  assert.equal(served.length, 5);
});

test('acme-tls/1 is refused by alert for names that nobody proves, before, meanwhile and afterwards', async (t) => {
  const { challenges, served, shake } = await serve(t);
  const refused = async (name: string): Promise<void> => {
    const { refusal, certificate } = await shake(name, ['acme-tls/1']);
    assert.equal(refusal, 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL');
    assert.equal(certificate, null);
  };
  await refused('site.example');
  const cleanUp = await challenges.present(challengeFor('proved.example'), never);
  assert.equal(challenges.pending, true);
  await refused('site.example');
  await refused('unknown.example');
  await refused('');
  // TLS 1.2 chooses the certificate first, so that the proof cannot be shown; nor is the site's.
  const old = await shake('proved.example', ['acme-tls/1'], { maxVersion: 'TLSv1.2' });
  assert.match(old.refusal, /UNRECOGNIZED_NAME/);
  await cleanUp();
  assert.equal(challenges.pending, false);
  await refused('proved.example');
  assert.equal(served.length, 0);
});

test('of two challenges for one name the later is shown, and the end of the earlier does not end it', async (t) => {
  const { challenges, shake } = await serve(t);
  const first = await challenges.present(challengeFor('proved.example'), never);
  await challenges.present({ ...challengeFor('proved.example'), keyAuthorization: 'other.thumbprint' }, never);
  await first();
  const { certificate } = await shake('proved.example', ['acme-tls/1']);
  assert.ok(certificate?.raw.includes(createHash('sha256').update('other.thumbprint').digest()));
});

test('a wildcard cannot be proved this way', () => {
  const challenges = new AlpnCertificates({ contextOptions: {}, clock: systemClock });
  assert.match(challenges.unfit('a.example', true) ?? '', /wildcard/);
  assert.equal(challenges.unfit('a.example', false), null);
});
