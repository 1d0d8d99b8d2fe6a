// The http-proxy package in the comparison, in the program that a Node user would write around it.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { type Contender, TIMEOUT_SECONDS } from './contender.ts';

export async function httpProxyContender(): Promise<Contender | null> {
  const path = resolveManifest();
  if (path === null) return null;
  const { version } = JSON.parse(await readFile(path, 'utf8')) as { version: string };
  return {
    name: 'http-proxy',
    version,
    isOurs: false,
    noHttp2: 'the package is for HTTP/1.1 servers',
    setting: `test/hostile/programs/http-proxy.ts on Node ${process.versions.node}: agent with keepAlive, xfwd, errors answered with 502 as its README shows, route by \`request.url\``,
    prepare: async ({ port, publicPort, guardedPort, certFile, keyFile }) => ({
      command: process.execPath,
      args: [
        '--disable-warning=DEP0060', // util._extend
        resolve(import.meta.dirname, '../programs/http-proxy.ts'),
        ...[port, publicPort, guardedPort, TIMEOUT_SECONDS].map(String),
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
