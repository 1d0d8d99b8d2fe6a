// `perantara top`: what it prints, what its keys do, and that the terminal is afterwards as it was before.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { AdminEndpoint } from '../../src/admin/admin-endpoint.ts';
import { CertificateDigest } from '../../src/admin/certificate-digest.ts';
import { type Overview, overview } from '../../src/admin/overview.ts';
import { runCommand } from '../../src/cli/cli.ts';
import type { Screen, ScreenEvents } from '../../src/cli/screen.ts';
import { processTerminal, type Terminal } from '../../src/cli/terminal.ts';
import { ORDERS, type Order, topText } from '../../src/cli/top-text.ts';
import { type FakeAdminServices, fakeAdminServices, STARTED_AT } from '../support/fake-admin-services.ts';
import { nightShift } from '../support/night-shift.ts';
import { retry } from '../support/retry.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { MAIN } from './command.ts';

const NOW = STARTED_AT + 90_000;
const PATIENCE = { deadlineMs: 15_000 };
const SCRIPT = '/usr/bin/script';

function told(services: FakeAdminServices): Promise<Overview> {
  return overview(services, new CertificateDigest(services));
}

async function served(t: TestContext, services = nightShift(Date.now())) {
  const socket = join(await temporaryFolder(t), 'admin.sock');
  const endpoint = new AdminEndpoint({ kind: 'socket', paths: [socket], isDefault: false, position: 'test' }, services);
  t.after(() => endpoint.destroy());
  await endpoint.start();
  return { socket, endpoint };
}

class FakeScreen implements Screen {
  columns = 100;
  rows = 40;
  lines: readonly string[] = [];
  draws = 0;
  state: 'new' | 'open' | 'closed' = 'new';
  events: ScreenEvents | null = null;

  open(events: ScreenEvents): void {
    this.state = 'open';
    this.events = events;
  }

  draw(lines: readonly string[]): void {
    this.lines = lines;
    this.draws++;
  }

  close(): void {
    this.state = 'closed';
  }

  get text(): string {
    return this.lines.join('\n');
  }

  async shows(pattern: RegExp): Promise<void> {
    await retry(async () => assert.match(this.text, pattern), PATIENCE);
  }
}

const THIS = processTerminal();

function start(t: TestContext, socket: string, screen: FakeScreen | null, env = {}) {
  t.after(() => screen?.events?.onKey('q'));
  const said = { out: '', err: '' };
  const terminal: Terminal = {
    ...THIS,
    env: { NO_COLOR: '1', ...env },
    screen,
    out: (text) => {
      said.out += text;
    },
    err: (text) => {
      said.err += text;
    },
  };
  return { said, code: runCommand(['top', '--socket', socket], terminal) };
}

describe('the text of top', () => {
  it('has what needs somebody, then sites and targets', async () => {
    const { head, body } = topText(await told(nightShift(NOW)), 'requests');
    const text = [...head, ...body].map((line) => line.text).join('\n');
    assert.match(text, /^perantara 9\.8\.7 {2}serving for 1m 30s {2}configuration 4 {2}00:01:30 UTC\n/);
    assert.match(text, /^\d+ requests\/s {2}\d+ errors\/s {2}52 in flight {2}418 connections$/m);
    assert.match(text, /^4 things need somebody$/m);
    assert.match(
      text,
      /^ {2}broken {2}http:\/\/10\.0\.0\.12:8080 {2}the last 3214 requests failed, since 3m: cannot connect/m,
    );
    assert.match(text, /^www\.example\.com +61 days +\d+ +0 +0 +9 {2}[▁-█]{30}$/m);
    assert.match(text, /^new\.example\.com +missing +0 +0 +0 +0$/m);
    assert.match(text, /^http:\/\/10\.0\.0\.12:8080 +failing 3m +0 +0 +- +- +-$/m);
    assert.match(text, /^http:\/\/10\.0\.0\.11:8080 +ok +12 +17 +\d+ ms +\d+ ms +\d+ ms$/m);
    const [bad] = body.filter((line) => line.text.startsWith('shop'));
    assert.equal(bad!.colour, 'bad');
  });

  it('sorts sites by what is asked for', async () => {
    const all = await told(nightShift(NOW));
    const first = (order: Order): string => topText(all, order).body[1]!.text.split(/ {2}/)[0]!;
    assert.deepEqual(ORDERS.map(first), [
      'www.example.com',
      'shop.example.com',
      'api.example.com',
      'new.example.com',
      '(no site)',
    ]);
  });

  it('says that all is well when nothing is wrong, and nothing of traffic that nobody counts', async () => {
    const { head } = topText(await told(fakeAdminServices()), 'name');
    assert.deepEqual([head[2]!.text, head[2]!.colour], ['all is well', 'good']);
    assert.match(head[1]!.text, /^0 requests\/s/);
  });

  it('makes nothing of escape sequences in names and errors', async () => {
    const services = nightShift(NOW);
    const state = { ...services.state, lastReload: { at: NOW, accepted: false, message: '\u001b[2J' } };
    services.state = state;
    const { head } = topText(await told(services), 'name');
    assert.doesNotMatch(head.map(({ text }) => text).join(''), /\u001b/);
  });
});

