import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { connect, createServer, type PeerCertificate, type SecureContextOptions } from 'node:tls';
import { type Certificate, parseCertificate } from '../../src/certs/certificate.ts';
import { CertificateResolver } from '../../src/certs/resolver.ts';
import { capturedLog } from '../support/captured-log.ts';
import { makeAuthority, mint } from '../support/minted.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const root = makeAuthority();

function makeResolver(contextOptions: SecureContextOptions = {}, maxContexts?: number): CertificateResolver {
  const { log } = capturedLog();
  return new CertificateResolver({ contextOptions, log, ...(maxContexts === undefined ? {} : { maxContexts }) });
}

test('an exact name wins over a wildcard, and a wildcard covers one label', () => {
  const resolver = makeResolver();
  resolver.publish('a.example.com', mint(['a.example.com'], root));
  resolver.publish('*.example.com', mint(['*.example.com'], root));
  const exact = resolver.resolve('a.example.com');
  const wildcard = resolver.resolve('b.example.com');
  assert.ok(exact !== null && wildcard !== null && exact !== wildcard);
  assert.equal(resolver.resolve('c.example.com'), wildcard);
  assert.equal(resolver.resolve('x.a.example.com'), null);
  assert.equal(resolver.resolve('example.com'), null);
});

test('a server name is found in any case and with its root dot (CVE-2026-48928, CVE-2022-23632)', () => {
  const resolver = makeResolver();
  resolver.publish('a.example.com', mint(['a.example.com'], root));
  resolver.publish('*.dev.example', mint(['*.dev.example'], root));
  for (const name of ['A.Example.COM', 'a.example.com.', 'X.DEV.example', 'x.dev.example.'])
    assert.ok(resolver.resolve(name) !== null, name);
});

test('a name without a certificate, and what is no name at all, gets none', () => {
  const resolver = makeResolver();
  resolver.publish('*.example.com', mint(['*.example.com'], root));
  resolver.publish('localhost', mint(['localhost'], root));
  const strange = [
    'other.test',
    '',
    '.',
    '..',
    '.example.com',
    '*.example.com',
    'a..',
    '__proto__',
    'constructor',
    'localhost..',
  ];
  for (const name of [...strange, `${'a'.repeat(70_000)}.test`])
    assert.equal(resolver.resolve(name), null, name.slice(0, 50));
});

test('a withdrawn name gets no certificate any more', () => {
  const resolver = makeResolver();
  resolver.publish('a.example.com', mint(['a.example.com'], root));
  resolver.withdraw('a.example.com');
  assert.equal(resolver.resolve('a.example.com'), null);
});

test('a client without a server name is matched by the address it connected to, however that is written', () => {
  const resolver = makeResolver();
  resolver.publish('127.0.0.1', mint(['127.0.0.1'], root));
  resolver.publish('2001:db8::1', mint(['2001:db8::1'], root));
  assert.ok(resolver.resolveAddress('127.0.0.1') !== null);
  assert.ok(resolver.resolveAddress('::ffff:127.0.0.1') !== null);
  assert.ok(resolver.resolveAddress('2001:DB8:0::1') !== null);
  assert.equal(resolver.resolveAddress('127.0.0.2'), null);
  assert.equal(resolver.resolveAddress(''), null);
});

test('one context is built for a certificate, at first use, however many names and handshakes use it', () => {
  const resolver = makeResolver();
  const certificate = mint(['a.example.com', 'b.example.com'], root);
  resolver.publish('a.example.com', certificate);
  resolver.restore('b.example.com', certificate);
  assert.ok(resolver.serves('A.example.com.'));
  assert.ok(!resolver.serves('c.example.com'));
  assert.equal(resolver.built, 0);
  const context = resolver.resolve('a.example.com');
  assert.equal(resolver.resolve('a.example.com'), context);
  assert.equal(resolver.resolve('b.example.com'), context);
  assert.equal(resolver.built, 1);
});

test('the contexts of names in use are kept, others only as far as there is room', () => {
  const resolver = makeResolver({}, 3);
  const names = Array.from({ length: 10 }, (_, i) => `${i}.example.com`);
  for (const name of names) resolver.restore(name, mint([name], root));
  const busy = resolver.resolve('0.example.com');
  for (const name of names) {
    assert.ok(resolver.resolve(name) !== null, name);
    assert.equal(resolver.resolve('0.example.com'), busy, name);
  }
  assert.equal(resolver.built, 3);
  resolver.withdraw('0.example.com');
  assert.equal(resolver.built, 2);
});

/** Its key has 512 bits. */
async function weakCertificate(t: TestContext): Promise<Certificate> {
  const folder = await temporaryFolder(t);
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const request = [
    'req',
    '-x509',
    '-newkey',
    'rsa:512',
    '-nodes',
    '-subj',
    '/CN=a',
    '-addext',
    'subjectAltName=DNS:a.example.com',
  ];
  execFileSync('openssl', [...request, '-keyout', key, '-out', cert], { stdio: 'ignore' });
  return parseCertificate(readFileSync(cert, 'utf8'), readFileSync(key, 'utf8'));
}

test('a certificate that OpenSSL refuses is reported and does not replace the good one', async (t) => {
  const weak = await weakCertificate(t);
  const resolver = makeResolver();
  resolver.publish('a.example.com', mint(['a.example.com'], root));
  const good = resolver.resolve('a.example.com');
  assert.throws(() => resolver.publish('a.example.com', weak), {
    code: 'certificate_refused',
    message: /cannot serve certificate for "a\.example\.com": OpenSSL refuses it: .*key too small/,
  });
  assert.equal(resolver.resolve('a.example.com'), good);
});

test('one that was taken on trust and is refused after all serves nobody and is reported once', async (t) => {
  const { log, lines } = capturedLog();
  const resolver = new CertificateResolver({ contextOptions: {}, log });
  resolver.restore('a.example.com', await weakCertificate(t));
  for (let times = 0; times < 3; times++) assert.equal(resolver.resolve('a.example.com'), null);
  assert.equal(resolver.serves('a.example.com'), false);
  assert.deepEqual(
    lines.map(({ msg, name }) => [msg, name]),
    [['certificate refused', 'a.example.com']],
  );
  assert.match(lines[0]?.err?.message ?? '', /key too small/);
});

test('a new certificate is served to new handshakes while connections with the old one go on', async (t) => {
  const resolver = makeResolver({ minVersion: 'TLSv1.2' });
  const [old, fresh] = [mint(['a.example.com'], root), mint(['a.example.com'], root)];
  resolver.publish('a.example.com', old);
  const server = createServer(
    { SNICallback: (name, done) => done(null, resolver.resolve(name) ?? undefined) },
    (socket) => {
      socket.on('error', () => {}).pipe(socket);
    },
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const handshake = async (): Promise<[ReturnType<typeof connect>, PeerCertificate]> => {
    const socket = connect({ port, host: '127.0.0.1', servername: 'a.example.com', ca: root.certPem });
    socket.on('error', () => {});
    t.after(() => socket.destroy());
    await once(socket, 'secureConnect');
    return [socket, socket.getPeerCertificate()];
  };
  t.after(() => server.close());

  const [socket, before] = await handshake();
  resolver.publish('a.example.com', fresh);
  const [, after] = await handshake();
  assert.equal(before.fingerprint256, old.fingerprint);
  assert.equal(after.fingerprint256, fresh.fingerprint);
  socket.write('still here');
  assert.equal(String(await once(socket, 'data')), 'still here');
});
