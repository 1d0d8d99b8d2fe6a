// Foreign programs that tests and the demo use: from PATH, else from Debian's packages unpacked into a cache folder without
// root. Once cached, nothing here touches the network.
import { constants } from 'node:fs';
import { access, chmod, mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { delimiter, join, relative, resolve } from 'node:path';
import { unpackPackages } from './debian-packages.ts';

export type ToolName =
  | 'pebble'
  | 'pebble-challtestsrv'
  | 'curl'
  | 'openssl'
  | 'chromium'
  | 'certutil'
  | 'docker-compose'
  | 'wrk'
  | 'nghttp'
  | 'h2load'
  | 'named';

export interface Tool {
  readonly name: ToolName;
  /** Absolute path of an executable file. */
  readonly path: string;
  readonly from: 'PATH' | 'cache';
}

interface Source {
  readonly package: string;
  readonly suite: 'own' | 'sid';
  /** The program inside the package. */
  readonly program: string;
  /** Ends the sentence "…: install". */
  readonly install: string;
}

const SOURCES: Readonly<Record<ToolName, Source>> = {
  pebble: {
    package: 'pebble',
    suite: 'sid',
    program: 'usr/bin/pebble',
    install: 'Pebble (github.com/letsencrypt/pebble, `go install …/cmd/pebble@latest`)',
  },
  'pebble-challtestsrv': {
    package: 'pebble',
    suite: 'sid',
    program: 'usr/bin/pebble-challtestsrv',
    install: 'it (github.com/letsencrypt/pebble, `go install …/cmd/pebble-challtestsrv@latest`)',
  },
  curl: {
    package: 'curl',
    suite: 'own',
    program: 'usr/bin/curl',
    install: 'curl',
  },
  openssl: {
    package: 'openssl',
    suite: 'own',
    program: 'usr/bin/openssl',
    install: 'OpenSSL',
  },
  chromium: {
    package: 'chromium',
    suite: 'own',
    program: 'usr/lib/chromium/chromium',
    install: 'Chromium',
  },
  // Chromium trusts what is in its user's NSS database, and this writes it.
  certutil: {
    package: 'libnss3-tools',
    suite: 'own',
    program: 'usr/bin/certutil',
    install: "NSS's tools",
  },
  'docker-compose': {
    package: 'docker-compose',
    suite: 'sid',
    program: 'usr/libexec/docker/cli-plugins/docker-compose',
    install: 'Docker Compose 2',
  },
  wrk: { package: 'wrk', suite: 'own', program: 'usr/bin/wrk', install: 'wrk' },
  // HTTP/2 by nghttp2's authors: a client that prints every frame, and a load generator that counts.
  nghttp: { package: 'nghttp2-client', suite: 'own', program: 'usr/bin/nghttp', install: "nghttp2's client" },
  h2load: { package: 'nghttp2-client', suite: 'own', program: 'usr/bin/h2load', install: "nghttp2's client" },
  // The name server that most people run: what it takes for a signed update is one.
  named: { package: 'bind9', suite: 'own', program: 'usr/sbin/named', install: 'BIND 9' },
};

export const TOOL_NAMES = Object.keys(SOURCES) as readonly ToolName[];

/** The path of a program that works, fetched if need be. Throws one sentence that says what to install. */
export async function findTool(name: ToolName): Promise<string> {
  return (await locateTool(name)).path;
}

/** As `findTool`, with where it came from. */
export async function locateTool(name: ToolName): Promise<Tool> {
  const onPath = await findOnPath(name);
  if (onPath !== null) return { name, path: onPath, from: 'PATH' };
  const source = SOURCES[name];
  const folder = join(cacheFolder(), `${source.package}-${process.arch}`);
  const path = join(folder, 'bin', name);
  if (!(await isExecutable(path))) {
    process.stderr.write(`fetching ${name} from Debian's packages into ${folder}\n`);
    await fetchInto(folder, name).catch((error: unknown) => {
      throw new Error(`${name} is not on PATH and cannot be fetched (${reasonOf(error)}): install ${source.install}`, {
        cause: error,
      });
    });
  }
  return { name, path, from: 'cache' };
}

/** `.cache/` of the repository, or $PERANTARA_CACHE. */
export function cacheFolder(): string {
  return process.env.PERANTARA_CACHE ?? resolve(import.meta.dirname, '../../.cache');
}

async function findOnPath(name: string): Promise<string | null> {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = resolve(folder, name);
    if (folder !== '' && (await isExecutable(path))) return path;
  }
  return null;
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

/** Built beside its place and renamed into it, so that of two processes the first wins and neither sees a part. */
async function fetchInto(folder: string, name: ToolName): Promise<void> {
  const source = SOURCES[name];
  await mkdir(cacheFolder(), { recursive: true });
  const building = await mkdtemp(join(cacheFolder(), `${source.package}-`));
  try {
    const root = join(building, 'root');
    await mkdir(root);
    await unpackPackages({
      packages: [source.package],
      suite: source.suite,
      folder: root,
    });
    await writeLaunchers(building, source.package);
    await chmod(building, 0o755);
    await rename(building, folder).catch(async (error: unknown) => {
      if (!(await isExecutable(join(folder, 'bin', name)))) throw error;
    });
  } finally {
    await rm(building, { recursive: true, force: true });
  }
}

/** `bin/TOOL` starts the unpacked program with the unpacked libraries and fonts, wherever the folder is moved. */
async function writeLaunchers(folder: string, packageName: string): Promise<void> {
  const root = join(folder, 'root');
  await mkdir(join(folder, 'bin'));
  const libraries = await libraryFolders(root);
  const fonts = '<dir>/usr/share/fonts</dir><dir prefix="relative">root/usr/share/fonts</dir>';
  await writeFile(
    join(folder, 'fonts.conf'),
    `<?xml version="1.0"?>\n<fontconfig>${fonts}<cachedir prefix="xdg">fontconfig</cachedir></fontconfig>\n`,
  );
  for (const [name, source] of Object.entries(SOURCES)) {
    if (source.package !== packageName) continue;
    const lines = ['#!/bin/sh', 'here=$(cd "$(dirname "$0")/.." && pwd)', 'root=$here/root'];
    if (libraries.length > 0)
      lines.push(`export LD_LIBRARY_PATH="${libraries.map((path) => `$root/${path}`).join(':')}"`);
    lines.push('[ -e /etc/fonts/fonts.conf ] || export FONTCONFIG_FILE="$here/fonts.conf"');
    lines.push(`exec "$root/${source.program}" "$@"`);
    await writeFile(join(folder, 'bin', name), `${lines.join('\n')}\n`);
    await chmod(join(folder, 'bin', name), 0o755);
  }
}

/** Every folder with shared libraries, also those that a program finds by an absolute path when it is installed. */
async function libraryFolders(root: string): Promise<readonly string[]> {
  const files = await readdir(root, { recursive: true, withFileTypes: true });
  const libraries = files.filter((file) => /^lib.+\.so(\.|$)/.test(file.name));
  return [...new Set(libraries.map((file) => relative(root, file.parentPath)))].sort();
}

/** The last thing apt said, in one line. */
function reasonOf(error: unknown): string {
  const { stderr, code, message } = error as {
    stderr?: string;
    code?: string;
    message?: string;
  };
  if (code === 'ENOENT') return 'there is no apt-get here';
  const said = (stderr ?? '').split('\n').filter((line) => line.startsWith('E: '));
  return (said.at(-1) ?? message ?? String(error)).replace(/^E: /, '').trim();
}