describe('perantara top', () => {
  it('prints once when there is no terminal, and ends with 0', async (t) => {
    const { socket } = await served(t);
    const { said, code } = start(t, socket, null);
    assert.equal(await code, 0);
    assert.match(said.out, /^perantara 9\.8\.7 .*4 things need somebody.*^http:\/\/10\.0\.0\.13:8080 +drained/ms);
    assert.equal(said.err, '');
  });

  it('ends with 1 when no process answers', async (t) => {
    const screen = new FakeScreen();
    const { said, code } = start(t, join(await temporaryFolder(t), 'none.sock'), screen);
    assert.equal(await code, 1);
    assert.match(said.err, /^perantara top: cannot find a running process/);
    assert.equal(screen.state, 'new');
  });

  it('is live, fits the terminal, sorts and scrolls by keys, and says when the process is gone', async (t) => {
    const services = nightShift(Date.now());
    const { socket, endpoint } = await served(t, services);
    const screen = new FakeScreen();
    const { code } = start(t, socket, screen);
    const key = (...keys: string[]): void => {
      for (const each of keys) screen.events!.onKey(each);
    };
    await screen.shows(/4 things need somebody/);
    services.state = { ...services.state, config: { ...services.state.config, generation: 5 } };
    await screen.shows(/configuration 5/);

    key('s');
    await screen.shows(/s sorted by errors/);
    key('\x1b[D', '\x1b[D');
    await screen.shows(/s sorted by name/);

    Object.assign(screen, { rows: 14, columns: 40 });
    screen.events!.onResize();
    assert.equal(screen.lines.length, 14);
    assert.ok(screen.lines.every((line) => line.length <= 40));
    assert.match(screen.text, /↓ \d+ more/);
    assert.match(screen.text, /^SITE/m);
    key('\x1b[B', '\x1b[B');
    assert.doesNotMatch(screen.text, /^SITE/m);
    key('\x1b[6~', '\x1b[6~', '\x1b[6~', '\x1b[6~', '\x1b[6~');
    assert.match(screen.text, /^http:\/\/10\.0\.0\.13:8080/m);
    key('\x1b[5~', '\x1b[5~', '\x1b[5~', '\x1b[5~', '\x1b[5~', '\x1b[5~', 'x');
    assert.match(screen.text, /^SITE/m);
    Object.assign(screen, { rows: 1, columns: 1 });
    screen.events!.onResize();
    assert.equal(screen.lines.length, 1);

    Object.assign(screen, { rows: 40, columns: 100 });
    await endpoint.close();
    await screen.shows(/^no answer for .*asked again: /m);
    key('q');
    assert.equal(await code, 0);
    assert.equal(screen.state, 'closed');
  });

  it('has colours unless NO_COLOR is set', async (t) => {
    const { socket } = await served(t);
    const screen = new FakeScreen();
    const { code } = start(t, socket, screen, { NO_COLOR: '' });
    await screen.shows(/\x1b\[31m4 things need somebody\x1b\[0m/);
    screen.events!.onKey('\x03');
    assert.equal(await code, 0);
  });
});

const PSEUDO_TERMINAL = { skip: existsSync(SCRIPT) ? false : `${SCRIPT} is missing`, concurrency: true };

describe('the terminal of perantara top', PSEUDO_TERMINAL, () => {
  type Act = (type: (keys: string) => void, pid: number) => void;
  const ENTERED = '\x1b[?1049h\x1b[?25l';
  const LEFT = '\x1b[?25h\x1b[?1049l';

  /** In a terminal of its own; what it wrote, with its settings before and after. */
  async function inTerminal(t: TestContext, program: readonly string[], act: Act): Promise<string> {
    const top = program.map((word) => `"${word}"`).join(' ');
    const command = `stty rows 30 cols 100; stty -a; (echo "pid $BASHPID"; exec ${top}); echo "ended $?"; stty -a`;
    const child = spawn(SCRIPT, ['-qec', `bash -c '${command}'`, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] });
    t.after(() => child.kill('SIGKILL'));
    let text = '';
    let hasActed = false;
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      if (hasActed || !/s sorted by requests/.test(text)) return;
      hasActed = true;
      act((keys) => void child.stdin.write(keys), Number(/pid (\d+)/.exec(text)![1]));
    });
    await new Promise((resolve) => child.on('close', resolve));
    return text;
  }

  const cases: readonly (readonly [string, Act, number])[] = [
    ['q', (type) => type('q'), 0],
    ['Ctrl-C', (type) => type('\x03'), 0],
    ['SIGTERM', (_type, pid) => void process.kill(pid, 'SIGTERM'), 143],
    ['a hang-up', (_type, pid) => void process.kill(pid, 'SIGHUP'), 129],
  ];
  for (const [name, act, code] of cases)
    it(`is as it was before after ${name}`, async (t) => {
      const { socket } = await served(t);
      const text = await inTerminal(t, [process.execPath, MAIN, 'top', '--socket', socket], act);
      assert.ok(text.includes(ENTERED));
      const [, after = ''] = text.split(LEFT);
      assert.match(after, new RegExp(`ended ${code}\\r\\n`), text.slice(-500));
      const settings = [...text.matchAll(/speed \d+ baud;[\s\S]*?extproc/g)].map(([found]) => found);
      assert.equal(settings.length, 2, text);
      assert.equal(settings[1], settings[0]);
      assert.match(text, /4 things need somebody/);
    });

  it('is as it was before after a fault that nobody caught, which is then told', async (t) => {
    const program = join(await temporaryFolder(t), 'faulty.ts');
    const screen = JSON.stringify(join(import.meta.dirname, '../../src/cli/screen.ts'));
    const lines = [
      `import { TerminalScreen } from ${screen};`,
      'const screen = TerminalScreen.of(process)!;',
      "screen.open({ onKey: () => { throw new Error('boom'); }, onResize: () => {} });",
      "screen.draw(['s sorted by requests']);",
    ];
    await writeFile(program, lines.join('\n'));
    const text = await inTerminal(t, [process.execPath, program], (type) => type('x'));
    const [, after = ''] = text.split(LEFT);
    assert.match(after, /boom[\s\S]*ended 1\r\n/, text);
    assert.match(after, / icanon /);
  });
});
