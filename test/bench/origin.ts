// What stands behind every proxy: nginx for content, a raw Node server that discards uploads, and a WebSocket echo. All on
// the load's core. nginx answers an upload before it has read it, so it cannot be the one that takes them.
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { accepts } from '../support/accepts.ts';
import { freePorts } from '../support/free-port.ts';
import { retry } from '../support/retry.ts';
import { launchOf } from './contestants/contestant.ts';
import { nginxHttpCommon, nginxPreamble } from './contestants/nginx.ts';
import type { PeerProgram } from './peer-program.ts';
import { type PinnedProcess, startPinned } from './pinned-process.ts';

export type OriginKind = 'content' | 'uploads' | 'echo';

export interface Origins {
  readonly ports: Readonly<Record<OriginKind, number>>;
  /** One sentence for the page. */
  readonly description: string;
  stop(): Promise<void>;
}

export const SMALL_BYTES = 64;
const KIB = 1024;
/** Paths and sizes. */
export const FILES: Readonly<Record<string, number>> = {
  small: SMALL_BYTES,
  '10k': 10 * KIB,
  '1m': KIB * KIB,
  '100m': 100 * KIB * KIB,
};

/** `folder` must exist; `nginx` null: the raw Node origin in its place. */
export async function startOrigins(core: number, folder: string, nginx: PeerProgram | null): Promise<Origins> {
  const files = join(folder, 'files');
  await mkdir(files);
  for (const [name, bytes] of Object.entries(FILES))
    await writeFile(join(files, name), Buffer.alloc(bytes, 'perantara\n'));
  const [content, uploads, echo] = (await freePorts(3)) as [number, number, number];
  const own = (program: string, ...args: string[]): Promise<PinnedProcess> =>
    startPinned({
      command: process.execPath,
      args: [resolve(import.meta.dirname, 'programs', program), ...args],
      core,
    });
  const processes: PinnedProcess[] = [];
  const stop = async (): Promise<void> => void (await Promise.all(processes.map((process) => process.stop())));
  try {
    processes.push(await own('origin.ts', `${uploads}`, files), await own('echo.ts', `${echo}`));
    if (nginx === null) processes.push(await own('origin.ts', `${content}`, files));
    else {
      const file = join(folder, 'origin.conf');
      await writeFile(file, configuration(folder, files, content));
      processes.push(await startPinned({ ...launchOf(nginx, ['-p', folder, '-e', 'stderr', '-c', file]), core }));
    }
    for (const port of [content, uploads, echo]) {
      const dead = (): boolean => processes.some((process) => process.ended());
      await retry(() => accepts(port), { deadlineMs: 10_000, hopeless: dead });
    }
  } catch (error) {
    await stop();
    const output = processes.map((process) => process.output()).join('\n');
    throw new Error(`cannot start the origins: ${(error as Error).message}\n${output}`);
  }
  const description =
    nginx === null
      ? `**no nginx was found**: the origin is test/bench/programs/origin.ts on Node ${process.versions.node}`
      : `origin nginx ${nginx.version}, one worker; uploads and WebSockets go to Node programs in test/bench/programs`;
  return { ports: { content, uploads, echo }, description, stop };
}

function configuration(folder: string, files: string, port: number): string {
  return `${nginxPreamble(folder)}
http {
  ${nginxHttpCommon(folder)}
  server {
    listen 127.0.0.1:${port} backlog=4096;
    root ${files};
    location = /small { return 200 "${'perantara\\n'.repeat(6)}abcd"; }
    location = /headers { return 200 "$http_x_forwarded_for $http_x_forwarded_proto $connection_requests"; }
  }
}
`;
}
