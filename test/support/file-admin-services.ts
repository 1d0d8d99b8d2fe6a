// What the admin endpoint asks of a process that serves a configuration file, without the serving: reloads are real as far as
// the file goes.
import { resolve } from 'node:path';
import type { AdminServices } from '../../src/admin/admin-services.ts';
import type { AdminConfig, Config } from '../../src/config/config.ts';
import { type LoadResult, loadConfig } from '../../src/config/load.ts';
import type { Logger } from '../../src/core/log.ts';
import { fakeAdminServices } from './fake-admin-services.ts';

export interface FileAdmin {
  readonly services: AdminServices;
  readonly admin: AdminConfig | null;
}

/** `file`: relative to the working folder at each reload. Sites named unopened.example and faulty.example are trouble. */
export function servicesOfFile(file: string, log: Logger): FileAdmin {
  const fake = fakeAdminServices();
  const load = (): LoadResult => loadConfig(file, { env: process.env, now: Date.now() });
  const first = load();
  if (!first.ok) throw new Error('the file cannot be used');
  let inForce: Config = first.config;
  const path = resolve(file);
  const now = Date.now();
  let generation = 1;
  const services: AdminServices = {
    ...fake,
    log,
    clock: { now: () => Date.now() },
    startedAt: now,
    config: () => inForce,
    serving: () => ({ ...fake.state, config: { file: file, path, generation, loadedAt: now } }),
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
