// Started with listening sockets, as by systemd: which are used, which are not, and what a reload makes of them.
import { deepStrictEqual, ok, strictEqual } from 'node:assert/strict';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type HeldSocket, holdSocket } from '../support/held-socket.ts';
import { needsTools } from '../support/needs-tools.ts';
import { type Perantara, type PerantaraOptions, startPerantara } from '../support/perantara.ts';
import { curl } from '../support/program.ts';
import { retry } from '../support/retry.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const TOOLS = await needsTools('curl');
const SITES = { 'app.localhost': { respond: { body: 'served' } } };

function hold(t: TestContext, host?: string): HeldSocket {
  const held = holdSocket(host);
  t.after(() => held.close());
  return held;
}

async function start(t: TestContext, options: PerantaraOptions): Promise<Perantara> {
  const proxy = await startPerantara(options);
  t.after(() => proxy.stop());
  return proxy;
}

async function get({ storage }: Perantara, port: number): Promise<string> {
  const trust = ['--cacert', join(storage, 'local-ca/root.pem')];
  const resolve = ['--resolve', `app.localhost:${port}:127.0.0.1`];
  const { stdout, stderr } = await curl([...trust, ...resolve, `https://app.localhost:${port}/`]);
  return stdout || stderr;
}

/** How a connection to the port ends: `reset`, `refused`, or `open` while it does not. */
async function knock(port: number): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  try {
    socket.on('connect', () => socket.setTimeout(300, () => socket.destroy()));
    const [error] = await Promise.race([once(socket, 'error'), once(socket, 'close').then(() => [null])]);
    return error === null ? 'open' : String(error.code);
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  } finally {
    socket.destroy();
  }
}

/** Node tells nobody. */
function descriptorOf(owner: object): number {
  return (Reflect.get(owner, '_handle') as { readonly fd: number }).fd;
}

test(
  'an address is served through the socket that is bound to it; every other descriptor is told and left alone',
  TOOLS,
  async (t) => {
    const [secure, stray] = [hold(t), hold(t)];
    const folder = await temporaryFolder(t);
    const file = openSync('/dev/null', 'r');
    t.after(() => closeSync(file));
    const unix = createServer().listen(join(folder, 'x.sock'));
    t.after(() => unix.close());
    const listener = createServer().listen(0, '127.0.0.1');
    t.after(() => listener.close());
    await Promise.all([once(unix, 'listening'), once(listener, 'listening')]);
    const connection = connect((listener.address() as AddressInfo).port, '127.0.0.1');
    await once(connection, 'connect');
    t.after(() => connection.destroy());
    const [hook, seen] = [join(folder, 'hook.sh'), join(folder, 'seen')];
    await writeFile(hook, `#!/bin/sh\n{ ls -l /proc/self/fd; echo end; } > ${seen}.new\nmv ${seen}.new ${seen}\n`, {
      mode: 0o755,
    });
    const listen = { http: '127.0.0.1:0', https: `127.0.0.1:${secure.port}` };
    const proxy = await start(t, {
      config: { listen, sites: SITES, onEvent: { exec: hook } },
      passed: [stray.fd, file, descriptorOf(unix), descriptorOf(connection), secure.fd],
      // One more than there are: Node's own. The names say nothing.
      env: { LISTEN_FDS: '6', LISTEN_FDNAMES: 'https:a:b:c:http:d' },
    });
    await proxy.obtained('app.localhost');
    strictEqual(await get(proxy, secure.port), 'served');
    strictEqual((await curl([`http://127.0.0.1:${proxy.httpPort}/`])).code, 0);

    const warnings = proxy.log.filter(({ level }) => level === 'warn');
    deepStrictEqual(
      warnings.map(({ problem, fd, name, address }) => problem ?? [fd, name, address]),
      [
        'cannot listen on descriptor 4 ("a") that was passed in: it is no socket',
        'cannot listen on descriptor 5 ("b") that was passed in: it is a unix socket, and only TCP is served',
        'cannot listen on descriptor 6 ("c") that was passed in: it is a connection; the socket unit needs "Accept=no", which is the default',
        'cannot listen on descriptor 8 ("d") that was passed in: it is no socket',
        [3, 'https', `127.0.0.1:${stray.port}`],
      ],
    );
    strictEqual(await knock(stray.port), 'ECONNREFUSED', 'nobody began to listen there');

    const text = await retry(() => readFile(seen, 'utf8'), { deadlineMs: 20_000, hopeless: () => proxy.ended() });
    ok(/ 0 -> /.test(text) && !/ [3-8] -> socket:/.test(text), `a program that was started has them too: ${text}`);
  },
);

for (const [workers, abandoned] of [
  [1, 'ECONNRESET'],
  [2, 'open'], // it waits in the queue of the socket
] as const)
  test(
    `a reload keeps the sockets: an address that goes serves nobody, and has its socket when it comes again; workers: ${workers}`,
    TOOLS,
    async (t) => {
      const [first, second] = [hold(t), hold(t)];
      const [one, two] = [`127.0.0.1:${first.port}`, `127.0.0.1:${second.port}`];
      const proxy = await start(t, {
        config: { listen: { http: 'off', https: [one, two] }, workers, sites: SITES },
        passed: [first.fd, second.fd],
      });
      await proxy.obtained('app.localhost');
      const reload = async (https: readonly string[], expected: string, http: string = 'off'): Promise<void> => {
        const before = proxy.log.length;
        const config = { storage: proxy.storage, listen: { http, https }, workers, sites: SITES };
        await writeFile(proxy.configFile, JSON.stringify(config));
        proxy.signal('SIGHUP');
        await proxy.logged((line) => proxy.log.indexOf(line) >= before && line.msg.startsWith(expected));
      };
      await reload([one], 'configuration in force');
      strictEqual(await get(proxy, first.port), 'served');
      strictEqual(await knock(second.port), abandoned);
      await reload([one, two], 'configuration refused', '192.0.2.1:1');
      strictEqual(await knock(second.port), abandoned);
      await reload([two], 'configuration in force');
      strictEqual(await knock(first.port), abandoned);
      strictEqual(await get(proxy, second.port), 'served');
      await reload([one, two], 'configuration in force');
      strictEqual(await get(proxy, first.port), 'served');
      strictEqual(await get(proxy, second.port), 'served');
    },
  );
