// The access log of a real process: rotated under load, complete after SIGTERM, and told of clients that are killed.
import { deepStrictEqual, doesNotMatch, match, strictEqual } from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { accessLines, awaitedLines } from '../support/access-lines.ts';
import { startOrigin } from '../support/origin.ts';
import { type Perantara, startPerantara } from '../support/perantara.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const NAME = 'app.localhost';

async function serve(t: TestContext, access: unknown, origin = 1): Promise<Perantara> {
  const proxy = await startPerantara({ config: { log: { access }, sites: { [NAME]: `http://127.0.0.1:${origin}` } } });
  t.after(() => proxy.stop());
  return proxy;
}

/** Redirects, as fast as a few connections bring them. */
class Load {
  answered = 0;
  #stopped = false;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 4 });
  readonly #port: number;
  readonly #clients: Promise<void>[];

  constructor(port: number) {
    this.#port = port;
    this.#clients = Array.from({ length: 4 }, () => this.#run());
  }

  async reached(count: number): Promise<void> {
    while (this.answered < count) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#clients);
    this.#agent.destroy();
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const asked = get({ port: this.#port, host: '127.0.0.1', agent: this.#agent, headers: { host: NAME } });
      const [response] = await once(asked, 'response');
      response.resume();
      await once(response, 'end');
      this.answered++;
    }
  }
}

test('rotated by SIGUSR1 under load, and ended by SIGTERM, it has each exchange once', async (t) => {
  const folder = await temporaryFolder(t);
  const file = join(folder, 'access.log');
  const proxy = await serve(t, file);
  const load = new Load(proxy.httpPort);
  const files = [file];
  for (const turn of [1, 2, 3]) {
    await load.reached(turn * 300);
    renameSync(file, `${file}.${turn}`);
    files.push(`${file}.${turn}`);
    proxy.signal('SIGUSR1');
    await awaitedLines(file, 1);
  }
  await load.stop();
  proxy.signal('SIGTERM');
  strictEqual(await proxy.exited, 0);
  const lines = files.flatMap(accessLines);
  strictEqual(lines.length, load.answered);
  deepStrictEqual(
    [...new Set(lines.map(({ outcome, status, site }) => `${outcome} ${status} ${site}`))],
    [`complete 308 ${NAME}`],
  );
  strictEqual(proxy.log.filter(({ msg }) => msg === 'access log reopened').length, 3);
  doesNotMatch(proxy.output(), /debugger/i);
});

test('SIGUSR1 opens no debugger where there is no access log', async (t) => {
  const proxy = await startPerantara({ config: { sites: { [NAME]: 'http://127.0.0.1:1' } } });
  t.after(() => proxy.stop());
  proxy.signal('SIGUSR1');
  proxy.signal('SIGTERM');
  strictEqual(await proxy.exited, 0);
  doesNotMatch(proxy.output(), /debugger/i);
});

test('a client that is killed in the middle of a response has a line that says so, with what it was sent', async (t) => {
  const folder = await temporaryFolder(t);
  const file = join(folder, 'access.log');
  const origin = await startOrigin(t, (_request, peer) =>
    peer.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello'),
  );
  const proxy = await serve(t, file, origin.port);
  await proxy.obtained(NAME);
  const script = `
    const { request } = require('node:https');
    const options = { port: ${proxy.httpsPort}, host: '127.0.0.1', servername: '${NAME}', rejectUnauthorized: false };
    request({ ...options, path: '/killed', headers: { host: '${NAME}' } }, (response) =>
      response.on('data', (chunk) => console.log(String(chunk)))).end();
  `;
  const client = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => client.kill('SIGKILL'));
  match(String((await once(client.stdout, 'data'))[0]), /hello/);
  client.kill('SIGKILL');
  await awaitedLines(file, 1);
  const [line] = accessLines(file);
  const { target, status, outcome, reason, responseBytes } = line!;
  deepStrictEqual([target, status, outcome, reason, responseBytes], ['/killed', 200, 'client_gone', 'client_gone', 5]);
});

test('lines for stdout come there, beside the log on stderr', async (t) => {
  const proxy = await serve(t, { output: 'stdout', format: 'combined' });
  const load = new Load(proxy.httpPort);
  await load.reached(3);
  await load.stop();
  proxy.signal('SIGTERM');
  strictEqual(await proxy.exited, 0);
  const lines = proxy.output().match(/^127\.0\.0\.1 - - .* 308 .*$/gm) ?? [];
  strictEqual(lines.length, load.answered);
});

test('a reload whose access log cannot be opened changes nothing, and one with another file goes on there', async (t) => {
  const folder = await temporaryFolder(t);
  const file = join(folder, 'access.log');
  const proxy = await serve(t, file);
  const config = JSON.parse(readFileSync(proxy.configFile, 'utf8'));
  const other = join(folder, 'other.log');
  writeFileSync(proxy.configFile, JSON.stringify({ ...config, log: { access: join(folder, 'no', 'access.log') } }));
  proxy.signal('SIGHUP');
  await proxy.logged(({ level }) => level === 'error');
  const ask = async (): Promise<void> => {
    const load = new Load(proxy.httpPort);
    await load.reached(1);
    await load.stop();
  };
  await ask();
  await awaitedLines(file, 1);
  writeFileSync(proxy.configFile, JSON.stringify({ ...config, log: { access: other } }));
  proxy.signal('SIGHUP');
  await proxy.logged(({ msg }) => msg === 'configuration in force');
  await ask();
  await awaitedLines(other, 1);
});
