// Perantara itself, from its sources as `npm start` runs them: `dist` holds the same statements without the types, and
// might be older than the sources. And variants of it, which race against the plain one only.
import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { CANNED, type Contestant, type Placement } from './contestant.ts';

const REPOSITORY = resolve(import.meta.dirname, '../../..');
const RELOAD_EVERY_MS = 200;

export const VARIANT_NAMES = ['logging', 'workers', 'reloading', 'unwatched'] as const;
export type VariantName = (typeof VARIANT_NAMES)[number];

interface Variant {
  /** Of `perantara`, in a table. */
  readonly title: string;
  readonly setting: string;
  readonly config?: (folder: string) => Readonly<Record<string, unknown>>;
  /** Default 1. */
  readonly cores?: number;
  readonly reloads?: boolean;
}

export const VARIANTS: Readonly<Record<VariantName, Variant>> = {
  logging: {
    title: 'with access log',
    setting: 'access log as JSON in a file, with its usual fields',
    config: (folder) => ({ log: { access: join(folder, 'access.log') } }),
  },
  workers: {
    title: 'with two workers, on both cores',
    setting: 'workers: 2, on both cores, the second of which is that of load and origin',
    config: () => ({ workers: 2 }),
    cores: 2,
  },
  reloading: {
    title: 'reloading five times a second',
    setting: 'SIGHUP five times a second, with a file that has another site each time',
    reloads: true,
  },
  unwatched: {
    title: 'without admin endpoint',
    setting: 'admin: off, so that nothing is counted for metrics',
    config: () => ({ admin: 'off' }),
  },
};

export function isVariant(name: string): name is VariantName {
  return VARIANT_NAMES.some((variant) => variant === name);
}

/** `nodeFlags`: before the program, for profiles. */
export async function perantaraContestant(
  nodeFlags: readonly string[],
  variantName: VariantName | null = null,
): Promise<Contestant> {
  const { version } = JSON.parse(await readFile(join(REPOSITORY, 'package.json'), 'utf8')) as { version: string };
  const variant = variantName === null ? null : VARIANTS[variantName];
  const run = `\`node src/main.ts run\` on Node ${process.versions.node}`;
  return {
    name: variantName ?? 'perantara',
    version,
    setting: variant === null ? `${run}; workers: 1` : `as perantara; ${variant.setting}`,
    cores: variant?.cores ?? 1,
    obstacle: () => null,
    prepare: async (placement) => {
      const file = join(placement.folder, 'perantara.yaml');
      const write = (round: number) => writeFile(file, configuration(placement, variant, round));
      await write(0);
      const program = join(REPOSITORY, 'src/main.ts');
      const launch = { command: process.execPath, args: [...nodeFlags, program, 'run', '--config', file] };
      return variant?.reloads ? { ...launch, whileLoaded: (pid) => reloadAgainAndAgain(pid, write) } : launch;
    },
  };
}

/** Until the function returned is called. */
function reloadAgainAndAgain(pid: number, write: (round: number) => Promise<void>): () => void {
  let round = 0;
  const timer = setInterval(() => {
    void write(++round).then(() => process.kill(pid, 'SIGHUP'));
  }, RELOAD_EVERY_MS);
  return () => clearInterval(timer);
}

/** JSON is YAML. `round`: each has a site that no other has. */
function configuration(placement: Placement, variant: Variant | null, round: number): string {
  const { folder, port, upstream, upstreamPort, certFile, keyFile } = placement;
  const scheme = upstream === 'h2c' || upstream === 'grpc' ? 'h2c' : 'http';
  const action =
    upstream === 'none' ? { respond: { body: CANNED } } : { proxy: `${scheme}://127.0.0.1:${upstreamPort}` };
  const site = { tls: { cert: certFile, key: keyFile }, ...action };
  const rounds = variant?.reloads ? { [`round-${round}.localhost`]: { tls: 'local', respond: { body: 'x' } } } : {};
  return JSON.stringify({
    storage: join(folder, 'certs'),
    workers: 1,
    listen: { http: 'off', https: `127.0.0.1:${port}` },
    timeouts: { keepAlive: '300s' },
    ...variant?.config?.(folder),
    sites: { localhost: site, '127.0.0.1': site, ...rounds },
  });
}
