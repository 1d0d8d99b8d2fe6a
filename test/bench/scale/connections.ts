// Very many open connections: opened with one request each, held, and asked once more.
import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type PinnedProcess, startPinned } from '../pinned-process.ts';
import { usageOf } from '../process-tree.ts';
import type { Started } from './started.ts';

const PROGRAM = resolve(import.meta.dirname, '../programs/holding-clients.ts');
/** A client process and a source address (127.0.0.2, …) for so many: each address has some 28,000 ports. */
const PER_CLIENT = 5_000;
/** Files that a process needs besides: upstream connections, listeners, its own. */
const OTHER_FILES = 300;
const ROUND_LIMIT_MS = 240_000;
const REST_MS = 3_000;

export interface ConnectionFigures {
  readonly wanted: number;
  /** Fewer than wanted where the system allows a process no more open files. */
  readonly opened: number;
  /** Answered 200: the first request, and the one after all were open. */
  readonly good: readonly [number, number];
  readonly stillOpen: number;
  readonly bytesPerConnection: number;
  readonly rssBytes: number;
  /** Of the proxy: handshake with first request, and request on an open connection. */
  readonly cpuUs: readonly [number, number];
  readonly openFilesLimit: number;
  readonly errors: readonly string[];
}

export async function measureConnections(wanted: number, started: Started, options: { port: number; core: number }) {
  const openFilesLimit = Number(execFileSync('/bin/sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' })) || 2 ** 20;
  const opened = Math.min(wanted, openFilesLimit - OTHER_FILES);
  const before = usageOf(started.pid);
  const clients: Client[] = [];
  try {
    for (let left = opened; left > 0; left -= PER_CLIENT)
      clients.push(await Client.start(options, Math.min(left, PER_CLIENT), `127.0.0.${clients.length + 2}`));
    const first = await Promise.all(clients.map((client) => client.round(0)));
    const afterFirst = usageOf(started.pid);
    await delay(REST_MS);
    const held = usageOf(started.pid);
    for (const client of clients) client.again();
    const second = await Promise.all(clients.map((client) => client.round(1)));
    const afterSecond = usageOf(started.pid);
    const sum = (rounds: readonly Round[], what: 'good' | 'open'): number =>
      rounds.reduce((total, round) => total + round[what], 0);
    const figures: ConnectionFigures = {
      wanted,
      opened,
      good: [sum(first, 'good'), sum(second, 'good')],
      stillOpen: sum(second, 'open'),
      bytesPerConnection: (held.rssBytes - before.rssBytes) / opened,
      rssBytes: held.rssBytes,
      cpuUs: [
        ((afterFirst.cpuMs - before.cpuMs) * 1_000) / opened,
        ((afterSecond.cpuMs - held.cpuMs) * 1_000) / opened,
      ],
      openFilesLimit,
      errors: second.flatMap(({ errors }) => errors),
    };
    return figures;
  } finally {
    await Promise.all(clients.map((client) => client.stop()));
  }
}

interface Round {
  readonly good: number;
  readonly open: number;
  readonly errors: readonly string[];
}

class Client {
  readonly #process: PinnedProcess;
  readonly #rounds: readonly PromiseWithResolvers<Round>[];

  private constructor(process: PinnedProcess, rounds: readonly PromiseWithResolvers<Round>[]) {
    this.#process = process;
    this.#rounds = rounds;
  }

  static async start({ port, core }: { port: number; core: number }, count: number, source: string): Promise<Client> {
    const rounds = [Promise.withResolvers<Round>(), Promise.withResolvers<Round>()];
    let said = 0;
    const process = await startPinned({
      command: globalThis.process.execPath,
      args: [PROGRAM, `${port}`, `${count}`, source],
      core,
      onLine: (line) => {
        if (line.startsWith('{')) rounds[said++]?.resolve(JSON.parse(line) as Round);
      },
    });
    for (const round of rounds) {
      round.promise.catch(() => {});
      void process.exited.then(() => round.reject(new Error(`a client ended: ${process.output()}`)));
    }
    return new Client(process, rounds);
  }

  async round(index: 0 | 1): Promise<Round> {
    const { promise, reject } = this.#rounds[index]!;
    const timer = setTimeout(() => reject(new Error('the clients took too long')), ROUND_LIMIT_MS);
    return promise.finally(() => clearTimeout(timer));
  }

  again(): void {
    globalThis.process.kill(this.#process.pid, 'SIGUSR2');
  }

  async stop(): Promise<void> {
    await this.#process.stop();
  }
}
