// `perantara certs`: what the storage knows of every configured name.
import { systemClock } from '../../core/clock.ts';
import { messageOf } from '../../core/errors.ts';
import { printable } from '../../core/printable.ts';
import { CONFIG_FLAG, CONFIG_HELP, loadConfigFile } from '../config-file.ts';
import type { Verb } from '../verb.ts';
import { inventoryText } from './table.ts';

export const certsVerb: Verb = {
  name: 'certs',
  help: `Usage: perantara certs [--config FILE] [--json]

Lists the certificate of every configured name: state, end, share of its life
left, next step and why, issuer, proof, profile and key, the last error in the
authority's own words, what is left of its limits; those on demand after them;
then what is stored and no longer configured. Reads the storage folder only; a
running server is not disturbed.

${CONFIG_HELP}  --json             for programs; times are milliseconds since 1970

Besides, each with a --help of its own:
  perantara certs renew      obtain a new certificate now
  perantara certs revoke     take a certificate back at its authority
  perantara certs import     take over those of certbot, Caddy and others
  perantara certs roll-over  give the accounts at the authorities new keys
  perantara certs trust      make this machine trust the local CA
`,
  flags: { ...CONFIG_FLAG, json: { value: null } },
  words: [],
  run: async (flags, terminal) => {
    const loaded = loadConfigFile(flags, terminal);
    if (loaded === null) return 1;
    const { takeInventory } = await import('../../certs/inventory.ts');
    try {
      const inventory = await takeInventory(loaded.config, systemClock);
      terminal.out(
        flags.on('json')
          ? `${JSON.stringify(inventory, null, 2)}\n`
          : inventoryText(inventory, terminal.now(), terminal.columns),
      );
      return 0;
    } catch (error) {
      terminal.err(`perantara certs: ${printable(messageOf(error))}\n`);
      return 1;
    }
  },
};
