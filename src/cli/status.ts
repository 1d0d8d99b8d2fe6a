// `perantara status`: how the running process, its certificates and its targets fare.
import type { CertificateStatus } from '../certs/certificate-status.ts';
import { messageOf } from '../core/errors.ts';
import { printable } from '../core/printable.ts';
import type { TargetReport } from '../server/worker-report.ts';
import { findProcess, listOf, PROCESS_FLAGS, PROCESS_HELP } from './running-process.ts';
import { statusText } from './status-text.ts';
import type { Verb } from './verb.ts';

export const statusVerb: Verb = {
  name: 'status',
  help: `Usage: perantara status [--config FILE | --socket PATH] [--json]

Asks the running process: its version and age, the configuration in force and
how the last reload went, where it listens, open connections; certificates that
need somebody, with the last error in the authority's own words; and targets.
All certificates are listed by "perantara certs".

Ends with 0 when a process answers, else with 1.

${PROCESS_HELP}  --json             for programs; times are milliseconds since 1970
`,
  flags: { ...PROCESS_FLAGS, json: { value: null } },
  words: [],
  run: async (flags, terminal) => {
    const running = await findProcess('status', flags, terminal);
    if (running === null) return 1;
    try {
      const certificates = await listOf<CertificateStatus>(running, 'certificates');
      const targets = await listOf<TargetReport>(running, 'targets');
      const all = { status: running.status, certificates, targets };
      terminal.out(
        flags.on('json') ? `${JSON.stringify(all, null, 2)}\n` : statusText(all, terminal.now(), terminal.columns),
      );
      return 0;
    } catch (error) {
      terminal.err(`perantara status: ${printable(messageOf(error))}\n`);
      return 1;
    }
  },
};
