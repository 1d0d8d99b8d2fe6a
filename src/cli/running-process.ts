// The running process that serves a configuration file, for verbs that ask it something; or why it cannot be asked, and what
// to do about that.
import { realpathSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { ProcessStatus } from '../admin/process-status.ts';
import type { AdminConfig, Config } from '../config/config.ts';
import { DEFAULT_ADMIN_SOCKET, DEFAULT_STORAGE, RUN_ADMIN_SOCKET } from '../config/defaults.ts';
import { loadConfig } from '../config/load.ts';
import { codeOf, messageOf } from '../core/errors.ts';
import { printable } from '../core/printable.ts';
import { type AdminPlace, type AdminReply, askAdmin, showPlace } from './admin-client.ts';
import { CONFIG_FLAG, CONFIG_HELP, findConfigFile, printProblems } from './config-file.ts';
import type { FlagSpecs, Flags } from './flags.ts';
import type { Terminal } from './terminal.ts';

export const PROCESS_FLAGS: FlagSpecs = { ...CONFIG_FLAG, socket: { value: 'PATH' } };
export const PROCESS_HELP = `${CONFIG_HELP}  --socket PATH      the socket of the process to ask, whatever its file
`;

const WITHIN_MS = 10_000;
/** Where it is not needed. */
const BRIEFLY_MS = 2_000;

export interface RunningProcess {
  readonly status: ProcessStatus;
  /** The file as it was named here; null when a socket was named. */
  readonly file: string | null;
  /** `withinMs`: the longest silence. Default 10 s. */
  ask(method: string, path: string, withinMs?: number, content?: string): Promise<AdminReply>;
}

/** null after printing why not; the exit code is then 1. `verb`: for messages. */
export async function findProcess(verb: string, flags: Flags, terminal: Terminal): Promise<RunningProcess | null> {
  const say = (text: string): null => {
    terminal.err(`perantara ${verb}: ${printable(text)}\n`);
    return null;
  };
  const socket = flags.text('socket');
  if (socket !== null) {
    const found = await search([{ kind: 'socket', path: resolve(terminal.folder, socket) }], null);
    return 'status' in found ? found : say(explain(found, verb, null));
  }
  const file = findConfigFile(flags, terminal);
  if (file === null) return null;
  const loaded = loadConfig(file, { env: terminal.env, now: terminal.now() });
  const admin = loaded.ok ? loaded.config.admin : loaded.admin;
  if (loaded.ok && admin === null)
    return say(`cannot ask the running process: "admin" is off in ${file}${hangUp(verb)}`);
  const found = await search(admin === null ? likelyPlaces(file) : placesOf(admin), file);
  if ('status' in found) return found;
  if (!loaded.ok) printProblems(loaded.problems, terminal);
  return say(explain(found, verb, file));
}

/** The one that serves the file, without a word when there is none. */
export async function processOf({ admin }: Config, file: string): Promise<RunningProcess | null> {
  const found = admin === null ? [] : await search(placesOf(admin), file, BRIEFLY_MS);
  return 'status' in found ? found : null;
}

function placesOf(admin: AdminConfig): readonly AdminPlace[] {
  return admin.kind === 'socket' ? admin.paths.map((path) => ({ kind: 'socket', path })) : [admin];
}

/** For a file that cannot be read; whoever answers there still has to serve it. */
function likelyPlaces(file: string): readonly AdminPlace[] {
  const inStorage = resolve(dirname(file), DEFAULT_STORAGE, DEFAULT_ADMIN_SOCKET);
  return [RUN_ADMIN_SOCKET, inStorage].map((path) => ({ kind: 'socket', path }));
}

/** What was found at a place that is not the process. */
interface Miss {
  readonly place: AdminPlace;
  readonly kind: 'nobody' | 'denied' | 'token' | 'other file' | 'failed';
  /** The other file and its process, or what failed. */
  readonly detail: string;
}

async function search(
  places: readonly AdminPlace[],
  file: string | null,
  searchMs = WITHIN_MS,
): Promise<RunningProcess | readonly Miss[]> {
  const misses: Miss[] = [];
  for (const place of places) {
    const found = await askAdmin(place, 'GET', '/status', searchMs).catch((error: unknown) => missOf(place, error));
    if ('kind' in found) misses.push(found);
    else if (found.status === 401) misses.push({ place, kind: 'token', detail: '' });
    else if (found.status !== 200 || typeof found.body.config !== 'object')
      misses.push({ place, kind: 'failed', detail: refusalOf(found) ?? 'who answers there is not Perantara' });
    else {
      const status = found.body as unknown as ProcessStatus;
      if (file === null || isSameFile(file, status.config.path))
        return {
          status,
          file,
          ask: (method, path, withinMs = WITHIN_MS, content = '') => askAdmin(place, method, path, withinMs, content),
        };
      misses.push({ place, kind: 'other file', detail: `pid ${status.pid} serves ${status.config.path}` });
    }
  }
  return misses;
}

/** The member `name` of the answer to `GET /name`. Rejects with why there is none. */
export async function listOf<T>(running: RunningProcess, name: string): Promise<readonly T[]> {
  const reply = await running.ask('GET', `/${name}`);
  const list = reply.body[name];
  if (Array.isArray(list)) return list as readonly T[];
  throw new Error(refusalOf(reply) ?? `cannot read the ${name}: the process answered with status ${reply.status}`);
}

/** The message of an answer that is an error, or null. */
export function refusalOf({ body }: AdminReply): string | null {
  const error = body.error as { readonly message?: unknown } | undefined;
  return typeof error?.message === 'string' ? error.message : null;
}

function missOf(place: AdminPlace, error: unknown): Miss {
  const code = codeOf(error);
  if (['ENOENT', 'ECONNREFUSED', 'ENOTDIR'].includes(code)) return { place, kind: 'nobody', detail: '' };
  if (code === 'EACCES' || code === 'EPERM') return { place, kind: 'denied', detail: '' };
  return { place, kind: 'failed', detail: messageOf(error) };
}

/** The miss that tells most; with it, what to do. */
function explain(misses: readonly Miss[], verb: string, file: string | null): string {
  const at = (miss: Miss): string => `"${showPlace(miss.place)}"`;
  const named = file === null ? '' : ` --config ${file}`;
  const find = (kind: Miss['kind']): Miss | undefined => misses.find((miss) => miss.kind === kind);
  const failed = find('failed');
  if (failed !== undefined) return `cannot ask the running process at ${at(failed)}: ${failed.detail}`;
  const denied = find('denied');
  if (denied !== undefined)
    return `cannot open the admin socket ${at(denied)}: permission denied; run this as ${ownerOf(denied.place)} or as root: sudo perantara ${verb}${named}`;
  const token = find('token');
  if (token !== undefined)
    return `cannot ask the running process at ${at(token)}: it has another token than ${file}; give it the former one, or restart it${hangUp(verb)}`;
  const other = find('other file');
  if (other !== undefined)
    return `cannot find a running process for ${file}: at ${at(other)} ${other.detail}; name that file with --config`;
  const start =
    file === null
      ? ''
      : `; if none runs, start one with "perantara run${named}"; if it was started with another "admin" or "storage", name its socket with --socket`;
  return `cannot find a running process: nobody answers at ${misses.map(at).join(' or ')}${start}`;
}

/** What reloads without the endpoint. */
function hangUp(verb: string): string {
  return verb === 'reload' ? '; "kill -HUP PID" also makes it load its file, and its log says what came of it' : '';
}

function ownerOf(place: AdminPlace): string {
  const owner = place.kind === 'socket' ? statSync(place.path, { throwIfNoEntry: false })?.uid : undefined;
  return owner === undefined ? 'the user that runs it' : `user ${owner}`;
}

/** Both as they are now: a link may lead elsewhere than when the process started. */
function isSameFile(a: string, b: string): boolean {
  const real = (path: string): string => {
    try {
      return realpathSync(path);
    } catch {
      return resolve(path);
    }
  };
  return real(a) === real(b);
}
