// Perantara itself, from its sources as `npm start` runs them: `dist` holds the same statements without the types, and
// might be older than the sources.
import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Contestant, Placement } from './contestant.ts';

const REPOSITORY = resolve(import.meta.dirname, '../../..');

/** `nodeFlags`: before the program, for profiles. */
export async function perantaraContestant(nodeFlags: readonly string[]): Promise<Contestant> {
  const { version } = JSON.parse(await readFile(join(REPOSITORY, 'package.json'), 'utf8')) as { version: string };
  return {
    name: 'perantara',
    version,
    setting: `\`node src/main.ts run\` on Node ${process.versions.node}; workers: 1`,
    prepare: async (placement) => {
      const file = join(placement.folder, 'perantara.yaml');
      await writeFile(file, configuration(placement));
      const program = join(REPOSITORY, 'src/main.ts');
      return { command: process.execPath, args: [...nodeFlags, program, 'run', '--config', file] };
    },
  };
}

/** JSON is YAML. */
function configuration({ folder, port, upstreamPort, certFile, keyFile }: Placement): string {
  const site = { tls: { cert: certFile, key: keyFile }, proxy: `http://127.0.0.1:${upstreamPort}` };
  return JSON.stringify({
    storage: join(folder, 'certs'),
    workers: 1,
    listen: { http: 'off', https: `127.0.0.1:${port}` },
    timeouts: { keepAlive: '300s' },
    sites: { localhost: site, '127.0.0.1': site },
  });
}
