// Real programs as DNS providers: what they are given, how they fail, how they are ended.
import assert from 'node:assert/strict';

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { ExecProvider } from '../../../src/certs/dns/exec-provider.ts';
import { retry } from '../../support/retry.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const never = new AbortController().signal;
const record = { fqdn: '_acme-challenge.a.test', value: '-x $(id) "y"', ttlSeconds: 60 };

async function script(t: TestContext, body: string): Promise<{ folder: string; program: string }> {
  const folder = await temporaryFolder(t);
  const program = join(folder, 'hook.sh');
  await writeFile(program, `#!/bin/sh\ncd "$(dirname "$0")"\n${body}\n`, { mode: 0o755 });
  return { folder, program };
}

suite('a program as DNS provider', () => {
  test('is called as lego calls it, without a shell between', async (t) => {
    const { folder, program } = await script(t, `for each; do printf '<%s>' "$each" >> log; done; echo >> log`);
    const provider = new ExecProvider({ program, args: ['--zone', 'a b'] });
    await provider.present(record, never);
    await provider.cleanUp(record, never);
    const rest = '<_acme-challenge.a.test.><-x $(id) "y">';
    const expected = `<--zone><a b><present>${rest}\n<--zone><a b><cleanup>${rest}\n`;
    assert.equal(await readFile(join(folder, 'log'), 'utf8'), expected);
  });

  test('that fails is quoted: its last lines, made printable', async (t) => {
    const { program } = await script(
      t,
      `for each in 1 2 3 4; do echo "line $each" >&2; done; printf 'no \\033[31mzone\\n' >&2; exit 3`,
    );
    await assert.rejects(new ExecProvider({ program, args: [] }).present(record, never), {
      code: 'dns_provider_failed',
      source: 'operator',
      message:
        `cannot present the TXT record at "_acme-challenge.a.test" by program "${program}": ` +
        'it ended with 3 and said: line 3 / line 4 / no \\u001b[31mzone',
    });
  });

  test('that is not there says so', async () => {
    const provider = new ExecProvider({ program: '/nowhere/hook', args: [] });
    await assert.rejects(
      provider.present(record, never),
      /it cannot be started \(spawn \/nowhere\/hook ENOENT\); check dns\.exec/,
    );
  });

  test('is ended by its signal with everything that it started, also when it does not want to', async (t) => {
    const { folder, program } = await script(t, `trap '' TERM\nsleep 100 & echo $! > child\nwait; wait; sleep 100`);
    const abort = new AbortController();
    const running = new ExecProvider({ program, args: [] }).present(record, abort.signal);
    const child = await retry(
      async () => {
        const pid = Number(await readFile(join(folder, 'child'), 'utf8'));
        assert.ok(pid > 0);
        return pid;
      },
      { deadlineMs: 10_000 },
    );
    abort.abort(new Error('enough'));
    await assert.rejects(running, { message: 'enough' });
    await retry(async () => assert.ok(!isRunning(child)), { deadlineMs: 10_000 });
  });

  test('that leaves a program running is not waited for', async (t) => {
    const { folder, program } = await script(t, `sleep 5 & echo $! > child`);
    await new ExecProvider({ program, args: [] }).present(record, never);
    const child = Number(await readFile(join(folder, 'child'), 'utf8'));
    assert.ok(isRunning(child));
    process.kill(child);
  });
});

/** A program that ended but was not waited for counts as ended. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
