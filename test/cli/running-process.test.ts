// `perantara reload` and `perantara status` against real processes: what they print, what they advise, how they end.
import assert from 'node:assert/strict';
import { chmod, chown, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { AdminEndpoint } from '../../src/admin/admin-endpoint.ts';
import { runCommand } from '../../src/cli/cli.ts';
import { processTerminal, type Terminal } from '../../src/cli/terminal.ts';
import { capturedLog } from '../support/captured-log.ts';
import { fakeAdminServices } from '../support/fake-admin-services.ts';
import { servicesOfFile } from '../support/file-admin-services.ts';
import { freePort } from '../support/free-port.ts';
import { runProgram } from '../support/program.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { MAIN, type Running, startNode } from './command.ts';

const PROGRAM = join(import.meta.dirname, '../support/admin-program.ts');
const GOOD = 'sites:\n  app.example: http://127.0.0.1:3000\n';
const BAD = 'listen: { https: "nowhere" }\nsites:\n  app.example: ftp://127.0.0.1\n';

const THIS = processTerminal();

/** A folder with perantara.yaml. */
async function folderWith(t: TestContext, text: string): Promise<string> {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'perantara.yaml'), text);
  return folder;
}

/** A process that serves the file of the folder. */
async function startIn(t: TestContext, folder: string, file = 'perantara.yaml'): Promise<Running> {
  const running = startNode([PROGRAM, file], folder);
  t.after(() => running.child.kill('SIGKILL'));
  await running.until(/open at/);
  return running;
}

/** The same inside this process, since starting one takes its time. */
async function serveIn(t: TestContext, folder: string): Promise<void> {
  const { services, admin } = await inFolder(folder, () => servicesOfFile('perantara.yaml', capturedLog().log));
  const endpoint = new AdminEndpoint(admin, services);
  t.after(() => endpoint.destroy());
  await endpoint.start();
}

async function inFolder<T>(folder: string, work: () => T | Promise<T>): Promise<T> {
  const before = process.cwd();
  process.chdir(folder);
  try {
    return await work();
  } finally {
    process.chdir(before);
  }
}

