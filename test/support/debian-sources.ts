// The Debian repositories this machine's own apt is set up with, read and never changed (sources.list(5)). Repositories of
// other vendors are left out.
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface DebianSource {
  readonly uris: string;
  readonly suites: readonly string[];
  readonly components: readonly string[];
  /** A keyring's path or an armoured key as deb822 writes it; null means apt's default keyrings. */
  readonly signedBy: string | null;
}

/** The machine's own release (`bookworm`), or '' when it is not Debian. */
export async function debianCodename(): Promise<string> {
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  return /^ID=debian$/m.test(release) ? (/^VERSION_CODENAME=(.+)$/m.exec(release)?.[1] ?? 'sid') : '';
}

/** The configured sources that carry Debian's `main`, the archive proper before security and others. */
export async function debianSources(): Promise<readonly DebianSource[]> {
  const codename = await debianCodename();
  if (codename === '') return [];
  const suite = new RegExp(`^(${codename}|stable|oldstable|testing|sid|unstable)([-/](updates|security))?$`);
  const all = (await Promise.all((await sourceFiles()).map(readSources))).flat();
  return all
    .map((source) => ({
      ...source,
      suites: source.suites.filter((name) => suite.test(name)),
    }))
    .filter((source) => source.suites.length > 0 && source.components.includes('main'))
    .sort((a, b) => Number(isArchive(b)) - Number(isArchive(a)));
}

/** The source as a deb822 stanza, with `suites` in place of its own. */
export function stanza(source: DebianSource, suites: readonly string[] = source.suites): string {
  const lines = ['Types: deb', `URIs: ${source.uris}`, `Suites: ${suites.join(' ')}`, 'Components: main'];
  if (source.signedBy !== null) lines.push(`Signed-By: ${source.signedBy}`);
  return `${lines.join('\n')}\n`;
}

function isArchive(source: DebianSource): boolean {
  return /\/debian\/?(\s|$)/.test(source.uris);
}

async function sourceFiles(): Promise<readonly string[]> {
  const { stdout } = await run('apt-config', [
    'shell',
    'LIST',
    'Dir::Etc::sourcelist/f',
    'PARTS',
    'Dir::Etc::sourceparts/d',
  ]);
  const list = /^LIST='(.*)'$/m.exec(stdout)?.[1] ?? '/etc/apt/sources.list';
  const parts = /^PARTS='(.*)'$/m.exec(stdout)?.[1] ?? '/etc/apt/sources.list.d/';
  const names = await readdir(parts).catch(() => []);
  return [list, ...names.filter((name) => /\.(list|sources)$/.test(name)).map((name) => join(parts, name))];
}

async function readSources(file: string): Promise<readonly DebianSource[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return file.endsWith('.sources') ? parseStanzas(text) : parseLines(text);
}

/** One-line style: `deb [signed-by=FILE arch=amd64] URI SUITE COMPONENT…`. */
function parseLines(text: string): readonly DebianSource[] {
  const sources: DebianSource[] = [];
  for (const line of text.split('\n')) {
    const match = /^\s*deb\s+(?:\[([^\]]*)\]\s*)?(\S+)\s+(\S+)\s+([^#]+)/.exec(line);
    if (match === null) continue;
    const [, options = '', uris, suite, components] = match;
    const signedBy = /(?:^|\s)signed-by=(\S+)/i.exec(options)?.[1] ?? null;
    sources.push({
      uris: uris!,
      suites: [suite!],
      components: components!.trim().split(/\s+/),
      signedBy,
    });
  }
  return sources;
}

/** deb822 style: stanzas of `Field: value` with indented continuation lines. */
function parseStanzas(text: string): readonly DebianSource[] {
  const sources: DebianSource[] = [];
  for (const block of text.replace(/^#.*\n/gm, '').split(/\n\s*\n/)) {
    const fields = new Map<string, string>();
    for (const [, name, value] of block.matchAll(/^([\w-]+):[ \t]*(.*(?:\n[ \t].*)*)/gm)) {
      fields.set(name!.toLowerCase(), value!.trim());
    }
    const words = (name: string): string[] => (fields.get(name) ?? '').split(/\s+/).filter((word) => word !== '');
    if (!words('types').includes('deb') || fields.get('enabled') === 'no') continue;
    sources.push({
      uris: words('uris').join(' '),
      suites: words('suites'),
      components: words('components'),
      signedBy: fields.get('signed-by') ?? null,
    });
  }
  return sources;
}
