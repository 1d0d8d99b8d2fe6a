// `perantara run`: serves the sites of a file until told to stop.
import { CONFIG_FLAG, CONFIG_HELP, loadConfigFile } from './config-file.ts';
import { LOG_FLAGS, LOG_HELP } from './log-flags.ts';
import { serveConfig } from './serve-config.ts';
import type { Verb } from './verb.ts';

export const runVerb: Verb = {
  name: 'run',
  help: `Usage: perantara run [--config FILE] [FLAGS]

Serves the sites of the configuration file. Certificates are obtained and
renewed in the background; the log says how each of them fares.

${CONFIG_HELP}  --watch            load the file again whenever it changes
${LOG_HELP}
SIGHUP loads the file again: what is unchanged goes on, a mistake changes
nothing. SIGTERM or Ctrl-C finishes the requests under way, then ends with 0.
A second one ends at once.
`,
  flags: { ...CONFIG_FLAG, watch: { value: null }, ...LOG_FLAGS },
  words: [],
  run: async (flags, terminal) => {
    process.on('SIGHUP', ignore);
    try {
      const loaded = loadConfigFile(flags, terminal);
      if (loaded === null) return 1;
      const origin = { file: loaded.file, load: loaded.load, watch: flags.on('watch') };
      return await serveConfig(loaded, origin, flags, terminal);
    } finally {
      process.off('SIGHUP', ignore);
    }
  },
};

/** One that comes while the file is being loaded would end the process. */
function ignore(): void {}
