// Perantara itself, from its sources as `npm start` runs them: `dist` holds the same statements without the types, and
// might be older than the sources.
import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { CANNED, type Contestant, type Placement } from './contestant.ts';

const REPOSITORY = resolve(import.meta.dirname, '../../..');

/** `nodeFlags`: before the program, for profiles. `logs`: whether it writes an access log. */
export async function perantaraContestant(nodeFlags: readonly string[], logs = false): Promise<Contestant> {
  const { version } = JSON.parse(await readFile(join(REPOSITORY, 'package.json'), 'utf8')) as { version: string };
  return {
    name: logs ? 'logging' : 'perantara',
    version,
    setting: `\`node src/main.ts run\` on Node ${process.versions.node}; workers: 1${logs ? '; access log as JSON in a file, with its usual fields' : ''}`,
    obstacle: () => null,
    prepare: async (placement) => {
      const file = join(placement.folder, 'perantara.yaml');
      await writeFile(file, configuration(placement, logs));
      const program = join(REPOSITORY, 'src/main.ts');
      return { command: process.execPath, args: [...nodeFlags, program, 'run', '--config', file] };
    },
  };
}

/** JSON is YAML. */
function configuration({ folder, port, upstream, upstreamPort, certFile, keyFile }: Placement, logs: boolean): string {
  const scheme = upstream === 'h2c' || upstream === 'grpc' ? 'h2c' : 'http';
  const action =
    upstream === 'none' ? { respond: { body: CANNED } } : { proxy: `${scheme}://127.0.0.1:${upstreamPort}` };
  const site = { tls: { cert: certFile, key: keyFile }, ...action };
  return JSON.stringify({
    storage: join(folder, 'certs'),
    workers: 1,
    listen: { http: 'off', https: `127.0.0.1:${port}` },
    timeouts: { keepAlive: '300s' },
    ...(logs ? { log: { access: join(folder, 'access.log') } } : {}),
    sites: { localhost: site, '127.0.0.1': site },
  });
}
