// HTTP/2 by Chromium: a page of many resources, uploads (one of them a stream, which it sends by nothing less), server-sent
// events and a WebSocket, all over one connection.
import { deepStrictEqual, doesNotMatch, ok, strictEqual } from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Page, startBrowser } from '../support/browser.ts';
import { needsTools } from '../support/needs-tools.ts';
import { startPerantara } from '../support/perantara.ts';
import { retry } from '../support/retry.ts';
import { SAMPLE_LOGO } from '../support/sample-page.ts';
import { startSampleUpstream } from '../support/sample-upstream.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const NAME = 'app.localhost';
const IMAGES = 100;
const PATIENCE = { deadlineMs: 30_000, pauseMs: 50 };

const GALLERY = `<!doctype html><title>gallery</title><body>${Array.from(
  { length: IMAGES },
  (_, i) => `<img src="/image/${i}.svg" alt="">`,
).join('')}`;

function handle({ url = '' }: IncomingMessage, response: ServerResponse): boolean {
  const isImage = /^\/image\/\d+\.svg$/.test(url);
  if (url !== '/gallery' && !isImage) return false;
  const fields = ['cache-control', 'no-store', 'set-cookie', 'from=server', 'set-cookie', 'second=2'];
  response.writeHead(200, ['content-type', isImage ? 'image/svg+xml' : 'text/html', ...(isImage ? [] : fields)]);
  response.end(isImage ? SAMPLE_LOGO : GALLERY);
  return true;
}

/** A line of Chromium's log: a request's head as it left on an HTTP/2 session, which is the source. */
interface SentHead {
  readonly source: { readonly id: number };
  readonly params: { readonly headers: readonly string[] };
}

/** What an async function's body gives in the page. */
const run = (page: Page, body: string): Promise<unknown> =>
  page.evaluate(`(async () => { ${body} })().catch((error) => String(error))`);

test('Chromium does everything over one HTTP/2 connection', await needsTools('chromium', 'certutil'), async (t) => {
  const upstream = await startSampleUpstream({ handle });
  t.after(() => upstream.close());
  const proxy = await startPerantara({ config: { sites: { [NAME]: upstream.url } } });
  t.after(() => proxy.stop());
  await proxy.obtained(NAME);
  const netLog = join(await temporaryFolder(t), 'net.json');
  const browser = await startBrowser({ trust: [join(proxy.storage, 'local-ca/root.pem')], netLog });
  t.after(() => browser.close());
  const page = await browser.newPage();
  for (const domain of ['Page', 'Network']) await page.send(`${domain}.enable`);
  const { errorText } = await page.send('Page.navigate', { url: `https://${NAME}:${proxy.httpsPort}/gallery` });
  strictEqual(errorText, undefined);

  await t.test('a page and its images come by h2', async () => {
    const count = '[...document.images].filter(({ naturalWidth }) => naturalWidth > 0).length';
    await retry(async () => strictEqual(await page.evaluate(count), IMAGES), PATIENCE);
    const protocols = `performance.getEntriesByType('navigation').concat(performance.getEntriesByType('resource'))
      .filter(({ name }) => /gallery$|svg$/.test(name)).map((entry) => entry.nextHopProtocol)`;
    deepStrictEqual(
      await page.evaluate(protocols),
      Array.from({ length: IMAGES + 1 }, () => 'h2'),
    );
  });

  await t.test('cookies, which it sends in crumbs, arrive as one field', async () => {
    const answer = await run(
      page,
      `for (const name of ['a', 'b', 'c']) document.cookie = name + '=' + name.repeat(30);
       return (await (await fetch('/headers')).json()).rawHeaders`,
    );
    const fields = answer as string[];
    const cookies = fields.filter((_, i) => i % 2 === 1 && fields[i - 1]!.toLowerCase() === 'cookie');
    strictEqual(cookies.length, 1);
    const sent = cookies[0]!.split('; ').sort();
    deepStrictEqual(sent, [
      `a=${'a'.repeat(30)}`,
      `b=${'b'.repeat(30)}`,
      `c=${'c'.repeat(30)}`,
      'from=server',
      'second=2',
    ]);
  });

  await t.test('an upload arrives whole, as a buffer and as a stream', async () => {
    const upload = (body: string): Promise<unknown> =>
      run(
        page,
        `const bytes = new Uint8Array(2 * 1024 * 1024).map((_, i) => i * 7 + (i >> 8));
         const sha256 = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)).toHex();
         const answer = await (await fetch('/upload', { method: 'POST', duplex: 'half', body: ${body} })).json();
         return JSON.stringify(answer) === JSON.stringify({ bytes: bytes.length, sha256 }) ? 'whole' : JSON.stringify(answer)`,
      );
    strictEqual(await upload('bytes'), 'whole');
    strictEqual(await upload('new Blob([bytes]).stream()'), 'whole');
  });

  await t.test('server-sent events come one by one, and a fetch that is given up does not disturb them', async () => {
    const body = `const events = new EventSource('/events');
      const next = () => new Promise((resolve, reject) => { events.onmessage = ({ data }) => resolve(data); events.onerror = reject });
      const first = await next();
      const given = new AbortController();
      const late = fetch('/late?ms=60000', { signal: given.signal }).catch(({ name }) => name);
      given.abort();
      const answer = [await late, await next() > first];
      events.close();
      return answer`;
    deepStrictEqual(await run(page, body), ['AbortError', true]);
  });

  await t.test('a WebSocket echoes, beside requests', async () => {
    const body = `const socket = new WebSocket(location.href.replace(/^http/, 'ws').replace(/gallery$/, 'echo'));
      socket.binaryType = 'arraybuffer';
      const next = () => new Promise((resolve, reject) => { socket.onmessage = ({ data }) => resolve(data); socket.onerror = reject });
      await new Promise((resolve, reject) => { socket.onopen = resolve; socket.onerror = () => reject('no WebSocket') });
      socket.send('hello');
      const text = await next();
      const sent = new Uint8Array(1024 * 1024).map((_, i) => i * 13);
      socket.send(sent);
      const back = new Uint8Array(await next());
      const { status } = await fetch('/status/200');
      const closed = new Promise((resolve) => { socket.onclose = ({ code, wasClean }) => resolve([code, wasClean]) });
      socket.close(4001, 'enough');
      return [text, back.length === sent.length && back.every((byte, i) => byte === sent[i]), status, await closed]`;
    deepStrictEqual(await run(page, body), ['hello', true, 200, [4001, true]]);
  });

  await browser.close();
  await t.test('by its own log there was one connection, and the WebSocket an extended CONNECT on it', async () => {
    const log = await readFile(netLog, 'utf8');
    const sent = log
      .split('\n')
      .filter((line) => line.includes('"stream_id"') && line.includes(`":authority: ${NAME}`));
    const heads = sent.map((line) => JSON.parse(line.replace(/,$/, '')) as SentHead);
    ok(heads.length > IMAGES);
    const sessions = new Set(heads.map(({ source }) => source.id));
    strictEqual(sessions.size, 1, 'one session');
    const tunnels = heads.filter(({ params }) => params.headers.includes(':protocol: websocket'));
    deepStrictEqual(
      tunnels.map(({ params }) => params.headers.slice(0, 2)),
      [[':method: CONNECT', `:authority: ${NAME}:${proxy.httpsPort}`]],
    );
    doesNotMatch(log, /Upgrade: websocket/i);
  });
});
