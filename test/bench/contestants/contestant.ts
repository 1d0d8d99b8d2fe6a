// One proxy in the race: how it is configured and started. Each has one worker or thread, speaks HTTP/1.1 and HTTP/2 (ALPN)
// over TLS 1.3 with the same certificate, keeps upstream connections alive, says X-Forwarded-For and -Proto, and writes no
// access log but for the one that is there to show what that costs.
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { retry } from '../../support/retry.ts';
import { askOverHttp2, getOnce } from '../load/probe.ts';
import type { PeerProgram } from '../peer-program.ts';
import { type PinnedProcess, startPinned } from '../pinned-process.ts';

/** The first are variants of Perantara; see perantara.ts. */
export const CONTESTANT_NAMES = [
  'perantara',
  'logging',
  'workers',
  'reloading',
  'unwatched',
  'nginx',
  'haproxy',
  'caddy',
  'http-proxy',
  'node-http2',
] as const;
export type ContestantName = (typeof CONTESTANT_NAMES)[number];

/** How a proxy speaks to what is behind it: `none` is behind one that answers `CANNED` to everything by itself. */
export type UpstreamKind = 'http1' | 'h2c' | 'grpc' | 'none';

/** What all answer that have no upstream: 64 bytes without a character that some configuration would have to escape. */
export const CANNED = 'perantara-'.repeat(6).concat('abcd');

export interface Placement {
  /** Its own, empty; removed when it ends. */
  readonly folder: string;
  readonly port: number;
  readonly upstream: UpstreamKind;
  /** 0 for `none`. */
  readonly upstreamPort: number;
  readonly certFile: string;
  readonly keyFile: string;
}

export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** What is done to it while it is loaded, until the function returned is called. Default nothing. */
  readonly whileLoaded?: (pid: number) => () => void;
}

export interface Contestant {
  readonly name: ContestantName;
  readonly version: string;
  /** What was set besides what all have in common; for the page. */
  readonly setting: string;
  /** On how many it runs, from the first on. Default 1. */
  readonly cores?: number;
  /** Why it has no part in races over HTTP/2 or HTTP/1.1 with such an upstream, or null. */
  obstacle(upstream: UpstreamKind, speaksHttp2: boolean): string | null;
  /** Writes its configuration into the folder. */
  prepare(placement: Placement): Promise<Launch>;
}

export interface Running {
  readonly contestant: Contestant;
  readonly port: number;
  readonly process: PinnedProcess;
  /** See Launch. */
  readonly whileLoaded: () => () => void;
}

export interface StartOptions extends Omit<Placement, 'folder'> {
  readonly contestant: Contestant;
  readonly core: number;
  readonly speaksHttp2: boolean;
}

const START_MS = 15_000;

/** Starts it and waits until it accepts connections. */
export async function startContestant(options: StartOptions): Promise<Running> {
  const { contestant, core, port, speaksHttp2 } = options;
  const folder = await mkdtemp(join(tmpdir(), `perantara-bench-${contestant.name}-`));
  const launch = await contestant.prepare({ ...options, folder });
  const process = await startPinned({ ...launch, core, cores: contestant.cores ?? 1, folder });
  try {
    const dead = (): boolean => process.ended();
    const path = '/none-of-the-files';
    await retry<unknown>(() => (speaksHttp2 ? askOverHttp2(port, { path }) : getOnce(port, path)), {
      deadlineMs: START_MS,
      pauseMs: 50,
      hopeless: dead,
    });
  } catch (error) {
    await process.stop();
    throw new Error(`${contestant.name} does not start: ${(error as Error).message}\n${process.output()}`);
  }
  const { whileLoaded = () => () => {} } = launch;
  return { contestant, port, process, whileLoaded: () => whileLoaded(process.pid) };
}

/** Command and arguments of a foreign program. */
export function launchOf(program: PeerProgram, args: readonly string[]): Launch {
  return { command: program.command, args: [...program.args, ...args] };
}
