// `npm run screenshots`: the pictures of the dashboard in docs/, of a night that is always the same.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AdminEndpoint } from '../../src/admin/admin-endpoint.ts';
import { startBrowser } from '../support/browser.ts';
import { visitDashboard } from '../support/dashboard-visit.ts';
import { freePort } from '../support/free-port.ts';
import { nightShift } from '../support/night-shift.ts';

const FOLDER = join(import.meta.dirname, '../../docs');
const TOKEN = 'only-for-pictures';
const NOW = Date.UTC(2026, 10, 29, 3, 14, 7);
const PICTURES = [
  { name: 'light', width: 1080, height: 1232, scheme: 'light' },
  { name: 'dark', width: 1080, height: 780, scheme: 'dark' },
  { name: 'phone', width: 360, height: 780, scheme: 'light' },
] as const;

const port = await freePort();
const admin = { kind: 'loopback', host: '127.0.0.1', port, token: TOKEN, position: 'screenshots' } as const;
const endpoint = new AdminEndpoint(admin, nightShift(NOW));
await endpoint.start();
const browser = await startBrowser({ trust: [] });
try {
  const visit = await visitDashboard(browser, `http://127.0.0.1:${port}`);
  await visit.page.send('Emulation.setTimezoneOverride', { timezoneId: 'UTC' });
  await visit.page.send('Emulation.setScrollbarsHidden', { hidden: true });
  await visit.shows('h1', /^Who are you\?$/);
  await visit.page.evaluate(`sessionStorage.setItem('perantara token', '${TOKEN}')`);
  for (const { name, width, height, scheme } of PICTURES) {
    await visit.look(width, height, scheme);
    await visit.page.send('Page.reload');
    await visit.shows('#sites tr', /days left/);
    // What is drawn at the end of a frame is there two frames later.
    await visit.page.evaluate('new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))');
    const file = join(FOLDER, `dashboard-${name}.png`);
    const picture = await visit.screenshot();
    await writeFile(file, picture);
    process.stdout.write(`docs/dashboard-${name}.png: ${Math.ceil(picture.length / 1024)} KiB\n`);
  }
} finally {
  await browser.close();
  endpoint.destroy();
}
