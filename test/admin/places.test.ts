// Where the admin endpoint is opened: stale sockets, sockets of the living, permissions, other places after a reload.
import assert from 'node:assert/strict';
import { chmod, mkdir, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { AdminEndpoint, type AdminEndpointOptions } from '../../src/admin/admin-endpoint.ts';
import type { AdminConfig } from '../../src/config/config.ts';
import { type Running, startNode } from '../cli/command.ts';
import { ACCEPTED, type FakeAdminServices, fakeAdminServices, workerReport } from '../support/fake-admin-services.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { askAdmin } from './ask-admin.ts';

const PROGRAM = join(import.meta.dirname, '../support/admin-program.ts');

const written = (...paths: string[]): AdminConfig => ({ kind: 'socket', paths, isDefault: false, position: 'test' });
const unwritten = (...paths: string[]): AdminConfig => ({ kind: 'socket', paths, isDefault: true, position: 'test' });

interface Placed {
  readonly endpoint: AdminEndpoint;
  readonly services: FakeAdminServices;
}

function placed(t: TestContext, config: AdminConfig | null, options: AdminEndpointOptions = {}): Placed {
  const services = fakeAdminServices();
  const endpoint = new AdminEndpoint(config, services, options);
  t.after(() => endpoint.destroy());
  return { endpoint, services };
}

function program(t: TestContext, config: AdminConfig): Running {
  const running = startNode([PROGRAM, JSON.stringify(config)]);
  t.after(() => running.child.kill('SIGKILL'));
  return running;
}

async function modeOf(path: string): Promise<string> {
  return ((await stat(path)).mode & 0o777).toString(8);
}

describe('the socket of the admin endpoint', () => {
  it('can be opened by nobody but its user, whatever the umask, which stays as it was', async (t) => {
    const folder = await temporaryFolder(t);
    const before = process.umask(0o000);
    t.after(() => process.umask(before));
    const { endpoint } = placed(t, written(join(folder, 'admin.sock')));
    await endpoint.start();
    assert.equal(await modeOf(join(folder, 'admin.sock')), '600');
    assert.equal(process.umask(), 0o000);
  });

  it('is removed when the endpoint is closed', async (t) => {
    const folder = await temporaryFolder(t);
    const { endpoint } = placed(t, written(join(folder, 'admin.sock')));
    await endpoint.start();
    await endpoint.close();
    assert.deepEqual(await readdir(folder), []);
    assert.equal(endpoint.place, null);
  });

  it('takes the place of one that a killed process left', async (t) => {
    const folder = await temporaryFolder(t);
    const socket = join(folder, 'admin.sock');
    const first = program(t, written(socket));
    await first.until(/open at/);
    first.child.kill('SIGKILL');
    assert.equal(await first.ended, 'SIGKILL');
    assert.deepEqual(await readdir(folder), ['admin.sock']);
    const { endpoint } = placed(t, written(socket));
    await endpoint.start();
    assert.equal((await askAdmin(socket, '/status')).json.pid, process.pid);
    assert.deepEqual(await readdir(folder), ['admin.sock']);
  });

  it('is left to the living process that has it, and taken over when that ends', async (t) => {
    const folder = await temporaryFolder(t);
    const socket = join(folder, 'admin.sock');
    const first = program(t, unwritten(socket));
    await first.until(/open at/);
    const { endpoint, services } = placed(t, unwritten(socket), { lookMs: 20 });
    await endpoint.start();
    assert.equal(endpoint.place, null);
    const line = services.captured.lines.at(-1)!;
    assert.match(line.msg, /^no admin endpoint: another process answers at its socket/);
    assert.deepEqual([line.level, line.socket], ['warn', socket]);
    assert.equal((await askAdmin(socket, '/status')).json.pid, first.child.pid);
    first.child.kill('SIGTERM');
    assert.equal(await first.ended, 0, first.text());
    while (endpoint.place === null) await new Promise(setImmediate);
    assert.equal((await askAdmin(socket, '/status')).json.pid, process.pid);
    assert.equal(services.captured.messages().filter((message) => message.startsWith('no admin')).length, 1);
  });

  it('is left to the living process although somebody wrote the path: two may share a file', async (t) => {
    const socket = join(await temporaryFolder(t), 'admin.sock');
    const first = placed(t, written(socket));
    const second = placed(t, written(socket));
    await first.endpoint.start();
    await second.endpoint.start();
    assert.deepEqual([first.endpoint.place, second.endpoint.place], [socket, null]);
  });

  it('goes to exactly one of many that start at once where a dead one lies', async (t) => {
    const folder = await temporaryFolder(t);
    const socket = join(folder, 'admin.sock');
    const dead = program(t, written(socket));
    await dead.until(/open at/);
    dead.child.kill('SIGKILL');
    await dead.ended;
    const all = Array.from({ length: 20 }, () => placed(t, written(socket), { lookMs: 20 }));
    await Promise.all(all.map(({ endpoint }) => endpoint.start()));
    const open = (): Placed[] => all.filter(({ endpoint }) => endpoint.place !== null);
    while (open().length !== 1) await new Promise(setImmediate);
    const winner = open()[0]!.services;
    winner.reportList = [workerReport({ connections: 4711 })];
    assert.equal((await askAdmin(socket, '/status')).json.connections, 4711);
    for (const { endpoint, services } of all) if (services !== winner) await endpoint.close();
    assert.equal((await askAdmin(socket, '/status')).json.connections, 4711);
    assert.deepEqual(await readdir(folder), ['admin.sock']);
  });

  it('is put back when somebody has removed it', async (t) => {
    const folder = await temporaryFolder(t);
    const socket = join(folder, 'admin.sock');
    const { endpoint, services } = placed(t, written(socket), { lookMs: 20 });
    await endpoint.start();
    await rm(socket);
    while ((await readdir(folder)).includes('admin.sock') === false) await new Promise(setImmediate);
    assert.equal((await askAdmin(socket, '/health')).status, 200);
    assert.ok(services.captured.messages().includes('admin socket taken from its place'));
  });

  it('of another process stays when this one closes its own', async (t) => {
    const socket = join(await temporaryFolder(t), 'admin.sock');
    const [first, second] = [placed(t, written(socket)), placed(t, written(socket))];
    await first.endpoint.start();
    await rm(socket);
    await second.endpoint.start();
    await first.endpoint.close();
    assert.equal((await askAdmin(socket, '/health')).status, 200);
  });

  it('is not put where a file stands, which stays', async (t) => {
    const folder = await temporaryFolder(t);
    const path = join(folder, 'admin.sock');
    await writeFile(path, 'precious');
    await assert.rejects(placed(t, written(path)).endpoint.start(), {
      code: 'admin_failed',
      source: 'operator',
      message: `cannot open the admin socket "${path}": something else than a socket stands there; remove it, or name another path`,
    });
    assert.equal((await stat(path)).size, 8);
    await symlink(path, join(folder, 'link'));
    await assert.rejects(placed(t, written(join(folder, 'link'))).endpoint.start(), /something else than a socket/);
  });

  it('keeps a process from starting when its path was written and cannot be had', async (t) => {
    const folder = await temporaryFolder(t);
    const path = join(folder, 'none', 'admin.sock');
    await assert.rejects(placed(t, written(path)).endpoint.start(), /its folder does not exist$/);
    const long = join(folder, 'x'.repeat(120));
    await assert.rejects(
      placed(t, written(long)).endpoint.start(),
      /too long for a unix socket: \d+ bytes, where 107 fit$/,
    );
  });

  it('keeps no process from starting when nobody wrote a path: the log says why there is none', async (t) => {
    const folder = await temporaryFolder(t);
    const { endpoint, services } = placed(t, unwritten(join(folder, 'x'.repeat(120))));
    await endpoint.start();
    assert.equal(endpoint.place, null);
    const line = services.captured.lines.at(-1)!;
    assert.match(line.msg, /^no admin endpoint: sites are served without/);
    assert.match(line.err!.message, /too long for a unix socket/);
  });

  it('is in the first folder that is there, else in a storage folder that it makes with mode 0700', async (t) => {
    const folder = await temporaryFolder(t);
    const [run, storage] = [join(folder, 'run', 'admin.sock'), join(folder, 'certs', 'admin.sock')];
    const first = placed(t, unwritten(run, storage));
    await first.endpoint.start();
    assert.equal(first.endpoint.place, storage);
    assert.equal(await modeOf(join(folder, 'certs')), '700');
    await first.endpoint.close();
    await mkdir(join(folder, 'run'));
    const second = placed(t, unwritten(run, storage));
    await second.endpoint.start();
    assert.equal(second.endpoint.place, run);
    // Another process on another storage keeps out of its way.
    const third = placed(t, unwritten(run, storage));
    await third.endpoint.start();
    assert.equal(third.endpoint.place, storage);
  });

  it('is not put into a folder that may not be written to', async (t) => {
    if (process.getuid?.() === 0) return t.skip('root may write everywhere');
    const folder = await temporaryFolder(t);
    await mkdir(join(folder, 'run'));
    await chmod(join(folder, 'run'), 0o500);
    const { endpoint } = placed(t, unwritten(join(folder, 'run', 'admin.sock'), join(folder, 'certs', 'admin.sock')));
    await endpoint.start();
    assert.equal(endpoint.place, join(folder, 'certs', 'admin.sock'));
  });
});

describe('the loopback address of the admin endpoint', () => {
  it('keeps a process from starting when it is in use', async (t) => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    t.after(() => other.close());
    const { port } = other.address() as { port: number };
    const config = {
      kind: 'loopback',
      host: '127.0.0.1',
      port,
      token: 'x'.repeat(16),
      position: 'p.yaml:1:8',
    } as const;
    await assert.rejects(placed(t, config).endpoint.start(), {
      source: 'operator',
      message: `p.yaml:1:8: cannot open the admin endpoint on "127.0.0.1:${port}": the port is in use by another program`,
    });
  });
});

