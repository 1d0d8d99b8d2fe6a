// The logger: JSON lines by pino, or the same facts as readable lines on a terminal. Nothing else writes to stdout or stderr
// but the CLI. Messages are constant; data is in fields; errors go under `err`.
import { type Logger as PinoLogger, pino, stdSerializers } from 'pino';
import { printable } from './printable.ts';

export type Logger = PinoLogger;
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

export interface LogOptions {
  readonly level: LogLevel;
  /** Readable lines instead of JSON. */
  readonly pretty: boolean;
  /** Where lines go. Default stderr. */
  readonly write?: (line: string) => void;
}

export function createLogger(options: LogOptions): Logger {
  const write = options.write ?? ((line: string): void => void process.stderr.write(line));
  const stream = options.pretty ? { write: (line: string): void => write(readable(line)) } : { write };
  return pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: stdSerializers.errWithCause },
    },
    stream,
  );
}

const COLORS: Readonly<Record<string, string>> = {
  debug: '\x1b[2m',
  info: '\x1b[36m',
  warn: '\x1b[33m',
  error: '\x1b[31m',
};

/** Local time of day: whoever reads a terminal has a watch. */
function clockTime(time: string): string {
  return new Date(time).toTimeString().slice(0, 8);
}

/** `12:00:01 info  certificate obtained  name=app.example.com issuer=acme`, and the stack below an unexpected error. */
function readable(line: string): string {
  const { level, time, msg, err, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const color = COLORS[String(level)] ?? '';
  let text = `\x1b[2m${clockTime(String(time))}\x1b[0m ${color}${String(level).padEnd(5)}\x1b[0m ${printable(String(msg))}`;
  for (const [key, value] of Object.entries(fields)) {
    const shown = typeof value === 'string' && !/[\s"]/.test(value) ? value : JSON.stringify(value);
    text += `  \x1b[2m${key}=\x1b[0m${printable(shown)}`;
  }
  const error = err as { source?: string; message?: string; stack?: string } | undefined;
  if (error === undefined) return `${text}\n`;
  text += `  \x1b[31m${printable(error.message ?? JSON.stringify(err))}\x1b[0m`;
  // A PerantaraError, of whatever class, says whose fault it is.
  if (level === 'error' && error.source === undefined && error.stack !== undefined)
    for (const frame of error.stack.split('\n')) text += `\n    ${printable(frame)}`;
  return `${text}\n`;
}
