// What a person sees: Chromium loads a page with an image, an event stream and a WebSocket over a certificate from a real
// CA whose root the browser trusts.
import { deepStrictEqual, match, ok, strictEqual } from 'node:assert/strict';
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Page, startBrowser } from '../support/browser.ts';
import { freePort } from '../support/free-port.ts';
import { needsTools } from '../support/needs-tools.ts';
import { startPebble } from '../support/pebble.ts';
import { startPerantara } from '../support/perantara.ts';
import { retry } from '../support/retry.ts';
import { startSampleUpstream } from '../support/sample-upstream.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const NAME = 'shop.example.org';
const LOCAL = 'app.localhost';
const PATIENCE = { deadlineMs: 30_000, pauseMs: 50 };
const TOOLS = await needsTools('pebble', 'pebble-challtestsrv', 'chromium', 'certutil');

interface Visit {
  readonly page: Page;
  /** Of a site, over HTTPS. */
  readonly origin: (name: string) => string;
  /** Of NAME, over HTTP. */
  readonly plainOrigin: string;
}

async function open(t: TestContext, trustLocal: boolean): Promise<Visit> {
  const folder = await temporaryFolder(t);
  const httpPort = await freePort();
  const upstream = await startSampleUpstream();
  t.after(() => upstream.close());
  const pebble = await startPebble({ httpPort });
  t.after(() => pebble.stop());
  const proxy = await startPerantara({
    config: {
      acme: { directory: pebble.directoryUrl, trust: pebble.trustFile },
      listen: { http: `127.0.0.1:${httpPort}`, https: '127.0.0.1:0' },
      sites: { [NAME]: upstream.url, [LOCAL]: upstream.url },
    },
  });
  t.after(() => proxy.stop());
  await proxy.obtained(NAME, LOCAL);
  const root = join(folder, 'root.pem');
  await writeFile(root, await pebble.rootPem());
  const local = join(proxy.storage, 'local-ca/root.pem');
  const browser = await startBrowser({ trust: trustLocal ? [root, local] : [root] });
  t.after(() => browser.close());
  const page = await browser.newPage();
  for (const domain of ['Page', 'Network', 'Log']) await page.send(`${domain}.enable`);
  const origin = (name: string): string => `https://${name}:${proxy.httpsPort}`;
  return { page, origin, plainOrigin: `http://${NAME}:${httpPort}` };
}

/** Resolves when the element has a text that fits. */
async function shows(page: Page, id: string, pattern: RegExp): Promise<void> {
  const read = `document.getElementById(${JSON.stringify(id)})?.textContent ?? document.body?.textContent`;
  await retry(async () => match(String(await page.evaluate(read)), pattern), PATIENCE);
}

test('Chromium loads a page with an image, server-sent events and a WebSocket', TOOLS, async (t) => {
  const { page, origin } = await open(t, true);
  for (const name of [NAME, LOCAL]) {
    const { errorText } = await page.send('Page.navigate', { url: `${origin(name)}/` });
    strictEqual(errorText, undefined);
    await shows(page, 'image', /^\d+ pixels wide$/);
    await shows(page, 'clock', /^\d{4}-\d\d-\d\dT/);
    await shows(page, 'echo', /^hello through the proxy$/);
    strictEqual(await page.evaluate('isSecureContext'), true);
    const first = await page.evaluate("document.getElementById('clock').textContent");
    await retry(async () => {
      ok((await page.evaluate("document.getElementById('clock').textContent")) !== first, 'the clock goes on');
    }, PATIENCE);
  }

  const responses = page.events.filter(([method]) => method === 'Network.responseReceived');
  const seen = responses.map(
    ([, { response }]) => response as { url: string; status: number; protocol: string; securityState: string },
  );
  for (const response of seen.filter(({ url }) => url.startsWith('https:')))
    match(`${response.protocol} ${response.securityState}`, /^h2 secure$/, response.url);
  const failed = page.events.filter(([method]) => method === 'Network.loadingFailed');
  const cut = failed.filter(([, { type }]) => type !== 'EventSource' && type !== 'Other');
  deepStrictEqual(cut, [], 'nothing failed but the stream that leaving the first page cut');

  const { data } = await page.send('Page.captureScreenshot');
  const file = join(await temporaryFolder(t), 'page.png');
  await writeFile(file, Buffer.from(String(data), 'base64'));
  ok((await stat(file)).size > 1_000);
});

test(
  'Chromium follows the redirect to HTTPS, and refuses a local name while it does not trust the local root',
  TOOLS,
  async (t) => {
    const { page, origin, plainOrigin } = await open(t, false);
    await page.send('Page.navigate', { url: `${plainOrigin}/?from=http` });
    await shows(page, 'image', /pixels wide/);
    strictEqual(await page.evaluate('location.href'), `${origin(NAME)}/?from=http`);
    const local = await page.send('Page.navigate', { url: `${origin(LOCAL)}/` });
    strictEqual(local.errorText, 'net::ERR_CERT_AUTHORITY_INVALID');
  },
);
