// `perantara certs`: what the storage knows of every configured name.
import { systemClock } from '../../core/clock.ts';
import { CONFIG_FLAG, CONFIG_HELP, loadConfigFile } from '../config-file.ts';
import type { Verb } from '../verb.ts';
import { certificateTable } from './table.ts';

export const certsVerb: Verb = {
  name: 'certs',
  help: `Usage: perantara certs [--config FILE] [--json]

Lists the certificate of every configured name: where it comes from, who issued
it, when it ends, when it is renewed, and the last error in the authority's
own words. Reads the storage folder only; a running server is not disturbed.

${CONFIG_HELP}  --json             for programs; times are milliseconds since 1970

Besides: perantara certs trust
`,
  flags: { ...CONFIG_FLAG, json: { value: null } },
  words: [],
  run: async (flags, terminal) => {
    const loaded = loadConfigFile(flags, terminal);
    if (loaded === null) return 1;
    const { listCertificates } = await import('../../certs/inventory.ts');
    const statuses = await listCertificates(loaded.config, systemClock);
    terminal.out(
      flags.on('json') ? `${JSON.stringify(statuses, null, 2)}\n` : certificateTable(statuses, terminal.now()),
    );
    return 0;
  },
};
