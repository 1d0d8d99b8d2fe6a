// What a process tells its service manager, and when.
import { deepStrictEqual, match, ok, strictEqual } from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { notifyObstacle, startNotifyReceiver } from '../support/notify-receiver.ts';
import { startPerantara } from '../support/perantara.ts';

const obstacle = notifyObstacle();
const TOOLS = obstacle === null ? {} : { skip: obstacle };

test(
  'a service manager hears when the process serves, reloads, lives on and stops, and how it fares',
  TOOLS,
  async (t) => {
    const name = `@perantara-test-${process.pid}`;
    const manager = await startNotifyReceiver(t, name);
    const sites = { 'app.localhost': { respond: { body: 'x' } }, 'b.localhost': { respond: { body: 'x' } } };
    const proxy = await startPerantara({ config: { sites }, env: { NOTIFY_SOCKET: name, WATCHDOG_USEC: '1500000' } });
    t.after(() => proxy.stop());
    const ready = await manager.until(({ READY }) => READY === '1');
    match(ready.STATUS!, /^serving 2 sites, [012] certificates? valid$/);
    await proxy.obtained('app.localhost', 'b.localhost');
    strictEqual(manager.heard.indexOf(ready), 0);
    deepStrictEqual(await manager.until(({ WATCHDOG }) => WATCHDOG === '1'), { WATCHDOG: '1' });

    const now = () => Number(process.hrtime.bigint() / 1_000n);
    let from = manager.heard.length;
    const before = now();
    proxy.signal('SIGHUP');
    const reloading = await manager.until(({ RELOADING }) => RELOADING === '1', from);
    const at = Number(reloading.MONOTONIC_USEC);
    ok(before <= at && at <= now(), `${before} ${at}`);
    const again = await manager.until(({ READY }) => READY === '1', from);
    ok(manager.heard.indexOf(again) > manager.heard.indexOf(reloading));
    strictEqual(again.STATUS, 'serving 2 sites, 2 certificates valid');

    from = manager.heard.length;
    await writeFile(proxy.configFile, 'sites: { app.localhost: { respnd: 1 } }');
    proxy.signal('SIGHUP');
    const refused = await manager.until(({ READY }) => READY === '1', from);
    match(
      refused.STATUS!,
      /^serving 2 sites, 2 certificates valid; last reload refused: cannot use the new configuration: \d problems?$/,
    );

    from = manager.heard.length;
    proxy.signal('SIGTERM');
    strictEqual(await proxy.exited, 0);
    ok(await manager.until(({ STOPPING }) => STOPPING === '1', from));
    deepStrictEqual(
      proxy.log.filter(({ msg }) => msg.startsWith('service manager')),
      [],
    );
  },
);
