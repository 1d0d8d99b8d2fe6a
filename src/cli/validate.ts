// `perantara validate`: the same path as `run`, minus start.
import type { Config, SiteTls } from '../config/config.ts';
import { formatProblem } from '../config/problem.ts';
import { CONFIG_FLAG, CONFIG_HELP, loadConfigFile } from './config-file.ts';
import type { Verb } from './verb.ts';

export const validateVerb: Verb = {
  name: 'validate',
  help: `Usage: perantara validate [--config FILE]

Checks the configuration file and everything it names. Each mistake is one line:
FILE:LINE:COLUMN: what is wrong; what was found; what is allowed.
Ends with 0 when the file can be used (warnings do not count), else with 1.

${CONFIG_HELP}`,
  flags: CONFIG_FLAG,
  words: [],
  run: async (flags, terminal) => {
    const loaded = loadConfigFile(flags, terminal);
    if (loaded === null) return 1;
    for (const warning of loaded.warnings) terminal.err(`warning: ${formatProblem(warning)}\n`);
    terminal.out(`${loaded.file}: valid; ${summary(loaded.config)}\n`);
    return 0;
  },
};

/** `3 sites: 1 by ACME, 2 by the local CA` */
function summary({ sites }: Config): string {
  const count = (kind: SiteTls['kind']): number => sites.filter((site) => site.tls.kind === kind).length;
  const parts = [
    [count('acme'), 'by ACME'],
    [count('local'), 'by the local CA'],
    [count('supplied'), 'with supplied certificates'],
  ] as const;
  const shown = parts.filter(([number]) => number > 0).map(([number, how]) => `${number} ${how}`);
  return `${sites.length} ${sites.length === 1 ? 'site' : 'sites'}: ${shown.join(', ')}`;
}
