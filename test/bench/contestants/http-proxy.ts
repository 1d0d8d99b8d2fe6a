// The http-proxy package as a contestant: the program that a Node user would write around it.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import type { Contestant } from './contestant.ts';

export async function httpProxyContestant(): Promise<Contestant | null> {
  const path = resolveManifest();
  if (path === null) return null;
  const { version } = JSON.parse(await readFile(path, 'utf8')) as { version: string };
  return {
    name: 'http-proxy',
    version,
    setting: `on Node ${process.versions.node}; agent with keepAlive; xfwd. It hands the client's Connection: close on, so it reconnects upstream in the handshake cases`,
    obstacle: (_upstream, speaksHttp2) => (speaksHttp2 ? 'it speaks no HTTP/2' : null),
    prepare: async ({ port, upstreamPort, certFile, keyFile }) => ({
      command: process.execPath,
      args: [
        '--disable-warning=DEP0060', // util._extend
        resolve(import.meta.dirname, '../programs/http-proxy.ts'),
        `${port}`,
        `${upstreamPort}`,
        certFile,
        keyFile,
      ],
    }),
  };
}

function resolveManifest(): string | null {
  try {
    return createRequire(import.meta.url).resolve('http-proxy/package.json');
  } catch {
    return null;
  }
}
