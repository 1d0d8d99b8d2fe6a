// How a serving process ends: by signals, with requests under way, idle connections and impatient operators.
import { match, notStrictEqual, ok, strictEqual } from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { needsTools } from '../support/needs-tools.ts';
import { type Perantara, startPerantara } from '../support/perantara.ts';
import { curl, type Run } from '../support/program.ts';
import { startSampleUpstream } from '../support/sample-upstream.ts';
import { findTool } from '../support/tools.ts';

const NAME = 'app.localhost';
const TOOLS = await needsTools('curl', 'openssl');

interface Site {
  readonly proxy: Perantara;
  readonly ask: (path: string) => Promise<Run>;
  /** Resolves with the answer to give to a request for /held that has reached the upstream. */
  readonly held: Promise<ServerResponse>;
}

async function serve(t: TestContext, timeouts: Readonly<Record<string, string>> = {}): Promise<Site> {
  const { promise: held, resolve: hold } = Promise.withResolvers<ServerResponse>();
  const upstream = await startSampleUpstream({
    handle: (_request, response) => {
      hold(response);
      return true;
    },
  });
  t.after(() => upstream.close());
  const proxy = await startPerantara({ config: { timeouts, sites: { [NAME]: upstream.url } } });
  t.after(() => proxy.stop());
  await proxy.obtained(NAME);
  const trust = ['--cacert', join(proxy.storage, 'local-ca/root.pem')];
  const resolve = ['--resolve', `${NAME}:${proxy.httpsPort}:127.0.0.1`];
  return { proxy, held, ask: (path) => curl([...trust, ...resolve, `https://${NAME}:${proxy.httpsPort}${path}`]) };
}

/** A keep-alive connection that has been answered once. */
async function idleConnection(t: TestContext, port: number): Promise<{ readonly closed: Promise<unknown> }> {
  const address = ['-connect', `127.0.0.1:${port}`, '-servername', NAME];
  const client = spawn(await findTool('openssl'), ['s_client', '-quiet', '-ign_eof', ...address]);
  t.after(() => client.kill('SIGKILL'));
  const closed = once(client, 'exit');
  client.stdin.on('error', () => {}).write(`GET /status/200 HTTP/1.1\r\nHost: ${NAME}\r\n\r\n`);
  match(String((await once(client.stdout, 'data'))[0]), /^HTTP\/1\.1 200 /);
  return { closed };
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(
    `${signal} closes idle connections at once, finishes the request under way, and exits with 0`,
    TOOLS,
    async (t) => {
      const { proxy, ask, held } = await serve(t);
      const idle = await idleConnection(t, proxy.httpsPort);
      const answer = ask('/held');
      const response = await held;

      proxy.signal(signal);
      await idle.closed;
      strictEqual((await ask('/status/200')).code, 7, 'nobody is let in any more');
      strictEqual(proxy.ended(), false);
      response.end('finished after the signal\n');
      const { stdout, code } = await answer;
      strictEqual(`${code} ${stdout}`, '0 finished after the signal\n');
      strictEqual(await proxy.exited, 0);
      ok(proxy.log.some((line) => /^stopping: requests under way/.test(line.msg) && line.signal === signal));
    },
  );
}

test('a second signal ends at once, with the code of the signal', TOOLS, async (t) => {
  const { proxy, ask, held } = await serve(t);
  const answer = ask('/held');
  await held;
  proxy.signal('SIGTERM');
  await proxy.logged(({ msg }) => msg.startsWith('stopping'));
  proxy.signal('SIGINT');
  strictEqual(await proxy.exited, 130);
  notStrictEqual((await answer).code, 0);
});

test('requests that outlast timeouts.drain are cut, and the log says how many', TOOLS, async (t) => {
  const { proxy, ask, held } = await serve(t, { drain: '200ms' });
  const answer = ask('/held');
  await held;
  proxy.signal('SIGTERM');
  strictEqual(await proxy.exited, 0);
  notStrictEqual((await answer).code, 0);
  strictEqual(proxy.log.find(({ msg }) => msg === 'connections cut after the drain timeout')?.connections, 1);
});

test('SIGHUP with a file that has not changed disturbs nothing', TOOLS, async (t) => {
  const { proxy, ask } = await serve(t);
  proxy.signal('SIGHUP');
  const { sitesChanged } = await proxy.logged(({ msg }) => msg === 'configuration in force');
  strictEqual(sitesChanged, 0);
  strictEqual((await ask('/status/200')).stdout, 'status 200\n');
});
