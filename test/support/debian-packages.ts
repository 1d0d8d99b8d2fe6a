// Unpacks Debian packages into a folder without root: apt with private state finds and verifies them, dpkg -x unpacks them.
// Nothing of the system is changed and no package script runs.
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type DebianSource, debianSources, stanza } from './debian-sources.ts';

const run = promisify(execFile);

/** Never unpacked: a second C library beside the machine's own cannot work. */
const CORE_PACKAGES: readonly string[] = ['libc6', 'libc-bin', 'libc-l10n', 'locales'];

export interface UnpackOptions {
  readonly packages: readonly string[];
  /** `own`: the machine's release, with the dependencies it lacks. `sid`: these packages alone. */
  readonly suite: 'own' | 'sid';
  /** An empty folder that becomes the packages' root (`FOLDER/usr/bin/…`). */
  readonly folder: string;
}

/** Throws what apt said when a package cannot be had. */
export async function unpackPackages(options: UnpackOptions): Promise<void> {
  const sources = await debianSources();
  if (sources.length === 0) throw new Error('this machine has no Debian repository configured');
  const state = await mkdtemp(join(tmpdir(), 'perantara-apt-'));
  try {
    if (options.suite === 'own') await unpackOwn(state, sources, options);
    else await unpackSid(state, sources, options);
  } finally {
    await rm(state, { recursive: true, force: true });
  }
}

async function unpackOwn(state: string, sources: readonly DebianSource[], options: UnpackOptions): Promise<void> {
  const apt = await openApt(join(state, 'own'), sources.map((source) => stanza(source)).join('\n'));
  const plan = await apt.get('-s', 'install', '--no-install-recommends', ...options.packages);
  const wanted = new Set(options.packages);
  for (const [, name] of plan.matchAll(/^Inst (\S+) /gm)) if (!CORE_PACKAGES.includes(name!)) wanted.add(name!);
  await unpack(apt, [...wanted], options.folder);
}

/** Tries each configured mirror; a keyring too old for sid is replaced by the newest one of the machine's own release. */
async function unpackSid(state: string, sources: readonly DebianSource[], options: UnpackOptions): Promise<void> {
  const failures: unknown[] = [];
  for (const source of sources.filter((candidate) => !/security/.test(`${candidate.uris} ${candidate.suites}`))) {
    try {
      const apt = await openApt(join(state, 'sid'), stanza(source, ['sid'])).catch(async (error: unknown) => {
        if (!/NO_PUBKEY|EXPKEYSIG|not signed/.test(String(error))) throw error;
        const keyring = await newestKeyring(state, sources);
        return openApt(join(state, 'sid-new-keyring'), stanza({ ...source, signedBy: keyring }, ['sid']));
      });
      return await unpack(apt, options.packages, options.folder);
    } catch (error) {
      failures.push(error);
    }
  }
  throw failures[0];
}

async function newestKeyring(state: string, sources: readonly DebianSource[]): Promise<string> {
  const folder = join(state, 'keyring');
  await mkdir(folder);
  await unpackOwn(state, sources, {
    packages: ['debian-archive-keyring'],
    suite: 'own',
    folder,
  });
  const keyrings = join(folder, 'usr/share/keyrings');
  const name = (await readdir(keyrings)).find((file) => /^debian-archive-keyring\.(gpg|pgp)$/.test(file));
  return join(keyrings, name ?? 'debian-archive-keyring.gpg');
}

interface Apt {
  /** Where `download` puts the archives. */
  readonly folder: string;
  /** Resolves with what `apt-get ARGS` printed. */
  get(...args: string[]): Promise<string>;
}

/** apt over these sources only, its lists already fetched and verified. */
async function openApt(folder: string, sources: string): Promise<Apt> {
  await mkdir(join(folder, 'lists/partial'), { recursive: true });
  await mkdir(join(folder, 'cache/archives/partial'), { recursive: true });
  await writeFile(join(folder, 'debian.sources'), sources);
  const settings = [
    `Dir::Etc::sourcelist=${join(folder, 'debian.sources')}`,
    'Dir::Etc::sourceparts=/dev/null',
    `Dir::State::lists=${join(folder, 'lists')}`,
    `Dir::Cache=${join(folder, 'cache')}`,
    'Acquire::Languages=none',
    'Acquire::Retries=3',
    'APT::Sandbox::User=root',
    'APT::Update::Error-Mode=any',
  ];
  const options = settings.flatMap((setting) => ['-o', setting]);
  const get = async (...args: string[]): Promise<string> => {
    const done = await run('apt-get', [...options, ...args], {
      cwd: folder,
      maxBuffer: 64 * 1024 ** 2,
    });
    return done.stdout;
  };
  await get('update');
  return { folder, get };
}

async function unpack(apt: Apt, packages: readonly string[], folder: string): Promise<void> {
  await apt.get('download', ...packages);
  for (const name of await readdir(apt.folder)) {
    if (name.endsWith('.deb')) await run('dpkg', ['-x', join(apt.folder, name), folder]);
  }
}
