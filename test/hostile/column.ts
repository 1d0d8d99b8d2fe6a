// All inputs at one proxy: a column of the page. Those that cost nothing but time are tried beside each other, each on grounds of
// its own; floods alone.
import { handshakeCases } from './cases/handshakes.ts';
import { dangersOf } from './dangers.ts';
import { Grounds } from './grounds.ts';
import { floodCases } from './h2/cases/floods.ts';
import type { H2Case } from './h2/h2-case.ts';
import { h2DangersOf } from './h2/h2-dangers.ts';
import { h2Deviations } from './h2/h2-judge.ts';
import type { H2Observation } from './h2/h2-observation.ts';
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

export class Column {
  readonly contender: Contender;
  /** Outcome of each case, by the case itself. */
  readonly cells = new Map<object, Cell>();
  /** What is wrong, where it is Perantara. */
  readonly wrong: string[] = [];

  constructor(contender: Contender) {
    this.contender = contender;
  }

  async tryAllButFloods(): Promise<void> {
    const { isOurs, noHttp2 } = this.contender;
    const acts = [this.#tryHttp1('usual')];
    if (isOurs) acts.push(this.#tryHttp1('trusting'));
    if (noHttp2 === null) {
      const waiting = H2_THEMES.filter(({ setting }) => setting !== 'usual').flatMap(({ cases }) => cases);
      const rest = H2_THEMES.filter(({ setting }) => setting === 'usual').flatMap(({ cases }) => cases);
      acts.push(
        this.#tryHttp2(
          rest.filter((hostile) => !floodCases.includes(hostile)),
          PATIENCE_MS,
        ),
      );
      for (let lane = 0; lane < LANES; lane++)
        acts.push(
          this.#tryHttp2(
            waiting.filter((_, number) => number % LANES === lane),
            LONG_PATIENCE_MS,
          ),
        );
    }
    await Promise.all(acts);
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

  async #tryHttp1(setting: Setting): Promise<void> {
    const { isOurs } = this.contender;
    await this.#on(setting, PATIENCE_MS, async (grounds) => {
      const range = new Range(grounds);
      for (const theme of THEMES) {
        if ((theme.setting === 'trusting') !== (setting === 'trusting')) continue;
        for (const hostile of theme.cases) {
          if (hostile.via === 'redirect' && !isOurs) continue;
          const seen = await range.try(hostile);
          const dangers = dangersOf(hostile, seen);
          this.#note(hostile, cellOf(hostile, seen, dangers), () => [...deviations(hostile, seen), ...dangers]);
        }
      }
      if (setting !== 'usual') return;
      for (const hostile of handshakeCases) {
        if (hostile.to === 'redirect' && !isOurs) continue;
        const seen = await range.shake(hostile);
        this.#note(hostile, handshakeCell(seen), () => handshakeDeviations(hostile, seen));
      }
    });
  }

  async #tryHttp2(cases: readonly H2Case[], patienceMs: number): Promise<void> {
    await this.#on('usual', patienceMs, async (grounds) => {
      for (const hostile of cases) {
        const seen: H2Observation = await new H2Range(grounds).try(hostile);
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
