// A logger whose lines a test can read.
import { createLogger, type Logger } from '../../src/core/log.ts';

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly err?: { readonly message: string; readonly [field: string]: unknown };
  readonly [field: string]: unknown;
}

export interface CapturedLog {
  readonly log: Logger;
  readonly lines: LogLine[];
  /** The messages, in order. */
  messages(): string[];
}

export function capturedLog(): CapturedLog {
  const lines: LogLine[] = [];
  const write = (line: string): void => void lines.push(JSON.parse(line) as LogLine);
  return {
    log: createLogger({ level: 'debug', pretty: false, write }),
    lines,
    messages: () => lines.map(({ msg }) => msg),
  };
}
