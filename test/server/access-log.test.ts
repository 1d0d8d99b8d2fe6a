import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { accessLines, awaitedLines, textLines } from '../support/access-lines.ts';
import { type Chain, request, startChain } from '../support/chain.ts';
import { openH2 } from '../support/h2-client.ts';
import { END_STREAM, rstStream } from '../support/h2-frames.ts';
import { requestFields } from '../support/h2-headers.ts';
import { ok, type Script } from '../support/origin.ts';
import { refusedPort } from '../support/refused-port.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const SCRIPT: Script = async ({ startLine }, peer) => {
  const path = startLine.split(' ')[1]!;
  if (path.startsWith('/half')) await peer.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello');
  else if (path.startsWith('/busy')) await peer.send('HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n');
  else await peer.send(ok().replace('\r\n\r\n', '\r\nX-App: it\r\nSet-Cookie: a=b\r\n\r\n'));
  if (path === '/half/broken') peer.cut();
};

interface Logged extends Chain {
  readonly file: string;
  /** Ends the proxy; all lines have been written then. */
  end(): Promise<void>;
}

async function logged(
  t: TestContext,
  access: Readonly<Record<string, unknown>> = {},
  site: Readonly<Record<string, unknown>> = {},
): Promise<Logged> {
  const file = join(await temporaryFolder(t), 'access.log');
  const log = { access: { output: file, ...access } };
  const chain = await startChain(t, { script: SCRIPT, site, config: { log, timeouts: { drain: '100ms' } } });
  return { ...chain, file, end: () => chain.server.close() };
}

/** `outcome status reason` */
const words = (file: string): string[] =>
  accessLines(file).map(({ outcome, status, reason }) =>
    [outcome, status, reason].filter((part) => part !== undefined).join(' '),
  );

test('HTTP/1.1: every exchange has one line that says how it went and why', async (t) => {
  const { connect, file, end } = await logged(t, {}, { maxBody: '5B' });
  const wanted: string[] = [];
  const ask = async (text: string, word: string): Promise<void> => {
    const client = await connect();
    await client.send(text);
    await client.message(text.startsWith('HEAD'));
    client.destroy();
    wanted.push(word);
  };
  await ask(request(), 'complete 200');
  await ask(request('/busy'), 'complete 503');
  await ask(request('/', [], 'HEAD'), 'complete 200');
  await ask(request().replace('app.localhost', 'other.example'), 'refused 421 misdirected');
  await ask(request('/', ['Content-Length: 6'], 'POST'), 'refused 413 body_too_large');
  await ask('GET /\r\n\r\n', 'refused 400 bad_request');
  const client = await connect();
  await client.send(request('/half/broken'));
  await client.end();
  wanted.push('cut 200 upstream_closed');
  const gone = await connect();
  await gone.send(request('/half'));
  await gone.until('hello');
  gone.reset();
  await awaitedLines(file, 8);
  wanted.push('client_gone 200 client_gone');
  const last = await connect();
  await last.send(request('/half'));
  await last.until('hello');
  await end();
  wanted.push('cut 200 shutting_down');
  assert.deepEqual(words(file), wanted);
});

test('HTTP/2: every exchange has one line that says how it went and why', async (t) => {
  const { httpsPort, file, end } = await logged(t);
  const client = await openH2(t, httpsPort);
  await client.headers(1, requestFields('/'), END_STREAM);
  await client.message(1);
  await client.headers(3, requestFields('/half/broken'), END_STREAM);
  await client.resetOf(3);
  await client.headers(5, requestFields('/', 'GET', [['te', 'gzip']]), END_STREAM);
  await client.resetOf(5);
  await client.headers(7, requestFields('/half'), END_STREAM);
  await client.when(() => client.stream(7).content.length === 5);
  await client.send(rstStream(7));
  await client.roundTrip();
  await client.headers(9, requestFields('/half'), END_STREAM);
  await client.when(() => client.stream(9).content.length === 5);
  await end();
  assert.deepEqual(words(file), [
    'complete 200',
    'cut 200 upstream_closed',
    'refused 0 bad_request',
    'client_gone 200 client_gone',
    'cut 200 shutting_down',
  ]);
});

test('the facts of a line', async (t) => {
  const { connect, file, end, origin } = await logged(t, {
    fields: [
      'time',
      'client',
      'port',
      'site',
      'route',
      'method',
      'host',
      'target',
      'version',
      'servername',
      'tls',
      'upstream',
      'attempts',
      'requestBytes',
      'responseBytes',
      'durationMs',
      'headMs',
      'resumed',
    ],
    responseHeaders: ['X-App', 'Set-Cookie', 'X-None'],
  });
  const client = await connect();
  await client.send(request('/a/./b?c', ['User-Agent: me', 'Content-Length: 3'], 'POST'), 'abc');
  await client.message();
  await end();
  const [{ time, port, durationMs, headMs, ...line }, ...others] = accessLines(file) as [Record<string, unknown>];
  assert.deepEqual(others, []);
  assert.ok(Date.parse(String(time)) > Date.now() - 60_000);
  assert.ok(typeof port === 'number' && typeof headMs === 'number' && Number(durationMs) >= headMs);
  assert.deepEqual(line, {
    client: '127.0.0.1',
    site: 'app.localhost',
    route: '/*',
    method: 'POST',
    host: 'app.localhost',
    target: '/a/./b?c',
    version: '1.1',
    servername: 'app.localhost',
    tls: 'TLSv1.3',
    upstream: `http://127.0.0.1:${origin.port}`,
    attempts: 1,
    requestBytes: 3,
    responseBytes: 5,
    resumed: false,
    requestHeaders: { 'user-agent': 'me' },
    responseHeaders: { 'x-app': 'it', 'set-cookie': '[redacted]' },
  });
});

