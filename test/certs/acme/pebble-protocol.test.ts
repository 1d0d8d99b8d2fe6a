// The rest of the protocol against real Pebble: bindings, profiles, chains, ARI, addresses, TLS-ALPN-01, accounts closed
// and re-keyed. One Pebble for all; it refuses half of all nonces.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { after, before, suite, type TestContext, test } from 'node:test';
import { AcmeClient } from '../../../src/certs/acme/client.ts';
import { AcmeIssuer, type AcmeIssuerOptions } from '../../../src/certs/acme/issuer.ts';
import { readDirectory } from '../../../src/certs/acme/messages.ts';
import { AcmeTransport } from '../../../src/certs/acme/transport.ts';
import { AlpnCertificates } from '../../../src/certs/challenges/alpn-certificates.ts';
import { ChallengeTokens } from '../../../src/certs/challenges/challenge-tokens.ts';
import { HttpSolver } from '../../../src/certs/challenges/http-solver.ts';
import { CertificateResolver } from '../../../src/certs/resolver.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { DeadlineSweep } from '../../../src/core/deadlines.ts';
import { secureContextOptions, TlsAcceptor } from '../../../src/server/tls-acceptor.ts';
import { capturedLog } from '../../support/captured-log.ts';
import { obtain, requestFor } from '../../support/certificate-request.ts';
import { MemoryLocker, MemoryStorage } from '../../support/memory-storage.ts';
import { needsTools } from '../../support/needs-tools.ts';
import { type Pebble, startPebble } from '../../support/pebble.ts';

const tools = await needsTools('pebble', 'pebble-challtestsrv');
const never = new AbortController().signal;
const BINDING = { keyId: 'kid-1', hmacKey: 'zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W' };

const tokens = new ChallengeTokens();
const contextOptions = secureContextOptions();
const alpn = new AlpnCertificates({ contextOptions, clock: systemClock });
let pebble: Pebble;

const responder = createHttpServer((request, response) => {
  const host = (request.headers.host ?? '').replace(/:\d+$/, '');
  const answer = tokens.answer(host, request.url?.split('/').at(-1) ?? '');
  response.writeHead(answer === null ? 404 : 200).end(answer ?? '');
});
const acceptor = new TlsAcceptor({
  contexts: new CertificateResolver({ contextOptions, log: capturedLog().log }),
  challenges: alpn,
  contextOptions,
  handshakeMs: 10_000,
  sweep: new DeadlineSweep(),
  onSecure: (socket) => socket.destroy(),
});
const listener = createServer({ allowHalfOpen: true }, (raw) =>
  acceptor.accept(raw, { address: '127.0.0.1', port: 1 }),
);

function issuerOf(t: TestContext, options: Partial<AcmeIssuerOptions> = {}) {
  const logged = capturedLog();
  const storage = new MemoryStorage();
  const issuer = new AcmeIssuer({
    directoryUrl: pebble.directoryUrl,
    email: null,
    trust: pebble.trustPem,
    binding: BINDING,
    solvers: [new HttpSolver(tokens), alpn],
    storage,
    locker: new MemoryLocker(),
    log: logged.log,
    clock: systemClock,
    userAgent: 'perantara/0.0.0-test',
    ...options,
  });
  t.after(() => issuer.close());
  return { issuer, storage, logged };
}

