import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmod, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type CertificateEvent, certificateEvent } from '../../src/certs/events/certificate-event.ts';
import { EventHook } from '../../src/certs/events/event-hook.ts';
import { capturedLog } from '../support/captured-log.ts';
import { retry } from '../support/retry.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const EVENT = certificateEvent('certificate_renewed', {
  now: 0,
  name: 'a.example; touch /tmp/hacked',
  names: ['a.example'],
  issuer: 'Test CA',
  notAfter: 1_000,
  reason: 'window',
});

async function program(t: TestContext, script: string): Promise<{ folder: string; path: string }> {
  const folder = await temporaryFolder(t);
  const path = join(folder, 'hook.sh');
  await writeFile(path, `#!/bin/sh\ncd "${folder}"\n${script}\n`);
  await chmod(path, 0o755);
  return { folder, path };
}

function execHook(t: TestContext, path: string, timeoutMs = 10_000, args: readonly string[] = []) {
  const { log, lines } = capturedLog();
  const hook = { kind: 'exec', program: path, args } as const;
  const environment = { PATH: process.env.PATH!, LANG: 'C.UTF-8' };
  const events = new EventHook({ hook, log, environment, timeoutMs });
  t.after(() => events.close());
  return { events, lines };
}

test('a program gets the event as JSON on stdin and its name as last argument, without a shell, in a small environment', async (t) => {
  const { folder, path } = await program(t, 'cat > in.json; echo "$@" > args; env > environment; mv args done');
  process.env.PERANTARA_TEST_SECRET = 'secret';
  t.after(() => delete process.env.PERANTARA_TEST_SECRET);
  const { events, lines } = execHook(t, path, 10_000, ['--now', '$HOME']);
  events.tell(EVENT);
  await retry(async () => assert.ok((await readdir(folder)).includes('done')), { deadlineMs: 10_000 });
  assert.deepEqual(JSON.parse(await readFile(join(folder, 'in.json'), 'utf8')), EVENT);
  assert.equal(await readFile(join(folder, 'done'), 'utf8'), '--now $HOME certificate_renewed\n');
  assert.doesNotMatch(await readFile(join(folder, 'environment'), 'utf8'), /secret/);
  assert.deepEqual(lines, []);
});

test('a program that fails, or cannot be started, is a warning with its words', async (t) => {
  const { path } = await program(t, 'echo "no pager configured" >&2; exit 3');
  const { events, lines } = execHook(t, path);
  events.tell(EVENT);
  const missing = execHook(t, '/nowhere/hook');
  missing.events.tell(EVENT);
  await retry(async () => assert.equal(lines.length + missing.lines.length, 2), { deadlineMs: 10_000 });
  assert.match(lines[0]?.err?.message ?? '', /cannot run ".*hook\.sh": it exited with 3: no pager configured$/);
  assert.match(missing.lines[0]?.err?.message ?? '', /cannot run "\/nowhere\/hook": .*ENOENT/);
  assert.deepEqual([lines[0]?.level, lines[0]?.event], ['warn', 'certificate_renewed']);
});

test('a program that hangs is ended after its time, and the next event is handed on', async (t) => {
  const { folder, path } = await program(t, 'echo x >> started; exec sleep 60');
  const { events, lines } = execHook(t, path, 300);
  for (let count = 0; count < 5; count++) events.tell(EVENT);
  await retry(async () => assert.equal(lines.length, 5), { deadlineMs: 20_000 });
  assert.match(lines[0]?.err?.message ?? '', /it ran longer than 0\.3 s/);
  assert.ok((await readFile(join(folder, 'started'), 'utf8')).length >= 2);
});

test('what a program that hangs has started is ended with it', async (t) => {
  const { folder, path } = await program(t, 'sleep 60 & echo $! > child; wait');
  const { events, lines } = execHook(t, path, 1_000);
  events.tell(EVENT);
  await retry(async () => assert.equal(lines.length, 1), { deadlineMs: 20_000 });
  const pid = Number(await readFile(join(folder, 'child'), 'utf8'));
  await retry(async () => assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' }), { deadlineMs: 10_000 });
});

test('no more than four programs run at once, and what piles up beyond a thousand is dropped and said once', async (t) => {
  const { folder, path } = await program(t, 'echo x >> started; exec sleep 60');
  const { events, lines } = execHook(t, path);
  for (let count = 0; count < 1_100; count++) events.tell(EVENT);
  await retry(async () => assert.equal(await readFile(join(folder, 'started'), 'utf8'), 'x\n'.repeat(4)), {
    deadlineMs: 10_000,
  });
  await events.close();
  assert.deepEqual(
    lines.map(({ msg }) => msg),
    ['event hook too slow: events dropped'],
  );
  events.tell(EVENT);
});

async function webhook(t: TestContext, answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const received: CertificateEvent[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    received.push(JSON.parse(body));
    answer(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?token=secret`;
  const { log, lines } = capturedLog();
  const options = { log, environment: {}, timeoutMs: 5_000, retryDelayMs: 1 };
  const events = new EventHook({ hook: { kind: 'webhook', url }, ...options });
  t.after(() => events.close());
  return { events, received, lines };
}

test('a webhook gets the event as JSON by POST', async (t) => {
  const { events, received, lines } = await webhook(t, (request, response) => {
    response.statusCode =
      request.method === 'POST' && request.headers['content-type'] === 'application/json' ? 204 : 500;
    response.end();
  });
  events.tell(EVENT);
  await retry(async () => assert.deepEqual(received, [EVENT]), { deadlineMs: 10_000 });
  await events.close();
  assert.deepEqual(lines, []);
});

test('a webhook that refuses is asked once more; a failure is a warning that shows no secret of the address', async (t) => {
  const { events, received, lines } = await webhook(t, (_request, response) => {
    response.statusCode = 503;
    response.end();
  });
  events.tell(EVENT);
  await retry(async () => assert.equal(lines.length, 1), { deadlineMs: 10_000 });
  assert.equal(received.length, 2);
  assert.match(lines[0]?.err?.message ?? '', /^cannot post to "http:\/\/127\.0\.0\.1:\d+": it answered 503$/);
  assert.doesNotMatch(JSON.stringify(lines), /secret/);
});
