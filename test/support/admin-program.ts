// A process with nothing but an admin endpoint: CONFIG (an AdminConfig as JSON). Says on standard output where it is open, and
// what it logs on standard error; SIGTERM ends it in good order.
import { AdminEndpoint } from '../../src/admin/admin-endpoint.ts';
import type { AdminConfig } from '../../src/config/config.ts';
import { createLogger } from '../../src/core/log.ts';
import { fakeAdminServices } from './fake-admin-services.ts';

const config = JSON.parse(process.argv[2]!) as AdminConfig;
const services = { ...fakeAdminServices(), log: createLogger({ level: 'debug', pretty: false }) };
const endpoint = new AdminEndpoint(config, services, { lookMs: 50 });
const alive = setInterval(() => {}, 60_000);
process.on('SIGTERM', () => {
  clearInterval(alive);
  void endpoint.close();
});
await endpoint.start();
process.stdout.write(`open at ${endpoint.place}\n`);
