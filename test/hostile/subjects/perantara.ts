// Perantara in the comparison, as a child like the others.
import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Setting } from '../hostile-case.ts';
import { type Contender, type Site, TIMEOUT_SECONDS } from './contender.ts';

const REPOSITORY = resolve(import.meta.dirname, '../../..');

export async function perantaraContender(): Promise<Contender> {
  const { version } = JSON.parse(await readFile(join(REPOSITORY, 'package.json'), 'utf8')) as { version: string };
  return {
    name: 'perantara',
    version,
    isOurs: true,
    noHttp2: null,
    setting: `\`node src/main.ts run\` on Node ${process.versions.node}`,
    prepare: async (site, setting) => {
      const file = join(site.folder, 'perantara.yaml');
      await writeFile(file, configuration(site, setting));
      return { command: process.execPath, args: [join(REPOSITORY, 'src/main.ts'), 'run', '--config', file] };
    },
  };
}

/** JSON is YAML. */
function configuration(site: Site, setting: Setting): string {
  const { folder, port, redirectPort, publicPort, guardedPort, certFile, keyFile } = site;
  const phases = ['handshake', 'head', 'bodyIdle', 'keepAlive', 'connect', 'responseHead', 'tunnelIdle'];
  return JSON.stringify({
    storage: join(folder, 'certs'),
    listen: { http: `127.0.0.1:${redirectPort}`, https: `127.0.0.1:${port}` },
    timeouts: Object.fromEntries(phases.map((phase) => [phase, `${TIMEOUT_SECONDS}s`])),
    trustedProxies: setting === 'trusting' ? ['127.0.0.0/8', '10.0.0.0/8'] : [],
    sites: {
      'app.localhost': {
        tls: { cert: certFile, key: keyFile },
        routes: { '/admin/*': `http://127.0.0.1:${guardedPort}`, '/*': `http://127.0.0.1:${publicPort}` },
      },
    },
  });
}
