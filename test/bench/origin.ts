// What stands behind every proxy: nginx for content and for HTTP/2 without TLS, a raw Node server that discards uploads, and
// a WebSocket echo. All on the load's core. nginx answers an upload before it has read it, so it cannot be the one that
// takes them.
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { accepts } from '../support/accepts.ts';
import { freePorts } from '../support/free-port.ts';
import { retry } from '../support/retry.ts';
import { launchOf } from './contestants/contestant.ts';
import { nginxHttpCommon, nginxPreamble } from './contestants/nginx.ts';
import type { PeerProgram } from './peer-program.ts';
import { type PinnedProcess, startPinned } from './pinned-process.ts';

export type OriginKind = 'content' | 'uploads' | 'echo' | 'h2c';

export interface Origins {
  readonly ports: Readonly<Record<OriginKind, number>>;
  /** Those that nobody stands in for where there is no nginx. */
  readonly lacking: readonly OriginKind[];
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

/** Asked and answered: no compression, 32 bytes. In a file of this name, and what the h2c origin answers at GRPC_PATH. */
export const GRPC_FILE = 'grpc';
export const GRPC_PATH = '/bench.Echo/Call';
export const GRPC_MESSAGE = Buffer.from(`\0\0\0\0\x20${'message-'.repeat(4)}`);

/** On `cores` cores from `core` on. `folder` must exist; `nginx` null: the raw Node origin in its place. */
export async function startOrigins(
  core: number,
  folder: string,
  nginx: PeerProgram | null,
  cores = 1,
): Promise<Origins> {
  const files = join(folder, 'files');
  await mkdir(files);
  for (const [name, bytes] of Object.entries(FILES))
    await writeFile(join(files, name), Buffer.alloc(bytes, 'perantara\n'));
  await writeFile(join(files, GRPC_FILE), GRPC_MESSAGE);
  const [content, uploads, echo, h2c] = (await freePorts(4)) as [number, number, number, number];
  const own = (program: string, ...args: string[]): Promise<PinnedProcess> =>
    startPinned({
      command: process.execPath,
      args: [resolve(import.meta.dirname, 'programs', program), ...args],
      core,
      cores,
    });
  const processes: PinnedProcess[] = [];
  const stop = async (): Promise<void> => void (await Promise.all(processes.map((process) => process.stop())));
  try {
    processes.push(await own('origin.ts', `${uploads}`, files), await own('echo.ts', `${echo}`));
    if (nginx === null) processes.push(await own('origin.ts', `${content}`, files));
    else {
      const file = join(folder, 'origin.conf');
      await writeFile(file, configuration(folder, files, content, h2c));
      processes.push(
        await startPinned({ ...launchOf(nginx, ['-p', folder, '-e', 'stderr', '-c', file]), core, cores }),
      );
    }
    for (const port of nginx === null ? [content, uploads, echo] : [content, uploads, echo, h2c]) {
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
      : `origin nginx ${nginx.version}, one worker, in HTTP/1.1 or h2c as the case says; uploads and WebSockets go to Node programs in test/bench/programs`;
  const lacking: readonly OriginKind[] = nginx === null ? ['h2c'] : [];
  return { ports: { content, uploads, echo, h2c }, lacking, description, stop };
}

/**
 * `mirror` makes nginx read a call's message before it answers, as a gRPC server does; the mirrored request is answered here
 * as well. The answer to a call is a page for an error, since `return` would come before.
 */
function configuration(folder: string, files: string, port: number, h2cPort: number): string {
  const small = `location = /small { return 200 "${'perantara\\n'.repeat(6)}abcd"; }`;
  const seen = '$http_x_forwarded_for $http_x_forwarded_proto $connection_requests $server_protocol';
  const headers = `location = /headers { return 200 "${seen}"; }`;
  return `${nginxPreamble(folder)}
http {
  ${nginxHttpCommon(folder)}
  server {
    listen 127.0.0.1:${port} backlog=4096;
    root ${files};
    ${small}
    ${headers}
  }
  server {
    listen 127.0.0.1:${h2cPort} backlog=4096;
    http2 on;
    root ${files};
    open_file_cache max=10 inactive=1h;
    ${small}
    ${headers}
    location = ${GRPC_PATH} { mirror /mirrored; error_page 404 405 =200 @call; }
    location = /mirrored { internal; return 204; }
    location @call {
      default_type application/grpc;
      add_trailer grpc-status 0;
      return 200 "${GRPC_MESSAGE.toString('latin1')}";
    }
  }
}
`;
}
