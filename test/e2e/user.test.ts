// Started as root with `user`: what the process is when it serves, whose its files are, and what it can do no more. Only root can
// try that.
import { deepStrictEqual, match, ok, strictEqual } from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, lstat, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { findUser } from '../../src/core/system-user.ts';
import { needsTools } from '../support/needs-tools.ts';
import { type Perantara, startPerantara } from '../support/perantara.ts';
import { curl, perantara } from '../support/program.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const USER = findUser('nobody');
const TOOLS = await needsTools('curl');
const AS_ROOT =
  process.getuid?.() === 0 && USER !== null
    ? TOOLS
    : { skip: 'only root can become another user (and there must be a user "nobody")' };
const NAMES = ['app.localhost', 'late.localhost'];

/** Below 1024, where nothing listens on this machine. */
async function lowPort(): Promise<number> {
  for (let port = 1_023; port > 600; port--) {
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
  throw new Error('no port below 1024 is free');
}

async function statusOf(pid: number): Promise<Readonly<Record<string, string>>> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8');
  return Object.fromEntries(text.split('\n').map((line) => line.split(/:\s*/, 2) as [string, string]));
}

/** Owners of everything at and under `folder`, and how many there are. */
async function ownersUnder(folder: string): Promise<{ readonly owners: Set<string>; readonly count: number }> {
  const names = await readdir(folder, { recursive: true });
  const stats = await Promise.all(['.', ...names].map((name) => lstat(join(folder, name))));
  return { owners: new Set(stats.map(({ uid, gid }) => `${uid}:${gid}`)), count: stats.length };
}

async function get(proxy: Perantara, storage: string, name: string): Promise<string> {
  const trust = ['--cacert', join(storage, 'local-ca/root.pem')];
  const resolve = ['--resolve', `${name}:${proxy.httpsPort}:127.0.0.1`];
  const { stdout, stderr } = await curl([...trust, ...resolve, `https://${name}:${proxy.httpsPort}/`]);
  return stdout || stderr;
}

/** A folder that everybody may enter, as temporary ones are not. */
async function openFolder(t: TestContext): Promise<string> {
  const folder = await temporaryFolder(t);
  await chmod(folder, 0o755);
  return folder;
}

for (const workers of [1, 2])
  test(`root opens a low port and is given up before anybody is served; workers: ${workers}`, AS_ROOT, async (t) => {
    const { uid, gid } = USER!;
    const folder = await openFolder(t);
    const [storage, logs] = [join(folder, 'var/storage'), join(folder, 'logs')];
    await mkdir(join(folder, 'var'), { mode: 0o755 });
    await mkdir(logs);
    execFileSync('chown', [`${uid}:${gid}`, logs]);
    // As root has left it: it ran without "user" before.
    await mkdir(join(storage, 'local-ca'), { recursive: true, mode: 0o700 });
    await writeFile(join(storage, 'local-ca/old.txt'), 'x', { mode: 0o600 });
    const port = await lowPort();
    const config = (names: readonly string[], https: readonly string[] = [`127.0.0.1:${port}`]) => ({
      user: 'nobody',
      workers,
      storage,
      log: { access: join(logs, 'access.log') },
      listen: { http: '127.0.0.1:0', https },
      sites: Object.fromEntries(names.map((name) => [name, { respond: { body: name } }])),
    });
    const proxy = await startPerantara({ config: config(NAMES.slice(0, 1)) });
    t.after(() => proxy.stop());
    await chmod(dirname(proxy.configFile), 0o755);
    await proxy.obtained(NAMES[0]!);
    strictEqual(proxy.httpsPort, port);
    strictEqual(await get(proxy, storage, NAMES[0]!), NAMES[0]);

    const children = (await readFile(`/proc/${proxy.pid}/task/${proxy.pid}/children`, 'utf8')).trim().split(/\s+/);
    const pids = [proxy.pid, ...children.filter((pid) => pid !== '').map(Number)];
    strictEqual(pids.length, workers === 1 ? 1 : 1 + workers);
    for (const pid of pids) {
      const { Uid, Gid, Groups, CapPrm, CapEff, CapAmb } = await statusOf(pid);
      deepStrictEqual(
        [Uid, Gid, Groups?.trim()],
        [`${uid}\t${uid}\t${uid}\t${uid}`, `${gid}\t${gid}\t${gid}\t${gid}`, `${gid}`],
      );
      deepStrictEqual(new Set([CapPrm, CapEff, CapAmb]), new Set(['0'.repeat(16)]));
    }

    for (const pid of pids.slice(1)) {
      const environment = (await readFile(`/proc/${pid}/environ`, 'utf8')).split('\0');
      deepStrictEqual(environment.filter((line) => /^(USER|LOGNAME|HOME=\/root)/.test(line)).toSorted(), [
        'LOGNAME=nobody',
        'USER=nobody',
      ]);
    }

    const reload = async (value: unknown, expected: string) => {
      const before = proxy.log.length;
      await writeFile(proxy.configFile, JSON.stringify(value));
      proxy.signal('SIGHUP');
      return proxy.logged((line) => proxy.log.indexOf(line) >= before && line.msg.startsWith(expected));
    };
    await reload(config(NAMES), 'configuration in force');
    await proxy.obtained(NAMES[1]!);
    strictEqual(await get(proxy, storage, NAMES[1]!), NAMES[1]);
    const { reason } = await reload(config(NAMES, [`127.0.0.1:${port}`, '127.0.0.1:599']), 'configuration refused');
    match(String(reason), /permission denied .*perantara\.socket.* has given that up: a restart opens the port/);
    const other = await reload({ ...config(NAMES), user: 'root' }, 'configuration refused');
    match(String(other.reason), /"user" and "group" cannot change/);

    const { owners, count } = await ownersUnder(storage);
    deepStrictEqual(owners, new Set([`${uid}:${gid}`]));
    ok(count > 8, `${count}`);
    deepStrictEqual((await ownersUnder(logs)).owners, new Set([`${uid}:${gid}`]));
    proxy.signal('SIGTERM');
    strictEqual(await proxy.exited, 0);
  });

test(
  'who is not root cannot become another, and is told so; who is asked to be what it is has nothing to do',
  AS_ROOT,
  async (t) => {
    const folder = await openFolder(t);
    const file = join(folder, 'perantara.yaml');
    const run = async (user: string, uid: number) => {
      const sites = { 'app.localhost': { respond: { body: 'x' } } };
      const config = { user, storage: join(folder, 'none'), listen: { http: 'off', https: '192.0.2.1:8443' }, sites };
      await writeFile(file, JSON.stringify(config));
      return perantara(['run', '--config', file], { uid });
    };
    const refused = await run('root', USER!.uid);
    strictEqual(refused.code, 1);
    match(
      refused.stderr,
      /perantara\.yaml:1:\d+: cannot run as user "root": this process was started by nobody \(65534\), and only root can change its user/,
    );
    // Goes on to what cannot be listened on.
    match((await run('nobody', USER!.uid)).stderr, /this machine does not have that address/);
    match((await run('root', 0)).stderr, /this machine does not have that address/);
  },
);
