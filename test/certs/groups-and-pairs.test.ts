import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { type Certificate, parseCertificate } from '../../src/certs/certificate.ts';
import { mintCertificate } from '../../src/certs/mint.ts';
import { CertificateResolver } from '../../src/certs/resolver.ts';
import { capturedLog } from '../support/captured-log.ts';
import { mockTimers, settled, World } from '../support/certificate-world.ts';
import { makeAuthority, mint } from '../support/minted.ts';

const root = makeAuthority();

function mintRsa(names: readonly string[]): Certificate {
  const keyPem = generateKeyPairSync('rsa', { modulusLength: 2048 })
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString();
  const now = Date.now();
  const template = { subject: names[0]!, names, authority: false, notBefore: now - 1_000, notAfter: now + 86_400_000 };
  const signer = { subject: root.subject, key: createPrivateKey(root.keyPem) };
  return parseCertificate(mintCertificate(template, createPublicKey(keyPem), signer), keyPem);
}

/** Which key the server shows to a client that takes these signatures alone. */
async function serving(t: TestContext, resolver: CertificateResolver) {
  const server = createServer({
    SNICallback(this: TLSSocket, name, done) {
      done(null, resolver.resolve(name, this) ?? undefined);
    },
  });
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return async (servername: string, sigalgs: string): Promise<string | undefined> => {
    const socket = connect({
      port,
      host: '127.0.0.1',
      servername,
      sigalgs,
      rejectUnauthorized: false,
    });
    try {
      await once(socket, 'secureConnect');
      return socket.getPeerX509Certificate()?.publicKey.asymmetricKeyType;
    } finally {
      socket.destroy();
    }
  };
}

const ECDSA = 'ECDSA+SHA256';
const RSA = 'RSA-PSS+SHA256';

test('of a pair, each client gets the certificate that it can use, by one context each for all names of a group', async (t) => {
  const resolver = new CertificateResolver({ contextOptions: {}, log: capturedLog().log });
  const names = ['a.example', 'b.example'];
  const [main, second] = [mint(names, root), mintRsa(names)];
  for (const name of names) {
    resolver.publish(name, second, 1);
    resolver.publish(name, main, 0);
  }
  const keyFor = await serving(t, resolver);
  assert.deepEqual([await keyFor('a.example', ECDSA), await keyFor('a.example', RSA)], ['ec', 'rsa']);
  assert.deepEqual([await keyFor('b.example', ECDSA), await keyFor('b.example', RSA)], ['ec', 'rsa']);
  assert.equal(resolver.built, 2);
  assert.equal(await keyFor('a.example', `${RSA}:${ECDSA}`), 'ec');

  resolver.withdraw('a.example', 0);
  resolver.withdraw('b.example', 0);
  assert.equal(await keyFor('a.example', RSA), 'rsa');
  await assert.rejects(keyFor('a.example', ECDSA));
  resolver.withdraw('a.example', 1);
  assert.equal(resolver.resolve('a.example'), null);
});

test('a second certificate that OpenSSL refuses leaves the main one in place', async (t) => {
  const { log, messages } = capturedLog();
  const resolver = new CertificateResolver({ contextOptions: {}, log });
  const main = mint(['a.example'], root);
  resolver.publish('a.example', main);
  resolver.restore('a.example', { certPem: 'damaged', keyPem: mintRsa(['a.example']).keyPem }, 1);
  const keyFor = await serving(t, resolver);
  assert.equal(await keyFor('a.example', `${ECDSA}:${RSA}`), 'ec');
  await assert.rejects(keyFor('a.example', RSA));
  assert.deepEqual(messages(), ['certificate refused']);
});

test('a site with two key types has two certificates in two folders, each obtained and published on its own', async (t) => {
  mockTimers(t);
  const world = new World();
  world.issuer.issueOne = async (_name, _signal, { names, keyType }) =>
    keyType === 'rsa2048' ? mintRsa(names) : mint(names, root);
  const issuers = [world.authority()];
  const manager = world.managerOf([
    world.wish('a.example', issuers),
    world.wish('a.example_rsa2048', issuers, { names: ['a.example'], keyType: 'rsa2048', part: 1 }),
  ]);
  await manager.start();
  await world.publisher.times(2);
  await settled();
  await manager.close();
  assert.deepEqual(world.publisher.names(), ['a.example', 'a.example']);
  assert.notEqual(await world.store().read('fake', 'a.example_rsa2048'), null);
  assert.deepEqual(
    world.issuer.requests.map(({ keyType }) => keyType),
    ['p256', 'rsa2048'],
  );
});

test('a certificate with another key than was wished for is not taken', async (t) => {
  mockTimers(t);
  const world = new World();
  const manager = world.managerOf([world.wish('a.example', [world.authority()], { keyType: 'p384' })]);
  await manager.start();
  await settled();
  await manager.close();
  assert.match((await world.state('a.example')).lastError?.message ?? '', /its key is of type p256, not p384$/);
  assert.deepEqual(world.publisher.names(), []);
});

test('a group’s certificate is served for all its names; when a name joins, the old one serves the others until then', async (t) => {
  mockTimers(t);
  const world = new World();
  world.issuer.issueOne = async (_name, _signal, { names }) => mint(names, root);
  const issuers = [world.authority()];
  const group = (names: readonly string[]) => world.managerOf([world.wish('_group.shop', issuers, { names })]);
  const first = group(['a.example', 'b.example']);
  await first.start();
  await world.publisher.times(2);
  await settled();
  await first.close();
  world.now += 3_600_000;
  world.issuer.issueOne = () => new Promise(() => {});
  const second = group(['a.example', 'b.example', 'c.example']);
  await second.start();
  await world.issuer.askedTimes(2);
  second.destroy();
  assert.deepEqual(world.publisher.names(), ['a.example', 'b.example', 'a.example', 'b.example']);
  assert.deepEqual(world.issuer.requests[1]?.names, ['a.example', 'b.example', 'c.example']);
});

test('a profile that the CA does not offer does not make the certificate due again', async (t) => {
  mockTimers(t);
  const world = new World();
  const profile = { name: 'shortlived', required: false };
  const wish = world.wish('a.example', [], { issuers: [{ authority: world.authority(), profile }] });
  const manager = world.managerOf([wish]);
  await manager.start();
  await world.publisher.times(1);
  await settled();
  await world.passHours(48);
  await manager.close();
  assert.equal(world.issuer.asked.length, 1);
  assert.deepEqual((await world.state('a.example')).issued, {
    profile: null,
    wishedProfile: 'shortlived',
    challenge: null,
  });
});
