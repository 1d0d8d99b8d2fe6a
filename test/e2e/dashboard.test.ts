// The dashboard in Chromium: beside a real process, through a reload and its end; and with a night's troubles and hostile names.
import { deepStrictEqual, match, ok, strictEqual } from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { after, before, suite, type TestContext, test } from 'node:test';
import { AdminEndpoint } from '../../src/admin/admin-endpoint.ts';
import { type Browser, startBrowser } from '../support/browser.ts';
import { type DashboardVisit, visitDashboard } from '../support/dashboard-visit.ts';
import {
  certificateStatus,
  configOf,
  type FakeAdminServices,
  targetReport,
  workerReport,
} from '../support/fake-admin-services.ts';
import { freePort } from '../support/free-port.ts';
import { needsTools } from '../support/needs-tools.ts';
import { nightShift } from '../support/night-shift.ts';
import { ok as okResponse, startOrigin } from '../support/origin.ts';
import { startPerantara } from '../support/perantara.ts';
import { refusedPort } from '../support/refused-port.ts';
import { retry } from '../support/retry.ts';

const TOKEN = '0123456789abcdef';
const TOOLS = await needsTools('chromium', 'certutil');

/** Shows what a test gives it. */
async function beside(t: TestContext, browser: Browser, services: FakeAdminServices): Promise<DashboardVisit> {
  const port = await freePort();
  const admin = { kind: 'loopback', host: '127.0.0.1', port, token: TOKEN, position: 'test' } as const;
  const endpoint = new AdminEndpoint(admin, services);
  t.after(() => endpoint.destroy());
  await endpoint.start();
  const visit = await visitDashboard(browser, `http://127.0.0.1:${port}`);
  await logIn(visit);
  return visit;
}

async function logIn(visit: DashboardVisit, token = TOKEN): Promise<void> {
  await visit.shows('h1', /^Who are you\?$/);
  await visit.type(token);
  await visit.press('Enter');
}

/** The status that the site answers with. */
function get(port: number, path: string): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const options = { host: '127.0.0.1', port, path, servername: 'app.localhost', headers: { host: 'app.localhost' } };
  request({ ...options, rejectUnauthorized: false, agent: false, timeout: 10_000 }, (response) => {
    response.resume().on('end', () => resolve(response.statusCode!));
  })
    .on('error', reject)
    .end();
  return promise;
}

