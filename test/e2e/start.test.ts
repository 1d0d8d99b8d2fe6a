// How a process starts, or says in one message why it cannot: ports, storage, the `proxy` verb, the built package, old Node.
import { deepStrictEqual, match, ok, strictEqual } from 'node:assert/strict';
import { once } from 'node:events';
import { chmod, cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { delimiter, join, resolve } from 'node:path';
import { type TestContext, test } from 'node:test';
import { askAdmin } from '../admin/ask-admin.ts';
import { needsTools } from '../support/needs-tools.ts';
import { MAIN_FILE, startPerantara } from '../support/perantara.ts';
import { curl, perantara, type Run, type RunOptions, runProgram } from '../support/program.ts';
import { startSampleUpstream } from '../support/sample-upstream.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const REPOSITORY = resolve(import.meta.dirname, '../..');
const TOOLS = await needsTools('curl');
/** `nobody` on every Linux. */
const NOBODY = 65_534;

/** A config file that others may read, and what `perantara run` with it ends with. */
async function run(t: TestContext, yaml: string, options: RunOptions = {}): Promise<Run & { file: string }> {
  const folder = await temporaryFolder(t);
  await chmod(folder, 0o755);
  const file = join(folder, 'perantara.yaml');
  await writeFile(file, yaml);
  return { file, ...(await perantara(['run', '--config', file], options)) };
}

/** Options to run as someone without rights, or why that cannot be done here. */
async function unprivileged(): Promise<RunOptions | string> {
  if (process.getuid?.() !== 0) return {};
  const program = await runProgram(process.execPath, [MAIN_FILE, 'version'], { uid: NOBODY }).catch(() => null);
  return program?.code === 0 ? { uid: NOBODY } : `user ${NOBODY} cannot read ${REPOSITORY}`;
}

test('a port in use is reported with its place in the file, and the exit code is 1', async (t) => {
  const other = createServer();
  await once(other.listen(0, '127.0.0.1'), 'listening');
  t.after(() => other.close());
  const { port } = other.address() as AddressInfo;
  const yaml = `listen:\n  http: "127.0.0.1:0"\n  https: "127.0.0.1:${port}"\nsites:\n  localhost: 3000\n`;
  const { code, stderr, file } = await run(t, yaml);
  strictEqual(code, 1);
  match(stderr, /^[^\n]*: cannot listen on "127\.0\.0\.1:\d+": the port is in use by another program; [^\n]*\n$/);
  ok(stderr.startsWith(`${file}:3:10: `), stderr);
});

test('a port without permission is reported with its place and the ways to allow it', async (t) => {
  const options = await unprivileged();
  const lowest = await readFile('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8').catch(() => '1024');
  if (Number(lowest) <= 80) return t.skip(`anyone may listen on port ${Number(lowest)} and above on this machine`);
  if (typeof options === 'string') return t.skip(options);
  const { code, stderr, file } = await run(
    t,
    'listen: { http: ":80", https: ":8443" }\nsites:\n  localhost: 3000\n',
    options,
  );
  strictEqual(code, 1, stderr);
  ok(stderr.startsWith(`${file}:1:17: cannot listen on ":80": permission denied`), stderr);
  match(stderr, /setcap cap_net_bind_service.*AmbientCapabilities.*ip_unprivileged_port_start=80/);
});

test('storage that cannot be written is reported with who has no permission where', async (t) => {
  const options = await unprivileged();
  if (typeof options === 'string') return t.skip(options);
  const folder = await temporaryFolder(t);
  await mkdir(join(folder, 'storage'), { mode: 0o555 });
  await chmod(folder, 0o755);
  const yaml = `storage: ${folder}/storage\nlisten: { http: "127.0.0.1:0", https: "127.0.0.1:0" }\nsites:\n  localhost: 3000\n`;
  const { text } = await run(t, yaml, { ...options, until: /cannot write/ });
  match(text, new RegExp(`cannot write \\\\?"${folder}/storage[^"]*": user \\d+ has no permission`), text);
});

test('every mistake in a file is reported at once, and nothing starts', async (t) => {
  const { code, stderr, file } = await run(t, 'listn: 1\nsites:\n  localhost: { proxi: 3000 }\n  "a b": 3000\n');
  strictEqual(code, 1);
  const places = stderr
    .split('\n')
    .flatMap((line) => (line.startsWith(file) ? [line.slice(file.length).split(' ')[0]] : []));
  deepStrictEqual(places, [':1:1:', ':3:16:', ':4:3:'], stderr);
  match(stderr, /did you mean "?listen/);
  match(stderr, /did you mean "?proxy/);
});

test('`perantara proxy --from localhost --to PORT` serves without a file', TOOLS, async (t) => {
  const upstream = await startSampleUpstream();
  t.after(() => upstream.close());
  const storage = join(await temporaryFolder(t), 'storage');
  const flags = ['--http', '127.0.0.1:0', '--https', '127.0.0.1:0', '--storage', storage];
  const proxy = await startPerantara({
    args: ['proxy', '--from', 'localhost', '--to', String(upstream.port), ...flags],
  });
  t.after(() => proxy.stop());
  await proxy.obtained('localhost');
  const resolveOption = ['--resolve', `localhost:${proxy.httpsPort}:127.0.0.1`];
  const url = `https://localhost:${proxy.httpsPort}/`;
  const { stdout } = await curl(['--cacert', join(storage, 'local-ca/root.pem'), ...resolveOption, url]);
  match(stdout, /<h1>It works<\/h1>/);
  proxy.signal('SIGINT');
  strictEqual(await proxy.exited, 0);
});

/** What `npm run build` makes and `npm pack` would carry, in a folder of its own. */
async function builtPackage(t: TestContext): Promise<string> {
  const folder = await temporaryFolder(t);
  const tsc = join(REPOSITORY, 'node_modules/.bin/tsc');
  const built = await runProgram(tsc, ['-p', 'src/tsconfig.json', '--outDir', join(folder, 'dist')], {
    cwd: REPOSITORY,
    withinMs: 100_000,
  });
  strictEqual(built.code, 0, built.text);
  const pages = 'admin/dashboard'; // as the script "build" has it
  await cp(join(REPOSITORY, 'src', pages), join(folder, 'dist', pages), { recursive: true });
  await cp(join(REPOSITORY, 'package.json'), join(folder, 'package.json'));
  await symlink(join(REPOSITORY, 'node_modules'), join(folder, 'node_modules'));
  return join(folder, 'dist/main.js');
}

test('the built package serves, and on an older Node says in one sentence what it needs', TOOLS, async (t) => {
  const main = await builtPackage(t);
  const proxy = await startPerantara({ main, config: { sites: { localhost: { respond: 'built\n' } } } });
  t.after(() => proxy.stop());
  await proxy.obtained('localhost');
  const url = `https://localhost:${proxy.httpsPort}/`;
  const { stdout } = await curl(['--cacert', join(proxy.storage, 'local-ca/root.pem'), '-4', url]);
  strictEqual(stdout, 'built\n');
  const { address } = await proxy.logged(({ msg }) => msg === 'admin endpoint open');
  for (const path of ['/dashboard', '/dashboard/page.js', '/dashboard/uPlot.iife.min.js'])
    strictEqual((await askAdmin(String(address), path, { headers: { host: 'localhost' } })).status, 200, path);

  const old = await olderNode();
  if (old === null) return t.diagnostic('no older Node on PATH: its message is not shown here');
  const { code, stderr, text } = await runProgram(old, [main, 'run']);
  strictEqual(code, 1);
  match(stderr, /^perantara: cannot run on Node v\d+\.\d+\.\d+: version 24\.18\.1 or newer is needed[^\n]*\n$/, text);
});

async function olderNode(): Promise<string | null> {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, 'node');
    const found = await runProgram(path, ['--version']).catch(() => null);
    const [major = 99, minor = 0] = (found?.stdout ?? '').replace('v', '').split('.').map(Number);
    if (found?.code === 0 && (major < 24 || (major === 24 && minor < 18))) return path;
  }
  return null;
}
