// From a file, or from a value, to a complete frozen Config – or to every problem at once. Never throws for what an
// operator wrote.
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileState } from '../core/pem-file.ts';
import { readAccessLog } from './access-log.ts';
import { readAcme } from './acme.ts';
import { readAdmin } from './admin.ts';
import type { AdminConfig, Config, LimitConfig, TimeoutConfig } from './config.ts';
import { DEFAULT_LIMITS, DEFAULT_STORAGE, DEFAULT_TIMEOUTS } from './defaults.ts';
import { readDns } from './dns.ts';
import { Draft } from './draft.ts';
import type { Environment } from './environment.ts';
import { readEventHook } from './event-hook.ts';
import { readListen } from './listen.ts';
import { readOnDemand } from './on-demand.ts';
import { makeProblem, type Problem, showValue, sortProblems } from './problem.ts';
import type { RawConfig } from './schema.ts';
import { readShape } from './shape.ts';
import { readSites } from './sites.ts';
import { type Source, type ValuePlaces, valueSource } from './source.ts';
import { readTracing } from './tracing.ts';
import { readUser } from './user.ts';
import { yamlSource } from './yaml-source.ts';

export type LoadResult =
  | { readonly ok: true; readonly config: Config; readonly warnings: readonly Problem[] }
  | {
      readonly ok: false;
      readonly problems: readonly Problem[];
      /** Where a process that runs with the file may be asked, as far as that could be read; null: unknown, or off. */
      readonly admin: AdminConfig | null;
    };

export interface LoadOptions {
  /** What `${NAME}` is replaced from. */
  readonly env: Environment;
  /** Milliseconds since the epoch; decides whether supplied certificates are in date. */
  readonly now: number;
}

export interface LoadValueOptions {
  /** Absolute folder that relative paths start from. */
  readonly folder: string;
  /** Where each dotted path was written: `{ values: { 'listen.http': '--http' }, keys: {} }`. */
  readonly places: ValuePlaces;
  readonly now: number;
}

const SECTIONS =
  'acme admin dns onDemand onEvent listen log tracing timeouts limits sites trustedProxies underscoreHeaders'.split(
    ' ',
  );

/** Ten thousand sites fit well. */
const MAX_FILE_BYTES = 4 * 1024 ** 2;

/** Reads the file at `path`, which also names it in messages. */
export function loadConfig(path: string, options: LoadOptions): LoadResult {
  const text = readConfigText(path);
  if (!text.ok) return { ok: false, problems: [text.problem], admin: null };
  const folder = dirname(resolve(path));
  return load(yamlSource(text.text, { file: path, folder, env: options.env }), options.now);
}

/** Reads a ready value of the file's shape; no `${NAME}` is replaced in it. */
export function loadConfigValue(value: unknown, options: LoadValueOptions): LoadResult {
  return load(valueSource(value, options.folder, options.places), options.now);
}

function load(source: Source, now: number): LoadResult {
  const draft = new Draft(source, now);
  const config = source.problems.length > 0 && source.value === undefined ? null : readConfig(draft);
  if (config === null || draft.errors.length > 0)
    return { ok: false, problems: sortProblems([...draft.errors]), admin: config?.admin ?? null };
  return { ok: true, config: deepFreeze(config), warnings: sortProblems(draft.warnings) };
}

function readConfig(draft: Draft): Config | null {
  prepareRoot(draft);
  const raw = readShape(draft);
  if (raw === null) return null;
  const acme = readAcme(raw.acme, draft);
  const dns = readDns(raw.dns, draft);
  const listen = readListen(raw.listen, raw.trustedProxies ?? [], draft);
  const sites = readSites(raw.sites, { acme, dns, listen }, draft);
  const storage = readStorage(raw.storage ?? DEFAULT_STORAGE, draft);
  return {
    acme,
    dns,
    onDemand: readOnDemand(raw.onDemand, draft),
    onEvent: readEventHook(raw.onEvent, draft),
    user: readUser(raw, draft),
    storage,
    admin: readAdmin(raw.admin, storage, draft),
    listen,
    workers: raw.workers ?? 'auto',
    accessLog: readAccessLog(raw, draft),
    tracing: readTracing(raw.tracing),
    timeouts: readTimeouts(raw.timeouts),
    limits: readLimits(raw.limits),
    trustedProxies: [...new Set(raw.trustedProxies ?? [])],
    underscoreHeaders: [...new Set(raw.underscoreHeaders ?? [])],
    sites,
  };
}

/** A section whose lines are all commented out counts as absent. */
function prepareRoot(draft: Draft): void {
  if (draft.value === null) draft.value = {};
  const root = draft.value;
  if (typeof root !== 'object' || root === null || Array.isArray(root)) return;
  const sections = root as Record<string, unknown>;
  for (const key of SECTIONS) if (sections[key] === null) delete sections[key];
}

function readStorage(written: string, draft: Draft): string {
  const folder = resolve(draft.folder, written);
  try {
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === false)
      draft.errorAt(['storage'], `${showValue(folder)} is not a folder`);
  } catch (error) {
    draft.errorAt(['storage'], `the folder ${showValue(folder)} ${fileState(error)}`);
  }
  return folder;
}

function readLimits(raw: RawConfig['limits']): LimitConfig {
  return {
    connections: raw?.connections ?? DEFAULT_LIMITS.connections,
    connectionsPerAddress: raw?.connectionsPerAddress ?? DEFAULT_LIMITS.connectionsPerAddress,
  };
}

function readTimeouts(raw: RawConfig['timeouts']): TimeoutConfig {
  const given = Object.entries(raw ?? {}).filter(([, ms]) => ms !== undefined);
  return { ...DEFAULT_TIMEOUTS, ...Object.fromEntries(given.map(([key, ms]) => [`${key}Ms`, ms])) };
}

function readConfigText(path: string): { ok: true; text: string } | { ok: false; problem: Problem } {
  const fail = (state: string): { ok: false; problem: Problem } => ({
    ok: false,
    problem: makeProblem({ file: path, line: 0, column: 0 }, `cannot read the configuration: ${state}`),
  });
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, 'r');
    if (fstatSync(descriptor).isDirectory()) return fail('the file is a folder');
    const buffer = Buffer.allocUnsafe(MAX_FILE_BYTES + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < buffer.length; length += read)
      read = readSync(descriptor, buffer, length, buffer.length - length, null);
    if (length > MAX_FILE_BYTES) return fail('the file is larger than 4 MiB');
    const text = new TextDecoder('utf-8', { fatal: true }).decode(buffer.subarray(0, length));
    return text.includes('\0') ? fail('the file is not text') : { ok: true, text };
  } catch (error) {
    if (error instanceof TypeError) return fail('the file is not UTF-8 text');
    return fail(`the file ${fileState(error)}`);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}
