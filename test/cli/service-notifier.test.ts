// How often the service manager wants a sign of life, and what becomes of an address that cannot be used.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { beatOf, type NotifyEnvironment, ServiceNotifier } from '../../src/cli/service-notifier.ts';
import { capturedLog } from '../support/captured-log.ts';
import { retry } from '../support/retry.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const NONE: NotifyEnvironment = {
  socket: undefined,
  watchdogUsec: undefined,
  watchdogPid: undefined,
  path: process.env.PATH,
};

test('a sign of life comes at half of the time that is allowed, when it is wanted of this process', () => {
  const beat = (watchdogUsec?: string, watchdogPid?: string) => beatOf({ ...NONE, watchdogUsec, watchdogPid }, 7);
  assert.equal(beat('60000000', '7'), 30_000);
  assert.equal(beat('60000000'), 30_000);
  assert.equal(beat('60000000', '8'), null);
  assert.equal(beat('1'), 500);
  assert.equal(beat('999999999999999'), 2 ** 31 - 1);
  for (const nonsense of [undefined, '', '0', '-1', 'x', '1e9', '9'.repeat(400)]) assert.equal(beat(nonsense), null);
});

test('without an address nobody is told; one that is none is said once', () => {
  const { log, lines } = capturedLog();
  for (const socket of [undefined, '']) new ServiceNotifier({ ...NONE, socket }, log).ready(() => 'x');
  assert.equal(lines.length, 0);
  for (const socket of ['relative', 'vsock:2:1234', '/', '@'])
    new ServiceNotifier({ ...NONE, socket }, log).ready(() => 'x');
  assert.equal(lines.length, 4);
  assert.match(lines[0]!.msg, /^service manager is not told anything: NOTIFY_SOCKET is no path/);
});

test('after the end has been told nothing else is, whatever was under way', async (t) => {
  const folder = await temporaryFolder(t);
  const heard = join(folder, 'heard');
  writeFileSync(join(folder, 'systemd-notify'), '#!/bin/sh\necho "$2" >> "$NOTIFY_SOCKET"\n', { mode: 0o755 });
  const notifier = new ServiceNotifier({ ...NONE, socket: heard, path: folder }, capturedLog().log);
  notifier.reloading();
  notifier.stopping();
  notifier.ready(() => assert.fail('asked for the state'));
  notifier.reloading();
  notifier.ready(() => 'x');
  notifier.stopping();
  await retry(
    async () =>
      assert.deepEqual(readFileSync(heard, 'utf8').split('\n'), ['RELOADING=1', 'STOPPING=1', 'STOPPING=1', '']),
    { deadlineMs: 10_000 },
  );
});

test('a service manager that cannot be told is said once, and nothing else comes of it', async () => {
  for (const [path, expected] of [
    ['/nonexistent', 'the program systemd-notify is not there'],
    [process.env.PATH, /^(systemd-notify ended with 1|the program systemd-notify is not there)$/],
  ] as const) {
    const { log, lines } = capturedLog();
    const notifier = new ServiceNotifier({ ...NONE, socket: '/nonexistent/notify', path }, log);
    notifier.ready(() => 'x');
    notifier.reloading();
    notifier.stopping();
    await retry(async () => assert.equal(lines.length, 1), { deadlineMs: 5_000 });
    assert.equal(lines[0]!.msg, 'service manager cannot be told how this process fares');
    if (typeof expected === 'string') assert.equal(lines[0]!.reason, expected);
    else assert.match(String(lines[0]!.reason), expected);
  }
});
