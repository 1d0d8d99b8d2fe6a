import { match, ok, strictEqual } from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { needsTools } from '../support/needs-tools.ts';
import { retry } from '../support/retry.ts';

const DEMO = join(import.meta.dirname, 'demo.ts');
const needs = await needsTools('pebble', 'pebble-challtestsrv');

test('the demo issues certificates, passes its own checks and leaves nothing behind', needs, async () => {
  await using run = await startDemo('--check');
  const output = await text(run.process.stdout!);
  await run.exited;
  strictEqual(run.process.exitCode, 0, output);
  match(output, /^(\d+) of \1 checks passed$/m);
  await run.assertNothingLeft();
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`the demo runs until ${signal}, then ends all and exits 0`, needs, async () => {
    await using run = await startDemo();
    await run.printed('Ctrl-C ends it all');
    run.process.kill(signal);
    await run.exited;
    strictEqual(run.process.exitCode, 0, run.output());
    await run.assertNothingLeft();
  });
}

test('the demo can be interrupted while it starts', needs, async () => {
  await using run = await startDemo();
  await run.printed('sample upstream');
  run.process.kill('SIGINT');
  await run.exited;
  strictEqual(run.process.exitCode, 0, run.output());
  await run.assertNothingLeft();
});

test('a demo that is killed takes its children along', needs, async () => {
  await using run = await startDemo();
  await run.printed('Ctrl-C ends it all');
  run.process.kill('SIGKILL');
  await run.exited;
  await retry(() => run.assertNothingLeft(), { deadlineMs: 10_000 });
});

test('the demo refuses flags it does not know with exit code 2', async () => {
  await using run = await startDemo('--chekc');
  const said = await text(run.process.stderr!);
  await run.exited;
  strictEqual(run.process.exitCode, 2);
  match(said, /--chekc/);
});

/** The demo in a temporary folder of its own, from a working folder that is not the repository. */
async function startDemo(...args: string[]): Promise<DemoRun> {
  const folder = await mkdtemp(join(tmpdir(), 'perantara-demo-test-'));
  return new DemoRun(folder, args);
}

class DemoRun implements AsyncDisposable {
  readonly process: ChildProcess;
  readonly exited: Promise<unknown>;
  readonly #folder: string;
  /** Inherited by every descendant, so that survivors are recognised. */
  readonly #mark = randomUUID();
  #output = '';

  constructor(folder: string, args: readonly string[]) {
    this.#folder = folder;
    this.process = spawn(process.execPath, [DEMO, ...args], {
      cwd: folder,
      env: { ...process.env, TMPDIR: folder, DEMO_TEST_MARK: this.#mark },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.exited = once(this.process, 'close');
    this.process.stdout!.on('data', (chunk: Buffer) => {
      this.#output += chunk;
    });
  }

  output(): string {
    return this.#output;
  }

  /** Resolves when the demo has printed this; rejects with what it printed when it ends first. */
  async printed(wanted: string): Promise<void> {
    while (!this.#output.includes(wanted)) {
      const ended = await Promise.race([once(this.process.stdout!, 'data'), this.exited.then(() => null)]);
      ok(ended !== null, `the demo ended early:\n${this.#output}`);
    }
  }

  async assertNothingLeft(): Promise<void> {
    const survivors: string[] = [];
    for (const pid of (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name))) {
      const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
      if (environment.includes(this.#mark))
        survivors.push(await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''));
    }
    strictEqual(survivors.join('\n').replaceAll('\0', ' '), '');
    strictEqual((await readdir(this.#folder)).join(), '');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.process.kill('SIGKILL');
    await this.exited;
    await rm(this.#folder, { recursive: true, force: true });
  }
}