interface Typed {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the verb in this process. */
function type(folder: string, line: string): Promise<Typed> {
  const said = { stdout: '', stderr: '' };
  const terminal: Terminal = {
    ...THIS,
    folder,
    out: (text) => {
      said.stdout += text;
    },
    err: (text) => {
      said.stderr += text;
    },
  };
  return inFolder(folder, async () => {
    const code = await runCommand(line.split(' '), terminal);
    return { code, ...said };
  });
}

/** Runs it in a process of its own, as another user. */
function typeAs(uid: number, folder: string, line: string): Promise<Typed> {
  return runProgram(process.execPath, [MAIN, ...line.split(' ')], { cwd: folder, uid });
}

describe('perantara reload', () => {
  it('says what is in force now, with the warnings, and ends with 0', async (t) => {
    const folder = await folderWith(t, GOOD);
    await serveIn(t, folder);
    const same = await type(folder, 'reload');
    assert.deepEqual(
      [same.code, same.stdout, same.stderr],
      [0, 'perantara.yaml: in force as generation 2; no site or listener is another than before\n', ''],
    );
    const verify = '  b.example: { proxy: { to: "https://127.0.0.1:1", verify: false } }\n';
    await writeFile(join(folder, 'perantara.yaml'), `sites:\n${verify}`);
    const changed = await type(folder, 'reload');
    assert.equal(
      changed.stdout,
      'perantara.yaml: in force as generation 3; sites added: b.example; sites removed: app.example\n',
    );
    assert.match(changed.stderr, /^warning: perantara\.yaml:2:.*verify/);
    assert.equal(changed.stderr, (await type(folder, 'validate')).stderr);
    assert.equal(changed.code, 0);
  });

  it('prints the problems as validate prints them, wherever the process was started, and ends with 1', async (t) => {
    const folder = await folderWith(t, GOOD);
    await mkdir(join(folder, 'elsewhere'));
    await startIn(t, join(folder, 'elsewhere'), '../perantara.yaml');
    await writeFile(join(folder, 'perantara.yaml'), BAD);
    const [refused, validated] = [await type(folder, 'reload'), await type(folder, 'validate')];
    assert.match(validated.stderr, /^perantara\.yaml:1:.*2 problems\n$/s);
    assert.equal(refused.stderr, `${validated.stderr}not reloaded: generation 1 stays in force\n`);
    assert.deepEqual([refused.code, refused.stdout], [1, '']);
  });

  it('knows the process by its file also through a link', async (t) => {
    const folder = await folderWith(t, GOOD);
    await symlink('perantara.yaml', join(folder, 'link.yaml'));
    await serveIn(t, folder);
    assert.equal((await type(folder, 'reload --config link.yaml')).code, 0);
  });

  it('tells why a file without a mistake cannot be followed', async (t) => {
    const folder = await folderWith(t, GOOD);
    await serveIn(t, folder);
    await writeFile(join(folder, 'perantara.yaml'), 'sites: { unopened.example: 3000 }\n');
    const { code, stderr } = await type(folder, 'reload');
    assert.equal(
      stderr,
      'perantara reload: cannot listen on ":443": the port is in use\nnot reloaded: generation 1 stays in force\n',
    );
    assert.equal(code, 1);
  });

  it('points to the log when the process has a fault', async (t) => {
    const folder = await folderWith(t, GOOD);
    await serveIn(t, folder);
    await writeFile(join(folder, 'perantara.yaml'), 'sites: { faulty.example: 3000 }\n');
    const { code, stderr } = await type(folder, 'reload');
    assert.match(
      stderr,
      new RegExp(
        `^perantara reload: cannot answer: a fault of Perantara; .*log of process ${process.pid} says more\n$`,
      ),
    );
    assert.equal(code, 1);
  });

  it('says how to start a process when none runs, and ends with 1', async (t) => {
    const folder = await folderWith(t, GOOD);
    const { code, stderr } = await type(folder, 'reload');
    assert.equal(code, 1);
    assert.match(stderr, /^perantara reload: cannot find a running process: nobody answers at .*certs\/admin\.sock"/);
    assert.match(stderr, /start one with "perantara run --config perantara\.yaml"/);
  });

  it('says so when a process has left its socket', async (t) => {
    const folder = await folderWith(t, GOOD);
    const running = await startIn(t, folder);
    running.child.kill('SIGKILL');
    await running.ended;
    const { code, stderr } = await type(folder, 'reload');
    assert.deepEqual([code, /nobody answers at/.test(stderr)], [1, true]);
  });

  it('prints the problems also when no process runs', async (t) => {
    const folder = await folderWith(t, BAD);
    for (const text of [BAD, 'admin: [\n']) {
      await writeFile(join(folder, 'perantara.yaml'), text);
      const { code, stderr } = await type(folder, 'reload');
      const [validated, advice] = [
        (await type(folder, 'validate')).stderr,
        'perantara reload: cannot find a running process',
      ];
      assert.ok(stderr.startsWith(`${validated}${advice}`), stderr);
      assert.equal(code, 1);
    }
  });

  it('finds the process at the usual places when its file is no YAML any more', async (t) => {
    const folder = await folderWith(t, GOOD);
    await serveIn(t, folder);
    await writeFile(join(folder, 'perantara.yaml'), 'sites: [\n');
    const { code, stderr } = await type(folder, 'reload');
    assert.equal(stderr, `${(await type(folder, 'validate')).stderr}not reloaded: generation 1 stays in force\n`);
    assert.equal(code, 1);
    assert.equal((await type(folder, 'status')).code, 0);
  });

  it('reaches a process that has a variable which this shell has not', async (t) => {
    const folder = await folderWith(
      t,
      'onEvent: { webhook: "$\u007bHOOK_OF_SERVICE}" }\nsites: { app.example: 3000 }\n',
    );
    process.env.HOOK_OF_SERVICE = 'http://127.0.0.1:9000/hook';
    t.after(() => delete process.env.HOOK_OF_SERVICE);
    await startIn(t, folder);
    delete process.env.HOOK_OF_SERVICE;
    assert.equal((await type(folder, 'validate')).code, 1);
    const { code, stderr } = await type(folder, 'reload');
    assert.deepEqual([code, stderr], [0, '']);
  });

  it('does not reload a process that serves another file, and names that', async (t) => {
    const folder = await folderWith(t, GOOD);
    await writeFile(join(folder, 'other.yaml'), GOOD);
    await serveIn(t, folder);
    const { code, stderr } = await type(folder, 'reload --config other.yaml');
    assert.equal(code, 1);
    assert.match(stderr, /cannot find a running process for other\.yaml: at "/);
    assert.ok(
      stderr.includes(`pid ${process.pid} serves ${join(folder, 'perantara.yaml')}; name that file with --config`),
    );
  });

  it('reaches a process by its socket when the file names another by now', async (t) => {
    const folder = await folderWith(t, `admin: ./old.sock\n${GOOD}`);
    await serveIn(t, folder);
    await writeFile(join(folder, 'perantara.yaml'), `admin: ./new.sock\n${GOOD}`);
    assert.match((await type(folder, 'reload')).stderr, /nobody answers at .*new\.sock.*name its socket with --socket/);
    const { code, stdout } = await type(folder, 'reload --socket old.sock');
    assert.deepEqual([code, stdout.slice(0, 37)], [0, 'perantara.yaml: in force as generatio']);
    assert.equal((await type(folder, 'reload --socket none.sock')).code, 1);
  });

  it('advises SIGHUP when the endpoint is off', async (t) => {
    const folder = await folderWith(t, `admin: off\n${GOOD}`);
    const { code, stderr } = await type(folder, 'reload');
    assert.equal(code, 1);
    assert.match(stderr, /"admin" is off in perantara\.yaml; "kill -HUP PID" also makes it load its file/);
  });

  it('names the user who may open the socket', async (t) => {
    if (process.getuid?.() !== 0) return t.skip('only root can become another user');
    const folder = await folderWith(t, `admin: ./admin.sock\n${GOOD}`);
    await startIn(t, folder);
    await chmod(folder, 0o755);
    await chmod(join(folder, 'perantara.yaml'), 0o644);
    const nobody = 65_534;
    const { code, stderr } = await typeAs(nobody, folder, 'reload');
    assert.equal(code, 1, stderr);
    assert.match(
      stderr,
      /cannot open the admin socket ".*admin\.sock": permission denied; run this as user 0 or as root: sudo perantara reload --config perantara\.yaml\n$/,
    );
    await chown(join(folder, 'admin.sock'), nobody, nobody);
    assert.equal((await typeAs(nobody, folder, 'reload')).code, 0);
  });

  it('sends the token of the file to a loopback address, and says so when it is another', async (t) => {
    const port = await freePort();
    const text = (token: string): string => `admin: { address: "127.0.0.1:${port}", token: ${token} }\n${GOOD}`;
    const folder = await folderWith(t, text('0123456789abcdef'));
    assert.match((await type(folder, 'reload')).stderr, new RegExp(`nobody answers at "127\\.0\\.0\\.1:${port}"`));
    await serveIn(t, folder);
    assert.equal((await type(folder, 'reload')).code, 0);
    await writeFile(join(folder, 'perantara.yaml'), text('fedcba9876543210'));
    const { code, stderr } = await type(folder, 'reload');
    assert.equal(code, 1);
    assert.match(stderr, /it has another token than perantara\.yaml; .*kill -HUP PID/);
    assert.doesNotMatch(stderr, /fedcba/);
  });
});

describe('perantara target', () => {
  it('drains and enables a target of the running process, and says what is there when the name is none', async (t) => {
    const folder = await folderWith(t, GOOD);
    await serveIn(t, folder);
    const name = 'http://127.0.0.1:3000';
    const out = async (line: string): Promise<string> => (await type(folder, line)).stdout;
    assert.equal(await out(`target drain ${name}`), `${name}: drained; nothing is under way on it\n`);
    assert.equal(await out('target drain 127.0.0.1:3000'), `${name}: drained already; nothing is under way on it\n`);
    assert.equal(await out(`target enable ${name}`), `${name}: enabled\n`);
    assert.equal(await out(`target enable ${name}`), `${name}: enabled already\n`);
    const { code, stdout, stderr } = await type(folder, 'target drain http://127.0.0.1:300');
    assert.deepEqual([code, stdout], [1, '']);
    assert.equal(
      stderr,
      `perantara target drain: cannot find the target "http://127.0.0.1:300": did you mean ${name}?\n`,
    );
    assert.match((await type(folder, 'target')).stderr, /a word is missing, as in target drain or target enable/);
  });

  it('ends with 0 when the target is drained, though nobody can say what is under way on it', async (t) => {
    const folder = await temporaryFolder(t);
    const services = fakeAdminServices();
    services.drainTarget = async () => {
      services.reports = () => Promise.reject(new Error('no'));
      return true;
    };
    const paths = [join(folder, 'admin.sock')];
    const endpoint = new AdminEndpoint({ kind: 'socket', paths, isDefault: false, position: 'test' }, services);
    t.after(() => endpoint.destroy());
    await endpoint.start();
    const { code, stdout, stderr } = await type(folder, `target drain 3000 --socket ${paths[0]}`);
    assert.deepEqual([code, stdout, stderr], [0, 'http://localhost:3000: drained\n', '']);
  });
});

describe('perantara status', () => {
  it('shows the process, its certificates and targets', async (t) => {
    const folder = await folderWith(t, GOOD);
    await serveIn(t, folder);
    const { code, stdout, stderr } = await type(folder, 'status');
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(
      stdout,
      new RegExp(`^process +perantara 9\\.8\\.7 on Node v\\d.*, pid ${process.pid}, serving, up \\w+`),
    );
    assert.match(stdout, /^file +\/.*\/perantara\.yaml, generation 1, loaded \w+ ago$/m);
    assert.match(stdout, /^listening +https \[::\]:443$/m);
  });

  it('prints everything as JSON for programs', async (t) => {
    const folder = await folderWith(t, GOOD);
    await serveIn(t, folder);
    const { code, stdout } = await type(folder, 'status --json');
    const { status, certificates, targets } = JSON.parse(stdout);
    assert.deepEqual([code, status.pid, certificates, targets], [0, process.pid, [], []]);
  });

  it('ends with 1 when no process answers', async (t) => {
    const folder = await folderWith(t, GOOD);
    const { code, stdout, stderr } = await type(folder, 'status --json');
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, /^perantara status: cannot find a running process/);
    assert.doesNotMatch(stderr, /HUP/);
  });
});
