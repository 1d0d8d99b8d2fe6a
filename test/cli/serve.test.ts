// The life of a serving process: real processes and real signals.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { MAIN, type Running, startNode } from './command.ts';

const folder = mkdtempSync(join(tmpdir(), 'perantara-serve-'));
after(() => rmSync(folder, { recursive: true }));
const SERVE = join(MAIN, '../cli');

/** A process that serves with a server made of `members`; `after` runs once it has started. */
function startFake(members: string, afterStart = ''): Running {
  const script = `
    import { serve } from ${JSON.stringify(join(SERVE, 'serve.ts'))};
    import { processTerminal } from ${JSON.stringify(join(SERVE, 'terminal.ts'))};
    import { createLogger } from ${JSON.stringify(join(SERVE, '../core/log.ts'))};
    const timer = setInterval(() => {}, 1000);
    const server = {
      addresses: { http: [], https: [{ address: '::1', port: 8443 }] },
      async start() {}, async close() { clearInterval(timer); }, destroy() { console.log('destroyed'); },
      ${members}
    };
    const terminal = processTerminal();
    const log = createLogger({ level: 'info', pretty: false });
    setTimeout(() => { ${afterStart} }, 50);
    terminal.exit(await serve(() => server, log, terminal));
  `;
  return startNode(['--input-type=module', '-e', script]);
}

describe('a serving process', () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    it(`closes and ends with 0 on ${signal}`, async () => {
      const running = startFake("async close() { console.log('closed'); clearInterval(timer); },");
      await running.until(/"address":"\[::1\]:8443","msg":"listening"/);
      running.child.kill(signal);
      assert.equal(await running.ended, 0);
      assert.match(running.text(), /^closed$/m);
      assert.doesNotMatch(running.text(), /destroyed/);
    });

  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)
    it(`ends at once with ${code} on a second signal, ${signal}`, async () => {
      const running = startFake("close() { console.log('draining'); return new Promise(() => {}); },");
      await running.until(/listening/);
      running.child.kill('SIGTERM');
      await running.until(/draining/);
      running.child.kill(signal);
      assert.equal(await running.ended, code);
      assert.match(running.text(), /^destroyed$/m);
    });

  it('survives SIGHUP and says that reloading comes later', async () => {
    const running = startFake('');
    await running.until(/listening/);
    running.child.kill('SIGHUP');
    await running.until(/SIGHUP ignored/);
    running.child.kill('SIGTERM');
    assert.equal(await running.ended, 0);
  });

  it('logs an uncaught exception with its stack, drains, and ends with 1', async () => {
    const running = startFake(
      "async close() { console.log('drained'); clearInterval(timer); },",
      "(function culprit() { throw new TypeError('boom'); })();",
    );
    assert.equal(await running.ended, 1);
    assert.match(
      running.text(),
      /"level":"error".*"stack":"TypeError: boom\\n.*culprit.*"msg":"unexpected error: stopping"/,
    );
    assert.match(running.text(), /^drained$/m);
  });

  it('does the same for a rejection that nobody handles, whatever was thrown', async () => {
    const running = startFake('', "Promise.reject('just text');");
    assert.equal(await running.ended, 1);
    assert.match(running.text(), /"message":"just text".*unexpected error/);
  });

  it('ends with 1 when an exception comes while it is closing', async () => {
    const running = startFake(
      "close() { setTimeout(() => { throw new Error('late'); }, 10); return new Promise((r) => setTimeout(r, 100)); },",
    );
    await running.until(/listening/);
    running.child.kill('SIGTERM');
    assert.equal(await running.ended, 1);
  });

  it('ends with 1 when closing fails', async () => {
    const running = startFake("async close() { throw new Error('stuck'); },");
    await running.until(/listening/);
    running.child.kill('SIGTERM');
    assert.equal(await running.ended, 1);
    assert.match(running.text(), /shutdown failed/);
  });

  it('ends with 1 when it cannot start for a reason of its own, with the stack', async () => {
    const running = startFake("async start() { throw new Error('odd'); },");
    assert.equal(await running.ended, 1);
    assert.match(running.text(), /"stack":"Error: odd.*"msg":"start failed"/);
  });

  it('ends with 0 when it is told to stop while it starts', async () => {
    const running = startFake("start() { console.log('starting'); return new Promise((r) => setTimeout(r, 5000)); },");
    await running.until(/starting/);
    running.child.kill('SIGTERM');
    assert.equal(await running.ended, 0);
  });
});

describe('run', () => {
  it('serves, logs each listener, and ends with 0', async () => {
    const file = join(folder, 'run.yaml');
    writeFileSync(
      file,
      'listen: { http: "127.0.0.1:0", https: "127.0.0.1:0" }\nsites: { localhost: { respond: hello } }\n',
    );
    const running = startNode([MAIN, 'run', '--config', file, '--log-format', 'json']);
    const [, port] = await running.until(/"protocol":"https","address":"127\.0\.0\.1:(\d+)","msg":"listening"/);
    assert.match(running.text(), /"protocol":"http","address":"127\.0\.0\.1:\d+","msg":"listening"/);
    await running.until(/certificate obtained/);
    assert.equal(await fetchText(Number(port)), 'hello');
    running.child.kill('SIGTERM');
    assert.equal(await running.ended, 0);
    for (const line of running.text().trim().split('\n')) assert.doesNotThrow(() => JSON.parse(line), line);
  });

  it('ends with 1 and the place in the file when a port is in use', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    after(() => taken.close());
    const { port } = taken.address() as { port: number };
    const file = join(folder, 'taken.yaml');
    writeFileSync(file, `listen:\n  http: "127.0.0.1:${port}"\n  https: "127.0.0.1:0"\nsites: { localhost: 3000 }\n`);
    const running = startNode([MAIN, 'run', '--config', file]);
    assert.equal(await running.ended, 1);
    assert.match(running.text(), new RegExp(`^${file}:2:9: cannot listen on "127\\.0\\.0\\.1:${port}": .*in use`, 'm'));
    assert.doesNotMatch(running.text(), /\n\s+at /);
  });
});

describe('proxy', () => {
  it('serves one site from its flags', async () => {
    const flags = [
      '--from',
      'localhost',
      '--to',
      '1',
      '--http',
      'off',
      '--https',
      '127.0.0.1:0',
      '--storage',
      join(folder, 'one'),
    ];
    const running = startNode([MAIN, 'proxy', ...flags, '--log-format', 'json']);
    await running.until(/"protocol":"https".*"msg":"listening"/);
    assert.match(running.text(), /"from":"localhost","to":"1","msg":"forwarding"/);
    running.child.kill('SIGINT');
    assert.equal(await running.ended, 0);
  });
});

async function fetchText(port: number): Promise<string> {
  const options = { host: '127.0.0.1', port, servername: 'localhost', rejectUnauthorized: false, agent: false };
  const request = get({ ...options, headers: { host: 'localhost' } });
  const [response] = (await once(request, 'response')) as [import('node:http').IncomingMessage];
  return (await response.setEncoding('utf8').toArray()).join('');
}
