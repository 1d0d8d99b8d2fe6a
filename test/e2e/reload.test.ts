// A running process takes another configuration: by signal, and by itself with --watch.
import { deepStrictEqual, match, ok, strictEqual } from 'node:assert/strict';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { runHere } from '../cli/command.ts';
import { needsTools } from '../support/needs-tools.ts';
import { type Perantara, startPerantara } from '../support/perantara.ts';
import { curl } from '../support/program.ts';

const TOOLS = await needsTools('curl');
const answering = (body: string, name = 'app.localhost') => ({ [name]: { tls: 'local', respond: { body } } });

interface Served {
  readonly proxy: Perantara;
  /** Writes the file as editors do: another one, put in its place. */
  readonly write: (text: string) => Promise<void>;
  readonly config: (sites: unknown) => string;
  readonly get: (name?: string) => Promise<string>;
}

async function serve(t: TestContext, flags: readonly string[] = []): Promise<Served> {
  const proxy = await startPerantara({ config: { sites: answering('one') }, flags });
  t.after(() => proxy.stop());
  await proxy.obtained('app.localhost');
  const { storage, listen, workers } = JSON.parse(await readFile(proxy.configFile, 'utf8'));
  const get = async (name = 'app.localhost'): Promise<string> => {
    const trust = ['--cacert', join(proxy.storage, 'local-ca/root.pem')];
    const resolve = ['--resolve', `${name}:${proxy.httpsPort}:127.0.0.1`];
    const { stdout, stderr } = await curl([...trust, ...resolve, `https://${name}:${proxy.httpsPort}/`]);
    return stdout || stderr;
  };
  const write = async (text: string): Promise<void> => {
    await writeFile(`${proxy.configFile}.new`, text);
    await rename(`${proxy.configFile}.new`, proxy.configFile);
  };
  return { proxy, write, get, config: (sites) => JSON.stringify({ storage, listen, workers, sites }, null, 2) };
}

test('SIGHUP puts the file in force as it is now', TOOLS, async (t) => {
  const { proxy, write, config, get } = await serve(t);
  strictEqual(await get(), 'one');
  await write(config({ ...answering('two'), ...answering('three', 'new.localhost') }));
  proxy.signal('SIGHUP');
  const { cause, generation, sitesAdded, sitesChanged } = await proxy.logged(
    ({ msg }) => msg === 'configuration in force',
  );
  deepStrictEqual([cause, generation, sitesAdded, sitesChanged], ['signal', 2, 1, 1]);
  strictEqual(await get(), 'two');
  await proxy.obtained('new.localhost');
  strictEqual(await get('new.localhost'), 'three');
});

test('a file with mistakes changes nothing; the log names each of them with its place', TOOLS, async (t) => {
  const { proxy, write, config, get } = await serve(t);
  await write('sites:\n  app.localhost: { respnd: {} }\ntimeouts: { head: soon }\n');
  proxy.signal('SIGHUP');
  const { problems, level } = await proxy.logged(({ msg }) => msg.startsWith('configuration refused'));
  strictEqual(level, 'error');
  ok(Array.isArray(problems) && problems.length === 2, JSON.stringify(problems));
  match(String(problems[0]), /perantara\.yaml:2:\d+: .*respnd.*did you mean "respond"/);
  strictEqual(await get(), 'one');
  await write(config(answering('mended')));
  proxy.signal('SIGHUP');
  await proxy.logged(({ msg }) => msg === 'configuration in force');
  strictEqual(await get(), 'mended');
});

test('with --watch a change of the file is enough; a file that is gone changes nothing', TOOLS, async (t) => {
  const { proxy, write, config, get } = await serve(t, ['--watch']);
  await write(config(answering('two')));
  const { cause } = await proxy.logged(({ msg }) => msg === 'configuration in force');
  strictEqual(cause, 'file');
  strictEqual(await get(), 'two');
  await rename(proxy.configFile, `${proxy.configFile}.away`);
  await write(config(answering('three')));
  await proxy.logged(({ msg, generation }) => msg === 'configuration in force' && generation === 3);
  strictEqual(await get(), 'three');
  ok(!proxy.log.some(({ msg }) => msg.startsWith('configuration refused')));
});

test('perantara reload tells what came of it, and perantara status what is in force', TOOLS, async (t) => {
  const { proxy, write, config } = await serve(t);
  const verb = (...args: readonly string[]) => runHere([...args, '--config', proxy.configFile]);
  await write(config({ ...answering('two'), ...answering('three', 'new.localhost') }));
  const first = await verb('reload');
  strictEqual(first.code, 0, first.err);
  match(first.out, /new\.localhost/);
  await proxy.obtained('new.localhost');

  await write(config({ 'app.localhost': { respnd: {} } }));
  const second = await verb('reload');
  strictEqual(second.code, 1);
  strictEqual(second.err, `${(await verb('validate')).err}not reloaded: generation 2 stays in force\n`);

  await write(config(answering('three', 'new.localhost')));
  const status = await verb('status', '--json');
  strictEqual(status.code, 0, status.err);
  const told = JSON.parse(status.out) as {
    status: { config: { generation: number }; lastReload: { accepted: boolean } };
  };
  strictEqual(told.status.config.generation, 2);
  strictEqual(told.status.lastReload.accepted, false);

  const socket = join(proxy.storage, 'admin.sock');
  const { stdout } = await curl(['--unix-socket', socket, 'http://localhost/certificates']);
  const { certificates } = JSON.parse(stdout) as { certificates: { name: string; state: string }[] };
  deepStrictEqual(
    certificates.map(({ name, state }) => [name, state]),
    [
      ['app.localhost', 'valid'],
      ['new.localhost', 'valid'],
    ],
  );
  proxy.signal('SIGTERM');
  strictEqual(await proxy.exited, 0);
  strictEqual((await verb('status')).code, 1);
});
