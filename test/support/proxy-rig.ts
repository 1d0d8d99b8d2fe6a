// A whole Perantara in this process for tests of the data plane: local certificates, port 0. See chain.ts for both ends.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as tlsConnect } from 'node:tls';
import type { Config } from '../../src/config/config.ts';
import { loadConfigValue } from '../../src/config/load.ts';
import { systemClock } from '../../src/core/clock.ts';
import { createLogger } from '../../src/core/log.ts';
import type { CreateCrew } from '../../src/server/crew.ts';
import type { ReloadResult } from '../../src/server/reload-result.ts';
import { Server } from '../../src/server/server.ts';
import { processCrew } from './process-crew.ts';

export interface ProxyRig {
  readonly httpPort: number;
  readonly httpsPort: number;
  readonly server: Server;
  /** Everything logged, one JSON line each. */
  readonly logged: readonly string[];
  /** Puts another config in force, written as the first. */
  reload(value: Readonly<Record<string, unknown>>): Promise<ReloadResult>;
  stop(): Promise<void>;
}

/** Workers in processes of their own, for tests that do not say whether there are any: `WORKERS=2 node --test …`. */
const WORKERS = Number(process.env.WORKERS ?? 1);

/**
 * `value`: a config as the file has it, without `listen` and `storage`; sites should use local names. `createCrew`: who answers
 * requests; default one worker in this process.
 */
export async function startProxy(
  value: Readonly<Record<string, unknown>>,
  createCrew: CreateCrew | null = WORKERS > 1 ? processCrew({ workers: WORKERS }) : null,
): Promise<ProxyRig> {
  const folder = await mkdtemp(join(tmpdir(), 'perantara-rig-'));
  const logged: string[] = [];
  const load = (given: Readonly<Record<string, unknown>>): Config => {
    const result = loadConfigValue(
      { storage: 'storage', listen: { http: '127.0.0.1:0', https: '127.0.0.1:0' }, ...given },
      { folder, places: { values: {}, keys: {} }, now: systemClock.now() },
    );
    if (!result.ok) throw new Error(JSON.stringify(result.problems));
    return result.config;
  };
  const config = load(value);
  const log = createLogger({ level: 'debug', pretty: false, write: (line) => void logged.push(line) });
  const server = new Server(config, { log, clock: systemClock, ...(createCrew === null ? {} : { createCrew }) });
  await server.start();
  const { http, https } = server.addresses;
  for (const { host } of config.sites) {
    if (!host.startsWith('*.')) await certificateReady(https[0]!.port, host);
  }
  return {
    httpPort: http[0]?.port ?? 0,
    httpsPort: https[0]!.port,
    server,
    logged,
    reload: (other) => server.reload(load(other)),
    stop: async () => {
      server.destroy();
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Local certificates are minted within the first moments; handshakes are refused until then. */
export async function certificateReady(port: number, host: string): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const isReady = await new Promise<boolean>((resolve) => {
      const socket = tlsConnect({ port, host: '127.0.0.1', servername: host, rejectUnauthorized: false });
      socket.once('secureConnect', () => resolve(true)).once('error', () => resolve(false));
      socket.once('secureConnect', () => socket.end());
    });
    if (isReady) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`no certificate for ${host}`);
}
