// `perantara certs revoke NAME`: takes the certificate back at its authority, and the key out of use when it is compromised.
import type { RevocationReason } from '../../certs/issuer.ts';
import { systemClock } from '../../core/clock.ts';
import { messageOf } from '../../core/errors.ts';
import { createLogger } from '../../core/log.ts';
import { printable } from '../../core/printable.ts';
import { CONFIG_FLAG, CONFIG_HELP, loadConfigFile } from '../config-file.ts';
import { storageOwnerProblem } from '../storage-owner.ts';
import { UsageError, type Verb } from '../verb.ts';
import { findPlanned } from './find-plan.ts';
import { renewAll } from './renew.ts';

const REASONS: readonly RevocationReason[] = ['unspecified', 'keyCompromise', 'superseded', 'cessationOfOperation'];
const REVOKE_MS = 120_000;
const RENEW_MS = 300_000;

export const revokeVerb: Verb = {
  name: 'certs revoke',
  help: `Usage: perantara certs revoke NAME [--reason REASON] [--yes] [--config FILE]

Tells the authority of NAME's certificate that it is not to be trusted any more.
That cannot be undone. Asks first; where nobody can be asked, --yes is needed.

After keyCompromise the key is never used again by anything that shares the
storage folder, and a certificate with a new key is obtained at once, as by
"perantara certs renew". Otherwise the certificate stays in use until the next
renewal, which the authority mostly asks for soon.

  --reason REASON    keyCompromise (somebody else may have the key), superseded
                     (replaced), cessationOfOperation (the name is given up),
                     unspecified (default)
  --yes              do not ask
${CONFIG_HELP}`,
  flags: { ...CONFIG_FLAG, reason: { value: 'REASON', choices: REASONS }, yes: { value: null } },
  words: ['NAME'],
  run: async (flags, terminal, [word]) => {
    const reason = (flags.text('reason') ?? 'unspecified') as RevocationReason;
    const loaded = loadConfigFile(flags, terminal);
    if (loaded === null) return 1;
    const { config } = loaded;
    const planned = await findPlanned(word!, config);
    const problem = await storageOwnerProblem(config.storage);
    if (problem !== null) {
      terminal.err(`perantara certs revoke: ${problem}\n`);
      return 1;
    }
    const { OneCertificate } = await import('../../certs/one-certificate.ts');
    const log = createLogger({ level: 'silent', pretty: false });
    let failed = false;
    for (const plan of planned) {
      const one = new OneCertificate(plan.name, config, { log, clock: systemClock });
      try {
        const current = await one.current();
        if (current === null) {
          terminal.err(`${plan.name}: there is no certificate to revoke\n`);
          failed = true;
          continue;
        }
        const { authority, certificate } = current;
        const about = `certificate ${certificate.serial} of ${plan.names.join(', ')} at ${authority.issuer.name}`;
        if (!flags.on('yes')) {
          const answer = await terminal.ask(`Revoke ${about} (${reason})? This cannot be undone. Type yes: `);
          if (answer === null) throw new UsageError('cannot ask whether you are sure: this is no terminal; add --yes');
          if (answer.trim() !== 'yes') {
            terminal.out('nothing was revoked\n');
            return 1;
          }
        }
        // First of all the key goes out of use: that holds whether or not the authority can be reached.
        if (reason === 'keyCompromise') await one.condemn(certificate);
        await authority.issuer.revoke(certificate, reason, AbortSignal.timeout(REVOKE_MS));
        terminal.out(`${plan.name}: revoked ${about} (${reason})\n`);
      } catch (error) {
        if (error instanceof UsageError) throw error;
        failed = true;
        terminal.err(`${plan.name}: not revoked: ${printable(messageOf(error))}\n`);
      } finally {
        await one.close();
      }
    }
    if (reason !== 'keyCompromise') return failed ? 1 : 0;
    const renewed = await renewAll(planned, config, { force: true, timeoutMs: RENEW_MS }, terminal);
    return failed ? 1 : renewed;
  },
};
