// `perantara top`: the running process, its sites and its targets, live.
import type { Overview } from '../admin/overview.ts';
import { messageOf } from '../core/errors.ts';
import { printable } from '../core/printable.ts';
import { formatDuration } from '../core/units.ts';
import { findProcess, PROCESS_FLAGS, PROCESS_HELP, type RunningProcess, refusalOf } from './running-process.ts';
import type { Screen } from './screen.ts';
import type { Terminal } from './terminal.ts';
import { type Colour, type Line, ORDERS, topText } from './top-text.ts';
import type { Verb } from './verb.ts';

const REFRESH_MS = 1_000;
const WITHIN_MS = 5_000;

const CODES: Readonly<Record<Colour, string>> = {
  plain: '',
  bold: '1',
  dim: '2',
  bad: '31',
  warning: '33',
  good: '32',
};

export const topVerb: Verb = {
  name: 'top',
  help: `Usage: perantara top [--config FILE | --socket PATH]

Shows the running process, live: what needs somebody, since when and in whose
words; requests and errors a second, requests in flight, certificates and the
days they have left; targets with their state and how long they take to answer
(half, 95 % and 99 % of the answers of the last minute within that time).

  q            quit          s, left, right   sort by something else
  up, down, PgUp, PgDn       scroll

When it is not run in a terminal it prints this once and ends.

Ends with 0; with 1 when no process answers at the beginning.

${PROCESS_HELP}`,
  flags: PROCESS_FLAGS,
  words: [],
  run: async (flags, terminal) => {
    const running = await findProcess('top', flags, terminal);
    if (running === null) return 1;
    try {
      const first = await read(running);
      if (terminal.screen === null) terminal.out(snapshot(first));
      else await new LiveView(running, terminal.screen, terminal, first).run();
      return 0;
    } catch (error) {
      terminal.err(`perantara top: ${printable(messageOf(error))}\n`);
      return 1;
    }
  },
};

async function read(running: RunningProcess): Promise<Overview> {
  const reply = await running.ask('GET', '/overview', WITHIN_MS);
  if (reply.status === 200 && Array.isArray(reply.body.sites)) return reply.body as unknown as Overview;
  throw new Error(refusalOf(reply) ?? `cannot read the overview: the process answered with status ${reply.status}`);
}

function snapshot(overview: Overview): string {
  const { head, body } = topText(overview, ORDERS[0]);
  return [...head, ...body].map(({ text }) => `${text}\n`).join('');
}

class LiveView {
  readonly #running: RunningProcess;
  readonly #screen: Screen;
  readonly #terminal: Terminal;
  readonly #ended = Promise.withResolvers<void>();
  #overview: Overview;
  #readAt: number;
  /** Why the last question was not answered, or null. */
  #failure: string | null = null;
  #order = 0;
  /** Lines of the body above the first that is shown. */
  #above = 0;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(running: RunningProcess, screen: Screen, terminal: Terminal, first: Overview) {
    this.#running = running;
    this.#screen = screen;
    this.#terminal = terminal;
    this.#overview = first;
    this.#readAt = terminal.now();
  }

  /** Resolves when somebody has quit. */
  async run(): Promise<void> {
    this.#screen.open({ onKey: (key) => this.#onKey(key), onResize: () => this.#draw() });
    try {
      this.#draw();
      this.#readLater();
      await this.#ended.promise;
    } finally {
      this.#isOver = true;
      clearTimeout(this.#timer);
      this.#screen.close();
    }
  }

  #readLater(): void {
    if (!this.#isOver) this.#timer = setTimeout(() => void this.#read(), REFRESH_MS);
  }

  async #read(): Promise<void> {
    try {
      this.#overview = await read(this.#running);
      this.#readAt = this.#terminal.now();
      this.#failure = null;
    } catch (error) {
      this.#failure = messageOf(error);
    }
    this.#draw();
    this.#readLater();
  }

  #onKey(key: string): void {
    const page = Math.max(1, this.#screen.rows - 10);
    switch (key) {
      case 'q':
      case 'Q':
      case '\x03': // Ctrl-C
        this.#ended.resolve();
        return;
      case 's':
      case '\x1b[C':
        this.#order = (this.#order + 1) % ORDERS.length;
        break;
      case '\x1b[D':
        this.#order = (this.#order + ORDERS.length - 1) % ORDERS.length;
        break;
      case '\x1b[A':
        this.#above--;
        break;
      case '\x1b[B':
        this.#above++;
        break;
      case '\x1b[5~':
        this.#above -= page;
        break;
      case '\x1b[6~':
        this.#above += page;
        break;
      default:
        return;
    }
    this.#draw();
  }

  #draw(): void {
    if (this.#isOver) return;
    const { columns, rows } = this.#screen;
    const order = ORDERS[this.#order]!;
    const { head, body } = topText(this.#overview, order);
    const room = Math.max(0, rows - 1 - head.length);
    this.#above = Math.max(0, Math.min(this.#above, body.length - room));
    const shown = [...head, ...body.slice(this.#above, this.#above + room)].slice(0, Math.max(0, rows - 1));
    const below = body.length - this.#above - room;
    const foot = `q quit  s sorted by ${order}${below > 0 ? `  ↓ ${below} more` : ''}`;
    const last: Line = this.#failure === null ? { text: foot, colour: 'dim' } : this.#goneLine(this.#failure);
    this.#screen.draw([...shown, last].map((line) => this.#painted(line, columns)));
  }

  #goneLine(failure: string): Line {
    const age = formatDuration(Math.max(0, this.#terminal.now() - this.#readAt));
    return { text: `no answer for ${age}, asked again: ${printable(failure)}`, colour: 'bad' };
  }

  #painted({ text, colour }: Line, columns: number): string {
    const fits = text.length > columns ? `${text.slice(0, Math.max(0, columns - 1))}…` : text;
    const code = this.#terminal.env.NO_COLOR ? '' : CODES[colour];
    return code === '' ? fits : `\x1b[${code}m${fits}\x1b[0m`;
  }
}
