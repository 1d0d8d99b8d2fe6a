// One life of the certificate automation in this process, as a server has it: started on a storage folder, asked what it
// serves by real handshakes, closed.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:tls';
import { CertificateAutomation } from '../../src/certs/automation.ts';
import type { CertificateManager } from '../../src/certs/manager.ts';
import type { CertificateResolver } from '../../src/certs/resolver.ts';
import type { Locker, Storage } from '../../src/certs/storage/storage.ts';
import type { Config } from '../../src/config/config.ts';
import { loadConfigValue } from '../../src/config/load.ts';
import { type Clock, systemClock } from '../../src/core/clock.ts';
import { type CapturedLog, capturedLog } from './captured-log.ts';
import type { FakeAcme } from './fake-acme.ts';

export interface LifeOptions {
  readonly storage?: Storage;
  readonly locker?: Locker;
  readonly clock?: Clock;
}

export interface Life {
  readonly manager: CertificateManager;
  readonly resolver: CertificateResolver;
  readonly logged: CapturedLog;
}

/** What a config file says to have `names` certified by the CA. `trustFile`: path of the CA's PEM. */
export function configOf(
  ca: FakeAcme,
  storage: string,
  trustFile: string,
  names: readonly string[],
): Readonly<Record<string, unknown>> {
  return {
    storage,
    acme: { directory: ca.directoryUrl, trust: trustFile },
    sites: Object.fromEntries(names.map((name) => [name, 'http://127.0.0.1:1'])),
  };
}

/** Not started. */
export function newLife(value: object, { clock = systemClock, ...services }: LifeOptions = {}): Life {
  const loaded = loadConfigValue(value, { folder: '/', places: { values: {}, keys: {} }, now: clock.now() });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  const logged = capturedLog();
  const config: Config = loaded.config;
  const life = new CertificateAutomation(config, { log: logged.log, clock, contextOptions: {}, ...services });
  return { manager: life.manager, resolver: life.resolver, logged };
}

/** Fingerprint of what this life serves; see `servedAt`. */
export async function handshake({ resolver }: Pick<Life, 'resolver'>, name: string, ca: FakeAcme): Promise<string> {
  const server = createServer({ SNICallback: (host, done) => done(null, resolver.resolve(host) ?? undefined) });
  server.on('tlsClientError', () => {});
  await once(server.listen(0, '127.0.0.1'), 'listening');
  try {
    return await servedAt((server.address() as AddressInfo).port, name, ca);
  } finally {
    server.close();
  }
}

/** Fingerprint of the certificate that a client gets who trusts the CA alone. Rejects when there is none, or none that it takes. */
export async function servedAt(port: number, name: string, ca: FakeAcme): Promise<string> {
  const client = connect({ port, host: '127.0.0.1', servername: name, ca: ca.authority.certPem });
  try {
    await once(client, 'secureConnect');
    return client.getPeerX509Certificate()!.fingerprint256;
  } finally {
    client.destroy();
  }
}
