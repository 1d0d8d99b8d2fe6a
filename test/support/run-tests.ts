// `npm test`: fetches the tools that the tests use, then runs test/**/*.test.ts, or the files, folders and options of
// `node --test` given as arguments (`npm test -- test/core --test-name-pattern=port`).
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { glob } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { cacheFolder, locateTool, type ToolName } from './tools.ts';

const REPOSITORY = resolve(import.meta.dirname, '../..');
const TEST_TIMEOUT_MS = 120_000;
/** For a file that blocks its event loop, which no timeout of a test can end. */
const TOTAL_TIMEOUT_MS = 14 * 60_000;
/** A third of a test's time goes into waiting for sockets and children; more than this and deadlines begin to slip. */
const FILES_AT_ONCE = availableParallelism() + 1;
const TOOLS: readonly ToolName[] = [
  'pebble',
  'pebble-challtestsrv',
  'curl',
  'openssl',
  'chromium',
  'certutil',
  'docker-compose',
  'nghttp',
  'h2load',
];

const options = process.argv.slice(2).filter((argument) => argument.startsWith('-'));
const named = process.argv.slice(2).filter((argument) => !argument.startsWith('-'));
const unknown = named.find((name) => !existsSync(name));
if (unknown !== undefined) {
  console.error(`cannot run tests in ${JSON.stringify(unknown)}: no such file or folder`);
  process.exit(2);
}
const files = (await Promise.all(named.length === 0 ? [testFiles('test')] : named.map(testFiles))).flat();
if (files.length === 0) {
  console.error('cannot run tests: there is no *.test.ts file here');
  process.exit(1);
}

const missing = named.length === 0 ? await prepareTools() : 0;
const status = await runTests();
process.exitCode = status === 0 && missing > 0 && process.env.CI === 'true' ? 1 : status;

/** Fetched before the clock of any test runs. Resolves with how many cannot be had. */
async function prepareTools(): Promise<number> {
  let count = 0;
  for (const name of TOOLS) {
    try {
      const { path, from } = await locateTool(name);
      console.log(`tool ${name}: ${from === 'PATH' ? path : 'from the cache'}`);
    } catch (error) {
      count++;
      const outcome = process.env.CI === 'true' ? 'fail' : 'are skipped';
      console.log(`tool ${name}: ${(error as Error).message}; tests that need it ${outcome}`);
    }
  }
  return count;
}

/** Resolves with the exit code. */
async function runTests(): Promise<number> {
  const flags = [
    '--test',
    '--test-reporter=spec',
    `--test-timeout=${TEST_TIMEOUT_MS}`,
    `--test-concurrency=${FILES_AT_ONCE}`,
  ];
  const runner = spawn(process.execPath, [...flags, ...options, ...files], {
    cwd: REPOSITORY,
    stdio: ['ignore', 'inherit', 'inherit'],
    timeout: TOTAL_TIMEOUT_MS,
    // Tests start `node` themselves and must get this one.
    env: {
      ...process.env,
      PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
      // Hundreds of processes run the same files: half of the time that each takes to start.
      NODE_COMPILE_CACHE: join(cacheFolder(), 'compiled'),
    },
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => runner.kill(signal));
  const [code] = (await once(runner, 'exit')) as [number | null];
  return code ?? 1;
}

/** The test files at or under `place`, sorted, none in hidden folders. */
async function testFiles(place: string): Promise<readonly string[]> {
  const start = named.length === 0 ? join(REPOSITORY, place) : resolve(place);
  if (statSync(start).isFile()) return [relative(REPOSITORY, start)];
  const found: string[] = [];
  for await (const path of glob('**/*.test.ts', { cwd: start })) {
    if (!path.split(sep).some((part) => part.startsWith('.'))) found.push(relative(REPOSITORY, join(start, path)));
  }
  return found.sort();
}