describe('a new configuration', () => {
  it('moves the endpoint; the request that brought it is answered at the old place', async (t) => {
    const folder = await temporaryFolder(t);
    const [from, to] = [join(folder, 'from.sock'), join(folder, 'to.sock')];
    const { endpoint, services } = placed(t, written(from));
    await endpoint.start();
    services.onReload = async () => {
      await endpoint.adopt(written(to));
      return ACCEPTED;
    };
    assert.equal((await askAdmin(from, '/reload', { method: 'POST' })).status, 200);
    assert.equal((await askAdmin(to, '/health')).status, 200);
    await assert.rejects(askAdmin(from, '/health'), { code: 'ENOENT' });
  });

  it('that names a place that cannot be had leaves the endpoint where it is', async (t) => {
    const folder = await temporaryFolder(t);
    const from = join(folder, 'from.sock');
    const { endpoint } = placed(t, written(from));
    await endpoint.start();
    await assert.rejects(endpoint.adopt(written(join(folder, 'none', 'to.sock'))), { code: 'admin_failed' });
    assert.equal((await askAdmin(from, '/health')).status, 200);
  });

  it('that has the same place changes nothing', async (t) => {
    const socket = join(await temporaryFolder(t), 'admin.sock');
    const { endpoint, services } = placed(t, written(socket));
    await endpoint.start();
    await endpoint.adopt(written(socket));
    assert.deepEqual(services.captured.messages(), ['admin endpoint open']);
    assert.equal((await askAdmin(socket, '/health')).status, 200);
  });

  it('that turns it off closes it, and one that turns it on opens it', async (t) => {
    const socket = join(await temporaryFolder(t), 'admin.sock');
    const { endpoint } = placed(t, null);
    await endpoint.start();
    assert.equal(endpoint.place, null);
    await endpoint.adopt(written(socket));
    assert.equal((await askAdmin(socket, '/health')).status, 200);
    await endpoint.adopt(null);
    assert.equal(endpoint.place, null);
    await assert.rejects(askAdmin(socket, '/health'));
  });
});
