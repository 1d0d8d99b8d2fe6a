// `perantara certs renew NAME`: a new certificate now, by the server that runs, else by this process.
import type { PlannedCertificate } from '../../certs/certificate-plan.ts';
import type { RenewalOutcome } from '../../certs/renewal/renewal-watch.ts';
import type { Config } from '../../config/config.ts';
import { systemClock } from '../../core/clock.ts';
import { messageOf } from '../../core/errors.ts';
import { createLogger } from '../../core/log.ts';
import { printable } from '../../core/printable.ts';
import { formatDuration, parseDuration } from '../../core/units.ts';
import { CONFIG_FLAG, CONFIG_HELP, loadConfigFile } from '../config-file.ts';
import { storageOwnerProblem } from '../storage-owner.ts';
import type { Terminal } from '../terminal.ts';
import { UsageError, type Verb } from '../verb.ts';
import { findPlanned } from './find-plan.ts';

const TIMEOUT = '5m';

export const renewVerb: Verb = {
  name: 'certs renew',
  help: `Usage: perantara certs renew NAME [--force] [--timeout DURATION] [--config FILE]

Obtains a new certificate for NAME now, however long the old one lives, and
tells how that went in the authority's own words. A server that runs with the
same storage folder does it; when none takes it up within some seconds, this
process does, and opens listen.http for as long as the authority looks.

Failures of the past are forgotten. What an authority asks for is kept: its
limits, and to wait. After a success it is not asked again for five minutes.
Run it as the user that runs Perantara. Ends with 0 when the certificate is
there, else with 1.

  --force            also within five minutes, and when it asked to wait
  --timeout DURATION how long to wait for the outcome; default ${TIMEOUT}
${CONFIG_HELP}`,
  flags: { ...CONFIG_FLAG, force: { value: null }, timeout: { value: 'DURATION' } },
  words: ['NAME'],
  run: async (flags, terminal, [word]) => {
    const timeout = flags.text('timeout') ?? TIMEOUT;
    const timeoutMs = parseDuration(timeout);
    if (timeoutMs === null || timeoutMs === 0)
      throw new UsageError(`cannot use --timeout ${JSON.stringify(timeout)}: a duration is needed, such as 90s or 5m`);
    const loaded = loadConfigFile(flags, terminal);
    if (loaded === null) return 1;
    const planned = await findPlanned(word!, loaded.config);
    return renewAll(planned, loaded.config, { force: flags.on('force'), timeoutMs }, terminal);
  },
};

export interface RenewSettings {
  readonly force: boolean;
  readonly timeoutMs: number;
}

/** Resolves with the exit code. */
export async function renewAll(
  planned: readonly PlannedCertificate[],
  config: Config,
  { force, timeoutMs }: RenewSettings,
  terminal: Pick<Terminal, 'out' | 'err' | 'now'>,
): Promise<number> {
  const problem = await storageOwnerProblem(config.storage);
  if (problem !== null) {
    terminal.err(`perantara certs: ${problem}\n`);
    return 1;
  }
  const { OneCertificate } = await import('../../certs/one-certificate.ts');
  const log = createLogger({ level: 'silent', pretty: false });
  let failed = false;
  for (const { name } of planned) {
    const one = new OneCertificate(name, config, { log, clock: systemClock });
    const signal = AbortSignal.timeout(timeoutMs);
    terminal.out(`${name}: a new certificate is asked for\n`);
    const onAlone = (): void => terminal.out(`${name}: no running server took it up; this process does it\n`);
    try {
      const outcome = await one.renew({ force, onAlone }, signal);
      failed ||= outcome.kind !== 'renewed';
      terminal.out(`${name}: ${wordsOf(outcome, terminal.now())}\n`);
    } catch (error) {
      failed = true;
      const why = signal.aborted
        ? `nothing came of it within ${formatDuration(timeoutMs)}; it stays asked for`
        : messageOf(error);
      terminal.out(`${name}: ${printable(why)}\n`);
    } finally {
      await one.close();
    }
  }
  return failed ? 1 : 0;
}

function wordsOf(outcome: RenewalOutcome, now: number): string {
  switch (outcome.kind) {
    case 'renewed':
      return `renewed (${outcome.issuerId})`;
    case 'failed': {
      const next = outcome.nextAttemptAt;
      const again = next === null ? '' : `; next attempt ${next <= now ? 'now' : `in ${formatDuration(next - now)}`}`;
      return `failed: ${printable(outcome.message)}${again}`;
    }
    case 'waits':
      return `waits for ${formatDuration(Math.max(0, outcome.at - now))}: the authority's limit ${printable(outcome.limit)}`;
    case 'rests': {
      const wait = formatDuration(Math.max(0, outcome.at - now));
      return `not renewed yet: it was obtained a few minutes ago, or the authority asked to wait; a running server does it in ${wait}, --force does it now`;
    }
    case 'ignored':
      return 'not renewed: nobody has done anything about it; it stays asked for, and the next start does it';
  }
}
