// One proxy in the race: how it is configured and started. Each has one worker or thread, speaks TLS 1.3 and HTTP/1.1 with
// the same certificate, keeps upstream connections alive, says X-Forwarded-For and -Proto, and writes no access log.
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { retry } from '../../support/retry.ts';
import { getOnce } from '../load/probe.ts';
import type { PeerProgram } from '../peer-program.ts';
import { type PinnedProcess, startPinned } from '../pinned-process.ts';

export const CONTESTANT_NAMES = ['perantara', 'nginx', 'haproxy', 'caddy', 'http-proxy'] as const;
export type ContestantName = (typeof CONTESTANT_NAMES)[number];

export interface Placement {
  /** Its own, empty; removed when it ends. */
  readonly folder: string;
  readonly port: number;
  readonly upstreamPort: number;
  readonly certFile: string;
  readonly keyFile: string;
}

export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface Contestant {
  readonly name: ContestantName;
  readonly version: string;
  /** What was set besides what all have in common; for the page. */
  readonly setting: string;
  /** Writes its configuration into the folder. */
  prepare(placement: Placement): Promise<Launch>;
}

export interface Running {
  readonly contestant: Contestant;
  readonly port: number;
  readonly process: PinnedProcess;
}

export interface StartOptions {
  readonly contestant: Contestant;
  readonly core: number;
  readonly port: number;
  readonly upstreamPort: number;
  readonly certFile: string;
  readonly keyFile: string;
}

const START_MS = 15_000;

/** Starts it and waits until it accepts connections. */
export async function startContestant(options: StartOptions): Promise<Running> {
  const { contestant, core, port } = options;
  const folder = await mkdtemp(join(tmpdir(), `perantara-bench-${contestant.name}-`));
  const launch = await contestant.prepare({ ...options, folder });
  const process = await startPinned({ ...launch, core, folder });
  try {
    const dead = (): boolean => process.ended();
    await retry(() => getOnce(port, '/none-of-the-files'), { deadlineMs: START_MS, pauseMs: 50, hopeless: dead });
  } catch (error) {
    await process.stop();
    throw new Error(`${contestant.name} does not start: ${(error as Error).message}\n${process.output()}`);
  }
  return { contestant, port, process };
}

/** Command and arguments of a foreign program. */
export function launchOf(program: PeerProgram, args: readonly string[]): Launch {
  return { command: program.command, args: [...program.args, ...args] };
}
