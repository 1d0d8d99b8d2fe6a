// What a service manager says is for this process alone.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findInherited, takeServiceEnvironment } from '../../src/cli/service-environment.ts';
import { capturedLog } from '../support/captured-log.ts';

test('variables of a service manager are read once and taken out of the environment', (t) => {
  const said = {
    LISTEN_PID: '1',
    LISTEN_FDS: '2',
    LISTEN_FDNAMES: 'a:b',
    NOTIFY_SOCKET: '@x',
    WATCHDOG_USEC: '7',
    WATCHDOG_PID: '1',
  };
  Object.assign(process.env, said);
  t.after(() => {
    for (const name of Object.keys(said)) delete process.env[name];
  });
  const { passed, notify } = takeServiceEnvironment(process);
  assert.deepEqual(passed, { pid: '1', count: '2', names: 'a:b' });
  const { path, ...told } = notify;
  assert.deepEqual([told, path], [{ socket: '@x', watchdogUsec: '7', watchdogPid: '1' }, process.env.PATH]);
  for (const name of Object.keys(said)) assert.equal(process.env[name], undefined);
  assert.deepEqual(takeServiceEnvironment(process).passed, { pid: undefined, count: undefined, names: undefined });
});

test('a count of descriptors that is wrong fills no log', () => {
  const { log, lines } = capturedLog();
  const listen = { http: [], https: [], redirectPort: null };
  // Of this process far fewer are open, and none of them listens.
  const { all } = findInherited({ pid: String(process.pid), count: '1000', names: undefined }, listen, log);
  assert.equal(all.length, 0);
  assert.equal(lines.length, 11);
  assert.ok(Number(lines.at(-1)!.more) > 900);
});

test('descriptors for another process are left alone, and that is said', () => {
  const { log, messages } = capturedLog();
  const listen = { http: [], https: [], redirectPort: null };
  assert.equal(findInherited({ pid: '1', count: '2', names: undefined }, listen, log).all.length, 0);
  assert.deepEqual(messages(), ['sockets not used: LISTEN_PID says that they were passed to another process']);
  findInherited({ pid: undefined, count: undefined, names: undefined }, listen, log);
  assert.equal(messages().length, 1);
});
