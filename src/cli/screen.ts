// The whole terminal for one verb: keys as they are typed, frames as they are drawn, and everything as it was before in the end,
// however that comes.
import { writeSync } from 'node:fs';

export interface ScreenEvents {
  /** As the terminal sends it: `q`, `\x1b[A`; several that were typed at once come one by one. */
  onKey(key: string): void;
  onResize(): void;
}

export interface Screen {
  readonly columns: number;
  readonly rows: number;
  open(events: ScreenEvents): void;
  /** Lines that fit; colours may be in them. */
  draw(lines: readonly string[]): void;
  /** Gives the terminal back. Idempotent. */
  close(): void;
}

/** What of `process` is used here. */
export interface TerminalStreams {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
}

const ENTER = '\x1b[?1049h\x1b[?25l'; // the other screen, without a cursor
const LEAVE = '\x1b[?25h\x1b[?1049l';
const DEATHS: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGHUP', 'SIGINT'];
const KEY = /\x1b\[[\d;]*[A-Za-z~]|\x1bO[A-Z]|[\s\S]/g;

export class TerminalScreen implements Screen {
  readonly #stdin: NodeJS.ReadStream;
  readonly #stdout: NodeJS.WriteStream;
  #events: ScreenEvents | null = null;

  /** null when one of them is no terminal. */
  static of({ stdin, stdout }: TerminalStreams): TerminalScreen | null {
    return stdin.isTTY === true && stdout.isTTY === true ? new TerminalScreen(stdin, stdout) : null;
  }

  private constructor(stdin: NodeJS.ReadStream, stdout: NodeJS.WriteStream) {
    this.#stdin = stdin;
    this.#stdout = stdout;
  }

  get columns(): number {
    return this.#stdout.columns || 80;
  }

  get rows(): number {
    return this.#stdout.rows || 24;
  }

  open(events: ScreenEvents): void {
    this.#events = events;
    process.on('exit', this.#onExit); // also after a fault that nobody caught, before it is printed
    for (const signal of DEATHS) process.on(signal, this.#onDeath);
    this.#stdout.on('resize', this.#onResize);
    this.#stdin.setRawMode(true).setEncoding('utf8').on('data', this.#onData).resume();
    this.#stdout.write(ENTER);
  }

  draw(lines: readonly string[]): void {
    if (this.#events !== null) this.#stdout.write(`\x1b[H${lines.map((line) => `${line}\x1b[K`).join('\r\n')}\x1b[J`);
  }

  close(): void {
    if (this.#events === null) return;
    this.#events = null;
    process.off('exit', this.#onExit);
    for (const signal of DEATHS) process.off(signal, this.#onDeath);
    this.#stdout.off('resize', this.#onResize);
    this.#stdin.off('data', this.#onData).pause();
    try {
      this.#stdin.setRawMode(false);
      writeSync(1, LEAVE); // at once: the process may be at its end
    } catch {
      // The terminal is gone.
    }
  }

  readonly #onData = (text: string): void => {
    for (const key of text.match(KEY) ?? []) this.#events?.onKey(key);
  };

  readonly #onResize = (): void => this.#events?.onResize();

  readonly #onExit = (): void => this.close();

  /** As if nobody had listened, but with the terminal as it was. */
  readonly #onDeath = (signal: NodeJS.Signals): void => {
    this.close();
    process.kill(process.pid, signal);
  };
}