suite('the dashboard in Chromium', TOOLS, () => {
  let browser: Browser;
  before(async () => {
    if (TOOLS.skip === undefined) browser = await startBrowser({ trust: [] });
  });
  after(() => browser?.close());

  test('is live beside a process: certificates, errors in their own words, a reload, draining by keyboard, and its end', async (t) => {
    const origin = await startOrigin(t, (_asked, peer) => peer.send(okResponse()));
    const target = `http://127.0.0.1:${origin.port}`;
    const dead = await refusedPort(t);
    const port = await freePort();
    const config = {
      admin: { address: `127.0.0.1:${port}`, token: TOKEN },
      sites: { 'app.localhost': { routes: { '/*': target, '/dead/*': `http://127.0.0.1:${dead}` } } },
    };
    const proxy = await startPerantara({ config });
    t.after(() => proxy.stop());
    await proxy.obtained('app.localhost');

    const visit = await visitDashboard(browser, `http://127.0.0.1:${port}`);
    await logIn(visit, 'some other token');
    await visit.shows('#refusal', /^That is not the token\.$/);
    await logIn(visit);
    await visit.shows('h1', /^All is well$/);
    await visit.shows('#sites tr', /^app\.localhost\d+ days left/);
    await visit.shows('#link', /^live$/);
    strictEqual(await visit.page.evaluate('location.pathname'), '/dashboard');

    for (const path of ['/', '/dead/x', '/dead/y']) await get(proxy.httpsPort, path);
    await visit.shows(
      '#troubles li',
      new RegExp(`http://127\\.0\\.0\\.1:${dead}the last 2 requests failed.*ECONNREFUSED`),
    );
    await visit.shows('#errors tr', /app\.localhost \/dead\/\*.*ECONNREFUSED/);
    await visit.shows('h1', /^1 thing needs somebody$/);

    const written = JSON.parse(await readFile(proxy.configFile, 'utf8'));
    const more = { ...written, sites: { ...config.sites, 'new.localhost': target } };
    await writeFile(proxy.configFile, JSON.stringify(more));
    proxy.signal('SIGHUP');
    await visit.shows('#facts', /configuration 2, .*last reload accepted/);
    await visit.shows('#sites tr:nth-child(2)', /^new\.localhost\d+ days left/);

    await visit.tabTo(new RegExp(`^Drain ${target}$`));
    const outline = 'getComputedStyle(document.activeElement).outlineStyle';
    strictEqual(await visit.page.evaluate(outline), 'solid', 'the focus can be seen');
    await visit.press('Enter');
    await visit.shows('#told', /^Press again to drain/);
    strictEqual(await get(proxy.httpsPort, '/'), 200);
    await visit.press('Enter');
    await visit.shows('#told', /is drained: it gets no new requests\.$/);
    strictEqual(await get(proxy.httpsPort, '/'), 503);
    await visit.shows('#targets tr', /drained/);
    match(String(await visit.page.evaluate('document.activeElement.textContent')), /^Enable$/, 'the focus stays');
    await visit.press(' ');
    await visit.shows('#told', /gets requests again\.$/);
    strictEqual(await get(proxy.httpsPort, '/'), 200);

    await visit.keptToItself();
    proxy.signal('SIGKILL');
    await visit.shows('h1', /^The process does not answer$/);
    await visit.shows('#link', /^no answer for \d+ s$/);
  });

  test('shows names and errors from anywhere as text, however they are written', async (t) => {
    const markup = '<img src=x onerror="window.harmed=1"><script>window.harmed=1</script>';
    const services = nightShift(Date.now());
    const [report] = services.reportList;
    const failure = { sinceAt: 1, lastAt: 2, count: 3, code: markup, message: markup };
    const error = {
      site: markup,
      route: markup,
      target: markup,
      code: markup,
      message: markup,
      count: 2,
      firstAt: 1,
      lastAt: 2,
    };
    const others = configOf({ sites: { 'app.example': '3000' } });
    services.inForce = { ...others, sites: [{ ...others.sites[0]!, host: markup }] };
    services.certificateList = [
      certificateStatus({
        name: markup,
        names: [markup],
        state: 'failing',
        authority: markup,
        lastError: { at: 3, message: markup },
      }),
    ];
    services.reportList = [
      workerReport({
        traffic: { ...report!.traffic!, errors: [error] },
        targets: [targetReport({ name: markup, failure })],
      }),
    ];
    services.state = {
      ...services.state,
      config: { ...services.state.config, path: markup },
      lastReload: { at: 1, accepted: false, message: markup },
    };
    const visit = await beside(t, browser, services);
    for (const place of ['#sites th', '#targets th', '#errors .words', '#troubles q', '#troubles strong'])
      strictEqual(await visit.shows(place, /^<img src=x onerror=|^configuration$/), undefined);
    await visit.shows('#about', /<img src=x/);
    strictEqual(await visit.page.evaluate('document.querySelectorAll("main img, main script, footer img").length'), 0);
    strictEqual(await visit.page.evaluate('window.harmed ?? 0'), 0);
    await visit.keptToItself();
  });

  test('fits a phone of 360 pixels, light and dark, and is a document with headings and tables', async (t) => {
    const services = nightShift(Date.now());
    services.state = { ...services.state, config: { ...services.state.config, path: `/etc/${'x'.repeat(300)}.yaml` } };
    const visit = await beside(t, browser, services);
    await visit.shows('h1', /^4 things need somebody$/);
    await visit.look(360, 740);
    const sideways = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
    const wider = `[...document.querySelectorAll('main *')].filter((each) => each.getBoundingClientRect().right > 361).length`;
    // The chart follows a frame later.
    await retry(async () => strictEqual(await visit.page.evaluate(`${sideways} + ${wider}`), 0), {
      deadlineMs: 10_000,
    });
    const { nodes } = (await visit.page.send('Accessibility.getFullAXTree')) as {
      nodes: { ignored: boolean; role?: { value: string }; name?: { value: string } }[];
    };
    const named = (role: string): string[] =>
      nodes.flatMap((node) => (!node.ignored && node.role?.value === role ? [node.name?.value ?? ''] : []));
    deepStrictEqual(
      named('table').filter((name) => name !== ''),
      ['Sites', 'Targets', 'Recent errors'],
      'also where rows are cards',
    );
    ok(named('row').length >= 5 + 5 + 3);
    ok(named('rowheader').includes('shop.example.com'));
    deepStrictEqual(named('heading'), [
      '4 things need somebody',
      'Needs somebody',
      'Traffic',
      'Sites',
      'Targets',
      'Recent errors',
    ]);
    await visit.tabTo(/^Errors, 5 min$/);
    await visit.press('Enter');
    await visit.shows('#sites tr', /^shop\.example\.com/);
    strictEqual(await visit.text('[aria-sort="descending"]'), 'Errors, 5 min');
    await visit.page.evaluate(`document.getElementById('find').focus()`);
    await visit.type('INTRA');
    await visit.shows('#sites', /^intranet\.example\.com9 days left[^a-z]*$/);

    await visit.look(1280, 800, 'dark');
    const dark = await visit.page.evaluate('getComputedStyle(document.body).backgroundColor');
    await visit.look(1280, 800, 'light');
    ok(dark !== (await visit.page.evaluate('getComputedStyle(document.body).backgroundColor')));
    await visit.keptToItself();
  });
});
