// `perantara proxy`: one site from flags, through the same schema and checks as a file.
import { loadConfigValue } from '../config/load.ts';
import { usable } from './config-file.ts';
import type { FlagSpecs, Flags } from './flags.ts';
import { LOG_FLAGS, LOG_HELP, loggerFor } from './log-flags.ts';
import { serveConfig } from './serve-config.ts';
import { UsageError, type Verb } from './verb.ts';

const FLAGS: FlagSpecs = {
  from: { value: 'HOST' },
  to: { value: 'TARGET' },
  http: { value: ':8080' },
  https: { value: ':8443' },
  storage: { value: 'DIR' },
  email: { value: 'ADDRESS' },
  'acme-directory': { value: 'URL' },
  'acme-trust': { value: 'FILE' },
  ...LOG_FLAGS,
};

export const proxyVerb: Verb = {
  name: 'proxy',
  help: `Usage: perantara proxy --from HOST --to TARGET [FLAGS]

Serves one site without a file: perantara proxy --from localhost --to 3000

  --from HOST        the site's name; "localhost" and the like use the local CA
  --to TARGET        HOST:PORT or PORT, http://, https:// or h2c://HOST:PORT,
                     http://unix:/PATH
  --http ADDRESS     plain listener, such as :8080, or off; default :80
  --https ADDRESS    TLS listener, such as :8443; default :443
  --storage DIR      folder for certificates and keys; default ./certs
  --email ADDRESS    where the certificate authority may write
  --acme-directory   URL, or letsencrypt (default), letsencrypt-staging
  --acme-trust FILE  CA certificates that authenticate the ACME server
${LOG_HELP}`,
  flags: FLAGS,
  words: [],
  run: async (flags, terminal) => {
    const from = required(flags, 'from');
    const to = required(flags, 'to');
    const result = loadConfigValue(configOf(flags, from, to), {
      folder: terminal.folder,
      now: terminal.now(),
      places: {
        values: {
          storage: '--storage',
          'listen.http': '--http',
          'listen.https': '--https',
          'acme.email': '--email',
          'acme.directory': '--acme-directory',
          'acme.trust': '--acme-trust',
          [`sites.${from}`]: '--to',
        },
        keys: { [`sites.${from}`]: '--from' },
      },
    });
    const loaded = usable(result, terminal);
    if (loaded === null) return 1;
    const log = loggerFor(flags, terminal);
    log.info({ from: loaded.config.sites[0]!.host, to }, 'forwarding');
    return serveConfig(loaded, null, flags, terminal);
  },
};

function required(flags: Flags, name: string): string {
  const value = flags.text(name);
  if (value === null) throw new UsageError(`cannot start: --${name} ${FLAGS[name]!.value} is missing`);
  return value;
}

/** The shape of a file; flags that were not given are left out. */
function configOf(flags: Flags, from: string, to: string): unknown {
  const given = (names: Readonly<Record<string, string>>): Record<string, string> => {
    const entries = Object.entries(names).map(([key, flag]) => [key, flags.text(flag)] as const);
    return Object.fromEntries(entries.filter((entry): entry is [string, string] => entry[1] !== null));
  };
  return {
    admin: 'off', // there is no file that could be loaded again
    ...given({ storage: 'storage' }),
    acme: given({ email: 'email', directory: 'acme-directory', trust: 'acme-trust' }),
    listen: given({ http: 'http', https: 'https' }),
    sites: { [from]: to },
  };
}
