// A process with nothing but an admin endpoint, for CONFIG (an AdminConfig as JSON) or for a configuration FILE that it loads
// again when told to. Says on standard output where it is open, on standard error what it logs; SIGTERM ends it in good order.
import { resolve } from 'node:path';
import { AdminEndpoint } from '../../src/admin/admin-endpoint.ts';
import type { AdminServices } from '../../src/admin/admin-services.ts';
import type { AdminConfig, Config } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load.ts';
import { createLogger } from '../../src/core/log.ts';
import { fakeAdminServices } from './fake-admin-services.ts';

const argument = process.argv[2]!;
const log = createLogger({ level: 'debug', pretty: false });
const fake = fakeAdminServices();

function load(): ReturnType<typeof loadConfig> {
  return loadConfig(argument, { env: process.env, now: Date.now() });
}

function forFile(): { readonly services: AdminServices; readonly admin: AdminConfig | null } {
  const first = load();
  if (!first.ok) throw new Error('the file cannot be used');
  let inForce: Config = first.config;
  const path = resolve(argument);
  const now = Date.now();
  let generation = 1;
  const services: AdminServices = {
    ...fake,
    log,
    clock: { now: () => Date.now() },
    startedAt: now,
    config: () => inForce,
    serving: () => ({ ...fake.state, config: { file: argument, path, generation, loadedAt: now } }),
    reload: async () => {
      const next = load();
      if (!next.ok) return { accepted: false, problems: next.problems, message: 'cannot use the new configuration' };
      if (next.config.sites.some(({ host }) => host === 'unopened.example'))
        return { accepted: false, problems: [], message: 'cannot listen on ":443": the port is in use' };
      if (next.config.sites.some(({ host }) => host === 'faulty.example')) throw new TypeError('boom');
      const hosts = (config: Config): string[] => config.sites.map(({ host }) => host);
      const before = hosts(inForce);
      inForce = next.config;
      generation++;
      return {
        accepted: true,
        generation,
        changes: {
          sitesAdded: hosts(inForce).filter((host) => !before.includes(host)),
          sitesRemoved: before.filter((host) => !hosts(inForce).includes(host)),
          sitesChanged: [],
          listenersOpened: [],
          listenersClosed: [],
        },
        warnings: next.warnings,
      };
    },
  };
  return { services, admin: inForce.admin };
}

const { services, admin } = argument.startsWith('{')
  ? { services: { ...fake, log }, admin: JSON.parse(argument) as AdminConfig }
  : forFile();
const endpoint = new AdminEndpoint(admin, services, { lookMs: 50 });
const alive = setInterval(() => {}, 60_000);
process.on('SIGTERM', () => {
  clearInterval(alive);
  void endpoint.close();
});
await endpoint.start();
process.stdout.write(`open at ${endpoint.place}\n`);
