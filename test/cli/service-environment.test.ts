// What a service manager says is for this process alone.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { takeServiceEnvironment } from '../../src/cli/service-environment.ts';

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