test('an upstream that is down is named, with the error and the request id of the page', async (t) => {
  const { connect, file, end } = await logged(t, {}, { proxy: `http://127.0.0.1:${await refusedPort(t)}` });
  const client = await connect();
  await client.send(request());
  const { body } = await client.message();
  await client.send(
    request('/', ['Content-Type: application/grpc'], 'POST').replace('\r\n\r\n', '\r\nContent-Length: 0\r\n\r\n'),
  );
  await client.message();
  await end();
  const [line, call] = accessLines(file);
  assert.match(body, new RegExp(`Request id: ${line!.id}`));
  assert.match(String(line!.error), /ECONNREFUSED/);
  assert.deepEqual(words(file), ['upstream_failed 502 connect_failed', 'upstream_failed 200 connect_failed']);
  assert.equal(call!.grpcStatus, '14');
});

/** Bytes that a field value or a target may hold, and some that only malformed requests have. */
const NASTY = ['"', '\\', '"} {"time":"forged"', '\x9b31m', '\xe2\x80\xae', '\' - - [x] "', '%0a%0d', '\t'];

for (const format of ['json', 'combined'] as const)
  test(`nothing that a client sends forges a line of ${format}`, async (t) => {
    const { connect, httpsPort, file, end } = await logged(t, {
      format,
      ...(format === 'json' ? { requestHeaders: ['user-agent', 'referer', 'x'] } : {}),
    });
    let sent = 0;
    for (const nasty of NASTY) {
      const client = await connect();
      await client.send(
        request(`/${nasty.replace(/[\s\x80-\xff]/g, '')}`, [
          `User-Agent: a${nasty}b`,
          `Referer: ${nasty}c`,
          `X: ${nasty}`,
        ]),
      );
      await client.message();
      sent++;
    }
    for (const broken of [
      'GET /\nforged HTTP/1.1\r\n\r\n',
      'G\x00ET / HTTP/1.1\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: a\rforged\r\n\r\n',
    ]) {
      const client = await connect();
      await client.send(broken);
      await client.message();
      sent++;
    }
    const h2 = await openH2(t, httpsPort, { isJudged: false });
    for (const nasty of ['/\nforged', '/\x1b[2J', '/"', '/\u00ff']) {
      const stream = sent * 2 + 1;
      await h2.headers(stream, requestFields(nasty, 'GET', [['user-agent', 'a\r\nforged']]), END_STREAM);
      await h2.when(() => h2.rst(stream) !== null || h2.stream(stream).ended);
      sent++;
    }
    await end();
    const lines = textLines(file);
    assert.equal(lines.length, sent);
    for (const line of lines) {
      assert.match(line, /^[\x20-\x7e]+$/);
      if (format === 'json') assert.equal(typeof JSON.parse(line).outcome, 'string');
      else assert.match(line, /^127\.0\.0\.1 - - \[[^\]]+\] "[^"]*" \d{3} \d+ "[^"]*" "[^"]*"$/);
    }
  });

test('the combined format is that of nginx', async (t) => {
  const { connect, file, end } = await logged(t, { format: 'combined' });
  const client = await connect();
  await client.send(request('/x?y=1&token=z', ['User-Agent: a "b" \\', 'Referer: https://c/?code=1']));
  await client.message();
  const silent = await connect();
  await silent.send('nonsense\r\n\r\n');
  await silent.message();
  await end();
  const [first, second] = textLines(file);
  const time = '\\[\\d\\d/[A-Z][a-z]{2}/\\d{4}:\\d\\d:\\d\\d:\\d\\d [+-]\\d{4}\\]';
  const rest =
    '"GET /x\\?y=1&token=\\[redacted\\] HTTP/1\\.1" 200 5 "https://c/\\?code=\\[redacted\\]" "a \\\\x22b\\\\x22 \\\\x5C"';
  assert.match(first!, new RegExp(`^127\\.0\\.0\\.1 - - ${time} ${rest}$`));
  assert.match(second!, new RegExp(`^127\\.0\\.0\\.1 - - ${time} "-" 400 \\d+ "-" "-"$`));
});

test('what lets others in is not written unless it is asked for', async (t) => {
  const fields = ['Authorization: Basic c2VjcmV0', 'Cookie: a=secret', 'X-Api-Key: secret', 'Accept: secretless/*'];
  for (const reveal of [[], ['cookie']]) {
    const { connect, file, end } = await logged(t, {
      requestHeaders: ['authorization', 'cookie', 'x-api-key', 'accept'],
      reveal,
    });
    const client = await connect();
    await client.send(request('/?token=secret', fields));
    await client.message();
    await end();
    const [line] = accessLines(file);
    assert.equal(line!.target, '/?token=[redacted]');
    assert.deepEqual(line!.requestHeaders, {
      authorization: '[redacted]',
      cookie: reveal.length === 0 ? '[redacted]' : 'a=secret',
      'x-api-key': '[redacted]',
      accept: 'secretless/*',
    });
  }
});

test('a site may be left out, or have one line for so many exchanges; nobody else is touched by it', async (t) => {
  for (const [sites, accessLog, wanted] of [
    ['on', undefined, 8],
    ['off', undefined, 0],
    ['off', 'on', 7],
    ['on', 'off', 1],
    ['off', '1/3', 3],
    ['1/4', undefined, 2],
  ] as const) {
    const { connect, file, end } = await logged(t, { sites }, accessLog === undefined ? {} : { accessLog });
    const client = await connect();
    for (let i = 0; i < 7; i++) {
      await client.send(request());
      await client.message();
    }
    await client.send(request().replace('app.localhost', 'other.example')); // belongs to no site
    await client.message();
    await end();
    assert.equal(accessLines(file).length, wanted, `${sites} ${accessLog}`);
  }
});
