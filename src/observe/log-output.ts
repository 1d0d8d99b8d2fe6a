// Where the lines of a log go: gathered, written behind the event loop's back by sonic-boom, and on a new file when asked to.
// Nothing that happens to the file stops whoever writes lines: what cannot be kept is dropped, counted, and said once.
import { openSync } from 'node:fs';
import sonic, { type SonicBoom } from 'sonic-boom';
import { codeOf, messageOf, PerantaraError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';

export type LogPlace = { readonly kind: 'file'; readonly path: string } | { readonly kind: 'stdout' | 'stderr' };

/** Lines are handed on when they are so much, and each so often at least. */
const GATHERED_BYTES = 64 * 1024;
const GATHERED_MS = 1_000;
/** What may wait for a slow disk, or for one that is full to have room again. */
const WAITING_BYTES = 16 * 1024 ** 2;
/** How long the end waits for what is not written. */
const LAST_WORDS_MS = 3_000;
/** Others than its owner and group have no business in it. */
const FILE_MODE = 0o640;

export class LogOutput {
  readonly #place: LogPlace;
  readonly #log: Logger;
  #sink: SonicBoom | null = null;
  #timer: NodeJS.Timeout | null = null;
  #text = '';
  /** Whether something has been said about trouble, and not yet that it is over. */
  #troubled = false;
  /** Whether there was any since the last look. */
  #troubledLately = false;
  #dropped = 0;
  #closed: Promise<void> | null = null;

  constructor(place: LogPlace, log: Logger) {
    this.#place = place;
    this.#log = log;
  }

  /** Throws PerantaraError `access_log_open`. */
  open(): void {
    try {
      this.#sink = this.#sinkOn(this.#descriptor());
    } catch (error) {
      const isDenied = codeOf(error) === 'EACCES';
      const state = isDenied
        ? `permission denied; it, where it is there already, and its folder have to be writable for user ${process.geteuid?.()}`
        : messageOf(error);
      const why = `cannot open the access log ${this.#name}: ${state}`;
      throw new PerantaraError(why, { code: 'access_log_open', source: 'operator', cause: error });
    }
    this.#timer = setInterval(() => this.#onTimer(), GATHERED_MS).unref();
  }

  /** `text`: printable ASCII and a line end. */
  line(text: string): void {
    this.#text += text;
    if (this.#text.length >= GATHERED_BYTES) this.#hand();
  }

  /** Goes on in a new file of the same name: the old one has been moved away. Keeps the old one where that cannot be. */
  reopen(): void {
    const old = this.#sink;
    if (old === null || this.#closed !== null || this.#place.kind !== 'file') return;
    this.#hand();
    try {
      this.#sink = this.#sinkOn(this.#descriptor());
    } catch (error) {
      const fields = { file: this.#name, reason: messageOf(error) };
      this.#log.warn(fields, 'access log not reopened: it goes on in the file it has');
      return;
    }
    this.#log.info({ file: this.#name }, 'access log reopened');
    void this.#end(old);
  }

  /** Resolves when everything has been written, or cannot be. Lines that come later are dropped. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#hand();
    const sink = this.#sink;
    this.#sink = null;
    if (sink !== null) await this.#end(sink);
    if (this.#dropped > 0) this.#log.warn({ file: this.#name, dropped: this.#dropped }, 'access log has gaps');
  }

  get #name(): string {
    return this.#place.kind === 'file' ? this.#place.path : this.#place.kind;
  }

  #descriptor(): number {
    if (this.#place.kind === 'file') return openSync(this.#place.path, 'a', FILE_MODE);
    return this.#place.kind === 'stdout' ? 1 : 2;
  }

  #sinkOn(descriptor: number): SonicBoom {
    const sink = new sonic.SonicBoom({ fd: descriptor, maxLength: WAITING_BYTES, maxWrite: GATHERED_BYTES });
    sink.on('error', (error: unknown) => this.#onError(error));
    sink.on('drop', (text: string) => this.#onDrop(text));
    return sink;
  }

  /** Nothing is given to the sink line by line: each call of it costs more than the line. */
  #hand(): void {
    const text = this.#text;
    this.#text = '';
    if (text !== '') this.#sink?.write(text);
  }

  /** Trouble is over when there was none from one look to the next: a disk that is slow has some every few milliseconds. */
  #onTimer(): void {
    if (this.#troubled && !this.#troubledLately) {
      this.#troubled = false;
      this.#log.info({ file: this.#name, dropped: this.#dropped }, 'access log is written again');
      this.#dropped = 0;
    }
    this.#troubledLately = false;
    this.#hand();
    if (this.#troubled) this.#sink?.write(''); // has it try again
  }

  #onError(error: unknown): void {
    this.#troubledLately = true;
    if (this.#troubled) return;
    this.#troubled = true;
    const fields = { file: this.#name, code: codeOf(error), reason: messageOf(error) };
    this.#log.error(fields, 'access log cannot be written: lines are kept as far as there is room, then dropped');
  }

  #onDrop(text: string): void {
    this.#dropped += linesIn(text);
    this.#troubledLately = true;
    if (this.#troubled) return;
    this.#troubled = true;
    this.#log.error({ file: this.#name }, 'access log is too slow: lines are dropped');
  }

  /** Resolves when the sink is closed. What it cannot write is lost. */
  #end(sink: SonicBoom): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const giveUp = (): void => {
      this.#log.error({ file: this.#name }, 'access log ends without its last lines');
      resolve();
    };
    const timer = setTimeout(giveUp, LAST_WORDS_MS);
    sink.once('error', () => {
      sink.destroy();
      giveUp();
    });
    sink.once('close', resolve);
    sink.end();
    return promise.finally(() => clearTimeout(timer));
  }
}

function linesIn(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) count++;
  return count;
}
