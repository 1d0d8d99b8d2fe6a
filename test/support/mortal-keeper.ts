// A program that keeps certificates as `perantara run` does and may be told at which step to die: run by the kill tests as
// `node mortal-keeper.ts CONFIG.json`. Its steps are the changes it makes to files, seen where they leave Node; it ends by
// itself once its certificate is kept. Prints log lines (JSON) and, when it is not to die, its steps.
import { readFileSync, writeSync } from 'node:fs';
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { basename } from 'node:path';

export interface MortalKeeperOptions {
  /** As the config file has it. */
  readonly config: Readonly<Record<string, unknown>>;
  /** The step after which it is killed, counted from 1; 0: it lives, and prints each as `step N WHAT`. */
  readonly killAt: number;
  /** Every change of a file; else only those that others can see: values in storage and locks. */
  readonly everyStep: boolean;
}

const options = JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as MortalKeeperOptions;
let steps = 0;

/** Something has just happened. What the process knows about it dies with it. */
function step(what: string, path: string): void {
  steps++;
  if (options.killAt === 0) writeSync(1, `step ${steps} ${what} ${basename(path)}\n`);
  if (options.killAt === steps) process.kill(process.pid, 'SIGKILL');
}

async function instrument(): Promise<void> {
  const { open, rename, unlink, mkdir } = fs;
  fs.rename = async (from, to) => {
    await rename(from, to);
    step('rename', String(to));
  };
  fs.unlink = async (path) => {
    await unlink(path);
    if (options.everyStep || !isTemporary(path)) step('unlink', String(path));
  };
  fs.open = async (path, flags, mode) => {
    const file = await open(path, flags, mode);
    if (flags === 'wx' && (options.everyStep || !isTemporary(path))) step('create', String(path));
    return file;
  };
  if (options.everyStep) {
    fs.mkdir = (async (path: string, how: object) => {
      const made = await mkdir(path, how);
      if (made !== undefined) step('mkdir', path);
      return made;
    }) as typeof fs.mkdir;
    const probe = await open(process.argv[2]!);
    const handle = Object.getPrototypeOf(probe) as Record<'write' | 'writeFile', (...args: unknown[]) => unknown>;
    await probe.close();
    const { writeFile } = handle;
    handle.writeFile = async function (this: unknown, ...args) {
      await writeFile.apply(this, args);
      step('write', '');
    };
  }
  syncBuiltinESMExports();
}

function isTemporary(path: unknown): boolean {
  return basename(String(path)).startsWith('.');
}

async function keep(): Promise<void> {
  // After the instruments are in place.
  const { CertificateAutomation } = await import('../../src/certs/automation.ts');
  const { loadConfigValue } = await import('../../src/config/load.ts');
  const { systemClock } = await import('../../src/core/clock.ts');
  const { createLogger } = await import('../../src/core/log.ts');
  const loaded = loadConfigValue(options.config, { folder: '/', places: { values: {}, keys: {} }, now: Date.now() });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  let close = (): void => {};
  const write = (line: string): void => {
    writeSync(1, line);
    if (/"msg":"certificate (obtained|renewed|not )/.test(line)) close();
  };
  const { manager } = new CertificateAutomation(loaded.config, {
    log: createLogger({ level: 'debug', pretty: false, write }),
    clock: systemClock,
    contextOptions: {},
  });
  const alive = setInterval(() => {}, 60_000);
  close = () => void manager.close().then(() => clearInterval(alive));
  await manager.start();
}

await instrument();
await keep();
