// The flags that shape the log of a serving process.
import { createLogger, type Logger, type LogLevel } from '../core/log.ts';
import type { FlagSpecs, Flags } from './flags.ts';
import type { Terminal } from './terminal.ts';

export const LOG_FLAGS: FlagSpecs = {
  'log-level': { value: 'LEVEL', choices: ['debug', 'info', 'warn', 'error', 'silent'] },
  'log-format': { value: 'FMT', choices: ['json', 'pretty'] },
};

export const LOG_HELP = `  --log-level LEVEL  debug, info (default), warn, error or silent
  --log-format FMT   json or pretty; default pretty on a terminal
`;

/** Lines go to standard error. */
export function loggerFor(flags: Flags, terminal: Terminal): Logger {
  return createLogger({
    level: (flags.text('log-level') ?? 'info') as LogLevel,
    pretty: isPretty(flags, terminal),
    write: (line) => terminal.err(line),
  });
}

/** Whether lines are for people. */
export function isPretty(flags: Flags, terminal: Terminal): boolean {
  const format = flags.text('log-format');
  return format === null ? terminal.interactive : format === 'pretty';
}
