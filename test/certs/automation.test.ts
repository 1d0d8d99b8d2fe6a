import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect, createServer } from 'node:tls';
import { CertificateAutomation } from '../../src/certs/automation.ts';
import { formatBundle } from '../../src/certs/certificate.ts';
import { certificateEvent } from '../../src/certs/events/certificate-event.ts';
import type { Config } from '../../src/config/config.ts';
import { systemClock } from '../../src/core/clock.ts';
import { capturedLog } from '../support/captured-log.ts';
import { Changes } from '../support/fake-issuer.ts';
import { MemoryLocker, MemoryStorage } from '../support/memory-storage.ts';
import { makeAuthority, mint } from '../support/minted.ts';
import { retry } from '../support/retry.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

test('one config leads to local and supplied certificates in handshakes, and to refusal for other names', async (t) => {
  const authority = makeAuthority();
  const { certPem, keyPem } = mint(['shop.example'], authority);
  const storage = await temporaryFolder(t);
  const bundle = join(storage, 'shop.pem');
  const files = { form: 'pem', cert: bundle, key: bundle };
  const supplied = { kind: 'supplied', files, certPem, keyPem };
  const config = {
    acme: [{ directory: 'https://localhost:1/dir', email: null, trust: null }],
    dns: null,
    onDemand: null,
    onEvent: null,
    listen: { http: [], https: [], redirectPort: null },
    storage,
    sites: [
      { host: '*.dev.localhost', tls: { kind: 'local' } },
      { host: 'shop.example', tls: supplied },
    ],
  } as unknown as Config;
  const { log } = capturedLog();
  const contextOptions = { minVersion: 'TLSv1.3', sessionIdContext: 'perantara' } as const;
  const automation = new CertificateAutomation(config, { log, clock: systemClock, contextOptions });
  const { manager, resolver } = automation;
  await manager.start();
  t.after(() => manager.close());
  await retry(async () => assert.ok(resolver.resolve('a.dev.localhost')), { deadlineMs: 10_000 });

  const server = createServer({ SNICallback: (name, done) => done(null, resolver.resolve(name) ?? undefined) });
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const namesFor = async (servername: string): Promise<string | undefined> => {
    const socket = connect({ port, host: '127.0.0.1', servername, rejectUnauthorized: false });
    try {
      await once(socket, 'secureConnect');
      return socket.getPeerX509Certificate()?.subjectAltName;
    } finally {
      socket.destroy();
    }
  };
  assert.equal(await namesFor('a.dev.localhost'), 'DNS:*.dev.localhost');
  assert.equal(await namesFor('shop.example'), 'DNS:shop.example');
  await assert.rejects(namesFor('other.example'), /alert/);
  const notAfter = Date.now() - (Date.now() % 1_000) + 5 * 86_400_000;
  const next = mint(['shop.example', 'new.example'], authority, { notBefore: Date.now() - 1_000, notAfter });
  writeFileSync(bundle, formatBundle(next));
  await automation.supplied.start();
  t.after(() => automation.supplied.close());
  await automation.supplied.look();
  assert.equal(await namesFor('shop.example'), 'DNS:shop.example, DNS:new.example');
  assert.match(automation.localRootPath, /local-ca.root\.pem$/);
  assert.deepEqual(
    [...automation.statuses()].map(({ name, source, state }) => [name, source, state]),
    [
      ['*.dev.localhost', 'local', 'valid'],
      ['shop.example', 'supplied', 'valid'],
    ],
  );
  assert.equal([...automation.statuses()][1]!.notAfter, notAfter, 'that of the file as it is now');
});

test('a supplied file whose key is compromised by now is not served when it changes; nobody listens for TLS where it is off', async (t) => {
  const storage = await temporaryFolder(t);
  const authority = makeAuthority();
  const [good, bad] = [mint(['shop.example'], authority), mint(['shop.example'], authority)];
  const bundle = join(storage, 'shop.pem');
  writeFileSync(bundle, formatBundle(good));
  const files = { form: 'pem', cert: bundle, key: bundle };
  const tls = { kind: 'supplied', files, certPem: good.certPem, keyPem: good.keyPem };
  const listen = { http: [], https: [], redirectPort: null };
  const sites = [{ host: 'shop.example', tls }];
  const config = { acme: [], dns: null, onDemand: null, onEvent: null, listen, storage, sites } as unknown as Config;
  const { log, lines } = capturedLog();
  const automation = new CertificateAutomation(config, { log, clock: systemClock, contextOptions: {} });
  const { manager, resolver, supplied, services, alpnChallenges } = automation;
  await manager.load();
  t.after(() => Promise.all([manager.close(), supplied.close()]));
  assert.match(alpnChallenges.unfit('a.example', false) ?? '', /nobody listens for TLS/);
  const served = resolver.resolve('shop.example');
  assert.ok(served);

  await services.compromised.mark(bad, systemClock.now(), 'test');
  await supplied.start();
  await supplied.look();
  writeFileSync(bundle, formatBundle(bad));
  await supplied.look();
  assert.equal(resolver.resolve('shop.example'), served);
  assert.match(String(lines.find(({ level }) => level === 'error')?.reason), /the key is compromised .*make a new key/);
});

test('events that another hook has taken the place of are still handed to the one they were told to', async (t) => {
  const held: (() => void)[] = [];
  const arrived = { old: 0, new: 0 };
  const changes = new Changes();
  const server = createHttpServer((request, response) => {
    arrived[request.url === '/old' ? 'old' : 'new']++;
    held.push(() => void response.end());
    changes.tell();
  }).listen(0, '127.0.0.1');
  t.after(() => server.closeAllConnections() ?? server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const hook = (path: string) => ({ kind: 'webhook', url: `http://127.0.0.1:${port}${path}` });
  const configWith = (onEvent: unknown): Config =>
    ({
      acme: [],
      dns: null,
      onDemand: null,
      onEvent,
      listen: { http: [], https: [], redirectPort: null },
      sites: [],
    }) as unknown as Config;
  const { log } = capturedLog();
  const storage = new MemoryStorage();
  const options = { log, clock: systemClock, contextOptions: {}, storage, locker: new MemoryLocker(new Map()) };
  const automation = new CertificateAutomation(configWith(hook('/old')), options);
  t.after(() => automation.close());
  const event = certificateEvent('certificate_orphaned', { now: 0, name: 'a.example', names: [], issuer: 'x' });
  for (let i = 0; i < 6; i++) automation.services.tell(event);
  while (arrived.old < 4) await changes.next();
  await automation.adopt(configWith(hook('/new')));
  automation.services.tell(event);
  while (arrived.old < 6 || arrived.new < 1) {
    for (const answer of held.splice(0)) answer();
    await changes.next();
  }
  for (const answer of held.splice(0)) answer();
  assert.deepEqual(arrived, { old: 6, new: 1 });
});
