// `perantara certs roll-over`: gives the account at each authority a new key (RFC 8555 section 7.3.5).
import type { Config } from '../../config/config.ts';
import { systemClock } from '../../core/clock.ts';
import { messageOf } from '../../core/errors.ts';
import { createLogger } from '../../core/log.ts';
import { printable } from '../../core/printable.ts';
import { CONFIG_FLAG, CONFIG_HELP, loadConfigFile } from '../config-file.ts';
import { storageOwnerProblem } from '../storage-owner.ts';
import type { Verb } from '../verb.ts';

const TIMEOUT_MS = 120_000;

export const rollOverVerb: Verb = {
  name: 'certs roll-over',
  help: `Usage: perantara certs roll-over [--config FILE]

Gives the account at every authority of the configuration a new key; the old one
is worth nothing from then on. For when somebody may have seen the folder
"accounts", or as a habit. Certificates and their keys stay as they are: for
those there is "perantara certs revoke".

A running server goes on with the new key from its next order; an order that is
under way at this moment may fail, and is repeated. Run it as the user that runs
Perantara. Ends with 0 when every account there is has its new key, else with 1.

${CONFIG_HELP}`,
  flags: { ...CONFIG_FLAG },
  words: [],
  run: async (flags, terminal) => {
    const loaded = loadConfigFile(flags, terminal);
    if (loaded === null) return 1;
    const problem = await storageOwnerProblem(loaded.config.storage);
    if (problem !== null) {
      terminal.err(`perantara certs roll-over: ${problem}\n`);
      return 1;
    }
    let failed = false;
    for (const acme of loaded.config.acme) {
      const { host } = new URL(acme.directory);
      try {
        const isDone = await rollOver(acme, loaded.config);
        terminal.out(isDone ? `${host}: the account has a new key\n` : `${host}: there is no account yet\n`);
      } catch (error) {
        failed = true;
        terminal.err(`${host}: the key stays: ${printable(messageOf(error))}\n`);
      }
    }
    return failed ? 1 : 0;
  },
};

/** False when there is no account. */
async function rollOver(acme: Config['acme'][number], config: Config): Promise<boolean> {
  const { AcmeIssuer } = await import('../../certs/acme/issuer.ts');
  const { userAgent } = await import('../../certs/acme/user-agent.ts');
  const { FileLocker } = await import('../../certs/storage/file-locker.ts');
  const { FileStorage } = await import('../../certs/storage/file-storage.ts');
  const storage = new FileStorage(config.storage);
  const issuer = new AcmeIssuer({
    directoryUrl: acme.directory,
    email: acme.email,
    trust: acme.trust,
    binding: acme.binding,
    solvers: [],
    storage,
    locker: new FileLocker(config.storage),
    log: createLogger({ level: 'silent', pretty: false }),
    clock: systemClock,
    userAgent: userAgent(),
  });
  try {
    if ((await storage.load(`accounts/${issuer.id}/account.json`)) === null) return false;
    await issuer.rollOver(AbortSignal.timeout(TIMEOUT_MS));
    return true;
  } finally {
    await issuer.close();
  }
}
