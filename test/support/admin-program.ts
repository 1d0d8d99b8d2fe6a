// A process with nothing but an admin endpoint, for CONFIG (an AdminConfig as JSON) or for a configuration FILE that it loads
// again when told to. Says on standard output where it is open, on standard error what it logs; SIGTERM ends it in good order.
import { AdminEndpoint } from '../../src/admin/admin-endpoint.ts';
import type { AdminConfig } from '../../src/config/config.ts';
import { createLogger } from '../../src/core/log.ts';
import { fakeAdminServices } from './fake-admin-services.ts';
import { servicesOfFile } from './file-admin-services.ts';

const argument = process.argv[2]!;
const log = createLogger({ level: 'debug', pretty: false });
const { services, admin } = argument.startsWith('{')
  ? { services: { ...fakeAdminServices(), log }, admin: JSON.parse(argument) as AdminConfig }
  : servicesOfFile(argument, log);
const endpoint = new AdminEndpoint(admin, services, { lookMs: 50 });
const alive = setInterval(() => {}, 60_000);
process.on('SIGTERM', () => {
  clearInterval(alive);
  void endpoint.close();
});
await endpoint.start();
process.stdout.write(`open at ${endpoint.place}\n`);