suite('the protocol against Pebble', tools, () => {
  before(async () => {
    responder.listen(0, '127.0.0.1');
    listener.listen(0, '127.0.0.1');
    await Promise.all([once(responder, 'listening'), once(listener, 'listening')]);
    pebble = await startPebble({
      httpPort: (responder.address() as AddressInfo).port,
      tlsPort: (listener.address() as AddressInfo).port,
      env: { PEBBLE_WFE_NONCEREJECT: '50', PEBBLE_ALTERNATE_ROOTS: '2', PEBBLE_AUTHZREUSE: '0' },
      config: {
        externalAccountBindingRequired: true,
        externalAccountMACKeys: { [BINDING.keyId]: BINDING.hmacKey },
        profiles: {
          default: { description: 'long', validityPeriod: 7_776_000 },
          shortlived: { description: 'short', validityPeriod: 518_400 },
        },
      },
    });
  });

  after(async () => {
    acceptor.destroy();
    for (const server of [responder, listener]) server.close();
    responder.closeAllConnections();
    await pebble?.stop();
  });

  test('an account without the binding that is asked for is not registered, and the error says what to set', async (t) => {
    const { issuer } = issuerOf(t, { binding: null });
    await assert.rejects(obtain(issuer, ['bound.test'], never), { code: 'binding_missing' });
  });

  test('a name is proved by TLS-ALPN-01 in the listener that serves sites', async (t) => {
    const { issuer } = issuerOf(t);
    const request = requestFor(['alpn.test'], { challenges: ['tls-alpn-01'] });
    const { certificate, challenge } = await issuer.issue(request, never);
    assert.deepEqual([challenge, certificate.names], ['tls-alpn-01', ['alpn.test']]);
    assert.equal(alpn.pending, false);
  });

  test('an address is certified, by HTTP-01 and by TLS-ALPN-01, under the short profile', async (t) => {
    const { issuer } = issuerOf(t);
    for (const type of ['http-01', 'tls-alpn-01'] as const) {
      const { certificate, profile } = await issuer.issue(requestFor(['127.0.0.1'], { challenges: [type] }), never);
      assert.deepEqual([certificate.names, profile], [['127.0.0.1'], 'shortlived']);
      assert.ok(certificate.notAfter - certificate.notBefore < 7 * 86_400_000);
    }
  });

  test('a challenge that fails is followed by another type, an RSA key and several names come through', async (t) => {
    const { issuer } = issuerOf(t, { solvers: [new HttpSolver(new ChallengeTokens()), alpn] });
    const names = ['one.test', 'two.test'];
    const request = requestFor(names, { challenges: ['http-01', 'tls-alpn-01'], keyType: 'rsa2048' });
    const { certificate, challenge } = await issuer.issue(request, never);
    assert.equal(challenge, 'tls-alpn-01');
    assert.deepEqual([...certificate.names].sort(), names);
  });

  test('another chain is served when its root is preferred', async (t) => {
    const root = new X509Certificate(await pebble.rootPem(2));
    const preferredChain = /^CN=(.*)$/m.exec(root.subject)?.[1] ?? '';
    const { certPem } = await obtain(issuerOf(t, { preferredChain }).issuer, ['chain.test'], never);
    const top = new X509Certificate(certPem.match(/-----BEGIN[\s\S]+?END CERTIFICATE-----/g)!.at(-1)!);
    assert.ok(top.checkIssued(root) && top.verify(root.publicKey));
  });

  test('the suggested window is read, also when it was set to the past, and nonsense is refused', async (t) => {
    const { issuer } = issuerOf(t);
    const certificate = await obtain(issuer, ['ari.test'], never);
    const usual = await issuer.renewalInfo(certificate, never);
    assert.ok(usual !== null && usual.start > certificate.notBefore && usual.end < certificate.notAfter);
    const set = (answer: string): Promise<string> =>
      pebble.manage('/set-renewal-info/', JSON.stringify({ certificate: certificate.certPem, ariResponse: answer }));
    await set('{"suggestedWindow":{"start":"2020-01-01T00:00:00Z","end":"2020-01-02T00:00:00Z"}}');
    assert.equal((await issuer.renewalInfo(certificate, never))?.end, Date.UTC(2020, 0, 2));
    for (const nonsense of ['{"suggestedWindow":{"start":"whenever"}}', '{"suggested', '[]']) {
      await set(nonsense);
      await assert.rejects(issuer.renewalInfo(certificate, never), { source: 'issuer' });
    }
  });

  test('a certificate that was replaced already is followed by an order that does not say so', async (t) => {
    const { issuer, logged } = issuerOf(t);
    const replaces = await obtain(issuer, ['follow.test'], never);
    for (let turn = 0; turn < 2; turn++) {
      const { settle } = await issuer.issue(requestFor(['follow.test'], { replaces }), never);
      await settle?.();
    }
    const repeated = logged.lines.filter(({ msg }) => msg === 'order repeated without what it replaces');
    assert.equal(repeated.length, 1);
  });

  test('a certificate is revoked, and revoking it again is no error', async (t) => {
    const { issuer } = issuerOf(t);
    const certificate = await obtain(issuer, ['revoked.test'], never);
    await issuer.revoke(certificate, 'superseded', never);
    await issuer.revoke(certificate, 'superseded', never);
    const status = await pebble.manage(`/cert-status-by-serial/${certificate.serial.toLowerCase()}`);
    assert.match(status, /Revoked/);
    const compromised = await obtain(issuer, ['compromised.test'], never);
    await issuer.revoke(compromised, 'keyCompromise', never);
  });

  test('the account gets another key and goes on', async (t) => {
    const { issuer, storage } = issuerOf(t);
    await obtain(issuer, ['before.test'], never);
    const old = await storage.load(`accounts/${issuer.id}/key.pem`);
    await issuer.rollOver(never);
    assert.notEqual(await storage.load(`accounts/${issuer.id}/key.pem`), old);
    await obtain(issuer, ['after.test'], never);
  });

  test('an account that was deactivated is replaced', async (t) => {
    const { issuer, storage } = issuerOf(t);
    await obtain(issuer, ['closing.test'], never);
    const record = JSON.parse((await storage.load(`accounts/${issuer.id}/account.json`))!) as { url: string };
    const accountKey = (await storage.load(`accounts/${issuer.id}/key.pem`))!;
    await deactivate(record.url, accountKey);
    await obtain(issuer, ['reopened.test'], never);
    assert.equal(await storage.load(`accounts/${issuer.id}/key.pem.1`), accountKey);
  });

  test('an order whose address was never learned is found in the account’s list', async (t) => {
    const { issuer, storage } = issuerOf(t);
    await obtain(issuer, ['other.test'], never);
    const abort = new AbortController();
    const store = storage.store.bind(storage);
    storage.store = async (key, value) => {
      const isLearned = key.startsWith('orders/') && (JSON.parse(value) as { order: string | null }).order !== null;
      if (!isLearned) return store(key, value);
      abort.abort(new Error('killed'));
      throw new Error('killed');
    };
    await assert.rejects(issuer.issue(requestFor(['found.test']), abort.signal), /killed/);
    const { issuer: again, logged } = issuerOf(t, { storage: new MemoryStorage(storage.values) });
    await again.issue(requestFor(['found.test']), never);
    assert.ok(logged.messages().includes('order resumed'));
  });
});

/** RFC 8555 section 7.3.6, which the product never does. */
async function deactivate(accountUrl: string, accountKey: string): Promise<void> {
  const { directoryUrl, trustPem: trust } = pebble;
  const transport = new AcmeTransport({ trust, userAgent: 'test', clock: systemClock, timeoutMs: 10_000 });
  const { data } = await transport.request(directoryUrl, {
    method: 'GET',
    body: null,
    idempotent: true,
    signal: never,
  });
  const directory = readDirectory(data);
  const options = { directoryUrl, directory, accountKey, accountUrl, binding: null, transport, signal: never };
  const client = await AcmeClient.open(options);
  await client.deactivateAccount();
  transport.close();
}
