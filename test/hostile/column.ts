// All inputs at one proxy: a column of the page. Those that cost nothing but time are tried beside each other, each on grounds of
// its own; floods alone.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { handshakeCases } from './cases/handshakes.ts';
import { dangersOf } from './dangers.ts';
import { Grounds } from './grounds.ts';
import { floodCases } from './h2/cases/floods.ts';
import type { H2Case } from './h2/h2-case.ts';
import { h2DangersOf } from './h2/h2-dangers.ts';
import { h2Deviations } from './h2/h2-judge.ts';
import { H2Range } from './h2/h2-range.ts';
import { H2_THEMES } from './h2/h2-themes.ts';
import { floodCellOf, h2CellOf } from './h2/h2-wording.ts';
import { handshakeDeviations } from './handshake-case.ts';
import type { Setting } from './hostile-case.ts';
import { deviations } from './judge.ts';
import { Range } from './range.ts';
import { type Contender, startContender } from './subjects/contender.ts';
import { THEMES } from './themes.ts';
import { type Cell, cellOf, handshakeCell } from './wording.ts';

/** Longer than any proxy here is told to be patient, with what it takes to notice. */
const PATIENCE_MS = 4_000;
/** With inputs that wait for two deadlines, one after the other. */
const LONG_PATIENCE_MS = 8_000;
/** Grounds beside each other for inputs that wait. */
const LANES = 4;
/** Between the requests of the client beside a flood: it is a client, not a load. */
const PAUSE_MS = 20;
const SETTINGS: readonly Setting[] = ['usual', 'trusting'];
/** This process is clients and origins of all proxies: where it was late itself, a proxy's deadlines tell nothing. */
const LATE_MS = 500;
const TRIES = 3;

export class Column {
  readonly contender: Contender;
  /** Outcome of each case, by the case itself. */
  readonly cells = new Map<object, Cell>();
  /** What is wrong, where it is Perantara. */
  readonly wrong: string[] = [];

  constructor(contender: Contender) {
    this.contender = contender;
  }

  /** Over HTTP/1.1, and handshakes. */
  async tryHttp1(): Promise<void> {
    await Promise.all(SETTINGS.filter((setting) => this.contender.isOurs || setting === 'usual').map(this.#tryHttp1));
  }

  /** Over HTTP/2, all but floods. */
  async tryHttp2(): Promise<void> {
    if (this.contender.noHttp2 !== null) return;
    const casesOf = (isWaiting: boolean): H2Case[] =>
      H2_THEMES.filter(({ setting }) => (setting !== 'usual') === isWaiting).flatMap(({ cases }) => cases);
    const lanes = Array.from({ length: LANES }, (_, lane) => casesOf(true).filter((_, i) => i % LANES === lane));
    await Promise.all([
      this.#tryHttp2(
        casesOf(false).filter((hostile) => !floodCases.includes(hostile)),
        PATIENCE_MS,
      ),
      ...lanes.map((cases) => this.#tryHttp2(cases, LONG_PATIENCE_MS)),
    ]);
  }

  async tryFloods(): Promise<void> {
    if (this.contender.noHttp2 !== null) return;
    await this.#on('usual', PATIENCE_MS, async (grounds) => {
      for (const hostile of floodCases) {
        const beside = startBeside(grounds);
        const seen = await new H2Range(grounds).try(hostile);
        const isServed = await beside.leave();
        const dangers = h2DangersOf(hostile, seen);
        const all = isServed ? dangers : [...dangers, 'a client beside it was not served'];
        this.#note(hostile, floodCellOf(seen, all), () => [...h2Deviations(hostile, seen), ...all]);
      }
    });
  }

  readonly #tryHttp1 = async (setting: Setting): Promise<void> => {
    const { isOurs } = this.contender;
    await this.#on(setting, PATIENCE_MS, async (grounds) => {
      const range = new Range(grounds);
      for (const theme of THEMES) {
        if ((theme.setting === 'trusting') !== (setting === 'trusting')) continue;
        for (const hostile of theme.cases) {
          if (hostile.via === 'redirect' && !isOurs) continue;
          const seen = await steadily(() => range.try(hostile));
          const dangers = dangersOf(hostile, seen);
          this.#note(hostile, cellOf(hostile, seen, dangers), () => [...deviations(hostile, seen), ...dangers]);
        }
      }
      if (setting !== 'usual') return;
      for (const hostile of handshakeCases) {
        if (hostile.to === 'redirect' && !isOurs) continue;
        const seen = await steadily(() => range.shake(hostile));
        this.#note(hostile, handshakeCell(seen), () => handshakeDeviations(hostile, seen));
      }
    });
  };

  async #tryHttp2(cases: readonly H2Case[], patienceMs: number): Promise<void> {
    await this.#on('usual', patienceMs, async (grounds) => {
      for (const hostile of cases) {
        const seen = await steadily(() => new H2Range(grounds).try(hostile));
        const dangers = h2DangersOf(hostile, seen);
        this.#note(hostile, h2CellOf(hostile, seen, dangers), () => [...h2Deviations(hostile, seen), ...dangers]);
      }
    });
  }

  async #on(setting: Setting, patienceMs: number, act: (grounds: Grounds) => Promise<void>): Promise<void> {
    const { contender } = this;
    const start = (upstreams: Parameters<typeof startContender>[1]) => startContender(contender, upstreams, setting);
    const grounds = await Grounds.open({ start, setting, patienceMs, awaitsDrops: contender.isOurs });
    try {
      await act(grounds);
    } finally {
      await grounds.close();
    }
  }

  /** `judge` is for Perantara alone: another's answer may be so different that telling how takes minutes. */
  #note(hostile: { readonly name: string }, cell: Cell, judge: () => readonly string[]): void {
    this.cells.set(hostile, cell);
    if (this.contender.isOurs) this.wrong.push(...judge().map((line) => `${hostile.name}: ${line}`));
  }
}

/** Tries again what this process was late in. */
async function steadily<Seen>(act: () => Promise<Seen>): Promise<Seen> {
  for (let tried = 1; ; tried++) {
    const delay = monitorEventLoopDelay({ resolution: 20 });
    delay.enable();
    const seen = await act();
    delay.disable();
    if (delay.max < LATE_MS * 1e6 || tried === TRIES) return seen;
  }
}

/** Asks again and again, on a new connection each time; not served: twice in a row. This process has much to do besides. */
function startBeside(grounds: Grounds): { leave(): Promise<boolean> } {
  let isLeaving = false;
  const ask = async (): Promise<boolean> => {
    let failures = 0;
    while (failures < 2 && (!isLeaving || failures > 0)) {
      failures = (await grounds.checkAlive()).alive ? 0 : failures + 1;
      grounds.release();
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
    return failures === 0;
  };
  const asking = ask();
  return {
    leave: () => {
      isLeaving = true;
      return asking;
    },
  };
}
