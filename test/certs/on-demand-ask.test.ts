// The question to the operator's endpoint, asked over real sockets.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { AskClient } from '../../src/certs/on-demand/ask.ts';
import { type AskServer, startAskServer } from '../support/ask-server.ts';
import { capturedLog } from '../support/captured-log.ts';
import { handlesBackTo, liveHandles } from '../support/handles.ts';
import { startSilentListener } from '../support/silent-listener.ts';

const ALLOW_MS = 3_600_000;
const REFUSE_MS = 300_000;

function client(t: TestContext, ask: string, timeoutMs = 10_000) {
  const captured = capturedLog();
  const time = { now: 1_000_000 };
  const clock = { now: () => time.now };
  const asks = new AskClient({ ask, allowMs: ALLOW_MS, refuseMs: REFUSE_MS, clock, log: captured.log, timeoutMs });
  t.after(() => asks.close());
  return { asks, time, ...captured };
}

const whole = (server: AskServer, ask: AskClient, name: string) =>
  ask.ask(name, '2001:db8::7').then((answer) => ({ answer, questions: server.questions.length }));

test('name and client address are asked, beside what the URL has; 200 allows', async (t) => {
  const server = await startAskServer(t);
  const { asks } = client(t, server.url);
  assert.equal(await asks.ask('shop.example.com', '2001:db8::7'), 'yes');
  assert.deepEqual(server.questions, [{ domain: 'shop.example.com', address: '2001:db8::7' }]);
});

for (const status of [201, 204, 302, 400, 403, 404])
  test(`${status} refuses, and is remembered`, async (t) => {
    const server = await startAskServer(t);
    server.answer = (_question, response) => {
      // A redirect leads to an endpoint that allows everything.
      response.writeHead(status, { location: `${server.url}&everything=1` }).end();
    };
    const { asks } = client(t, server.url);
    assert.equal(asks.known('a.example.com'), null);
    assert.equal(await asks.ask('a.example.com', '192.0.2.1'), 'no');
    assert.equal(asks.known('a.example.com'), 'no');
    assert.equal(await asks.ask('a.example.com', '192.0.2.2'), 'no');
    assert.equal(server.questions.length, 1, 'asked once, and the redirect is not followed');
  });

test('yes and no hold as long as they are configured to, and not while the clock is before them', async (t) => {
  const server = await startAskServer(t);
  const { asks, time } = client(t, server.url);
  const startedAt = time.now;
  assert.deepEqual(await whole(server, asks, 'a.example.com'), { answer: 'yes', questions: 1 });
  time.now += ALLOW_MS - 1;
  assert.deepEqual(await whole(server, asks, 'a.example.com'), { answer: 'yes', questions: 1 });
  time.now += 1;
  server.answer = 403;
  assert.deepEqual(await whole(server, asks, 'a.example.com'), { answer: 'no', questions: 2 });
  time.now += REFUSE_MS;
  assert.deepEqual(await whole(server, asks, 'a.example.com'), { answer: 'no', questions: 3 });
  time.now = startedAt;
  assert.deepEqual(await whole(server, asks, 'a.example.com'), { answer: 'no', questions: 4 });
});

test('an endpoint in trouble (503, 429) refuses now, and is asked again about the same name', async (t) => {
  const server = await startAskServer(t);
  const { asks, lines } = client(t, server.url);
  server.answer = 503;
  assert.equal(await asks.ask('a.example.com', '192.0.2.1'), 'unavailable');
  server.answer = 429;
  assert.equal(await asks.ask('a.example.com', '192.0.2.1'), 'unavailable');
  assert.equal(asks.known('a.example.com'), null);
  server.answer = 200;
  assert.equal(await asks.ask('a.example.com', '192.0.2.1'), 'yes');
  assert.deepEqual(
    lines.map(({ level, msg }) => [level, msg]),
    [
      ['error', 'ask endpoint unavailable: no new names until it answers'],
      ['info', 'ask endpoint answers again'],
    ],
    'said once, when it changes',
  );
  assert.match(lines[0]!.err!.message, /cannot ask "http:\/\/127\.0\.0\.1:\d+\/allowed": it answered 503/);
  assert.doesNotMatch(JSON.stringify(lines), /secret/, 'what the query holds stays out of the log');
});

test('an endpoint that is down is left alone for a second', async (t) => {
  const before = await startAskServer(t);
  await before.stop();
  const { asks, time, lines } = client(t, before.url);
  assert.equal(await asks.ask('a.example.com', '192.0.2.1'), 'unavailable');
  const server = await startAskServer(t, Number(new URL(before.url).port));
  assert.equal(await asks.ask('a.example.com', '192.0.2.1'), 'unavailable');
  assert.equal(server.questions.length, 0);
  time.now += 1_000;
  assert.equal(await asks.ask('a.example.com', '192.0.2.1'), 'yes');
  assert.match(lines[0]!.err!.message, /ECONNREFUSED/);
});

test('a silent endpoint holds so many questions and no more; each ends in time', async (t) => {
  const port = await startSilentListener(t);
  const { asks } = client(t, `http://127.0.0.1:${port}/`, 200);
  const names = Array.from({ length: 100 }, (_, index) => `${index}.example.com`);
  const answers = await Promise.all(names.map((name) => asks.ask(name, '192.0.2.1')));
  assert.equal(answers.filter((answer) => answer === 'busy').length, 84);
  assert.equal(answers.filter((answer) => answer === 'unavailable').length, 16);
  assert.equal(asks.size, 0);
});

test('content of an answer is not waited for, and not read without end', async (t) => {
  const server = await startAskServer(t);
  const cut = Promise.withResolvers<void>();
  server.answer = (_question, response) => {
    response.writeHead(200);
    const more = (): void => {
      while (!response.destroyed && response.write(Buffer.alloc(65_536)));
    };
    response.on('drain', more).on('close', () => cut.resolve());
    more();
  };
  const { asks } = client(t, server.url);
  assert.equal(await asks.ask('a.example.com', '192.0.2.1'), 'yes');
  await cut.promise;
});

test('connections are used again, and none is left after close', async (t) => {
  const before = liveHandles();
  const server = await startAskServer(t);
  const ports = new Set<number | undefined>();
  server.answer = (_question, response) => {
    ports.add(response.socket?.remotePort);
    response.end('yes');
  };
  const { asks } = client(t, server.url);
  for (let index = 0; index < 5; index++) await asks.ask(`${index}.example.com`, '192.0.2.1');
  assert.equal(ports.size, 1);
  server.answer = () => {};
  const asking = asks.ask('late.example.com', '192.0.2.1');
  while (server.questions.length < 6) await new Promise(setImmediate);
  asks.close();
  assert.equal(await asking, 'unavailable');
  await server.stop();
  await handlesBackTo(before);
});
