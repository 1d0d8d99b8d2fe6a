// The dashboard in Chromium: what it shows, what its keys do, and whether it kept to its policy.
import { deepStrictEqual } from 'node:assert/strict';
import type { Browser, Page } from './browser.ts';
import { retry } from './retry.ts';

const PATIENCE = { deadlineMs: 30_000, pauseMs: 50 };

export interface DashboardVisit {
  readonly page: Page;
  /** Resolves when the text of the first element that the selector finds fits; rejects with what it is instead. */
  shows(selector: string, pattern: RegExp): Promise<void>;
  text(selector: string): Promise<string>;
  press(key: 'Tab' | 'Enter' | ' '): Promise<void>;
  /** Types into what has the focus. */
  type(text: string): Promise<void>;
  /** Goes on by Tab until what has the focus is called so. */
  tabTo(name: RegExp): Promise<void>;
  /** Width in CSS pixels, and how it wants to look. */
  look(width: number, height: number, scheme?: 'light' | 'dark'): Promise<void>;
  screenshot(): Promise<Buffer>;
  /** Fails when something went wrong in the page, the policy was broken, or somebody else was asked. */
  keptToItself(): Promise<void>;
}

const KEYS = { Tab: 9, Enter: 13, ' ': 32 };

export async function visitDashboard(browser: Browser, origin: string, path = '/'): Promise<DashboardVisit> {
  const page = await browser.newPage();
  for (const domain of ['Page', 'Network', 'Log', 'Runtime']) await page.send(`${domain}.enable`);
  const watch = `
    window.violations = [];
    document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
      window.violations.push(violatedDirective + ' ' + blockedURI));`;
  await page.send('Page.addScriptToEvaluateOnNewDocument', { source: watch });
  await page.send('Page.navigate', { url: `${origin}${path}` });

  const text = async (selector: string): Promise<string> =>
    String(await page.evaluate(`document.querySelector(${JSON.stringify(selector)})?.textContent ?? '(nothing)'`));
  const shows = (selector: string, pattern: RegExp): Promise<void> =>
    retry(async () => {
      const found = await text(selector);
      if (!pattern.test(found)) throw new Error(`${selector} is ${JSON.stringify(found)}, not ${pattern}`);
    }, PATIENCE);
  const press: DashboardVisit['press'] = async (key) => {
    const event = { key, code: key === ' ' ? 'Space' : key, windowsVirtualKeyCode: KEYS[key] };
    const typed = key === 'Tab' ? {} : { text: key === 'Enter' ? '\r' : ' ' };
    await page.send('Input.dispatchKeyEvent', { type: 'keyDown', ...event, ...typed });
    await page.send('Input.dispatchKeyEvent', { type: 'keyUp', ...event });
  };
  const tabTo = async (name: RegExp): Promise<void> => {
    const seen: string[] = [];
    for (let i = 0; i < 100; i++) {
      await press('Tab');
      const focused = `document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent`;
      seen.push(String(await page.evaluate(focused)).trim());
      if (name.test(seen.at(-1)!)) return;
    }
    throw new Error(`Tab does not come to ${name}: ${seen.slice(0, 30).join(' | ')}`);
  };
  return {
    page,
    shows,
    text,
    press,
    tabTo,
    type: async (words) => void (await page.send('Input.insertText', { text: words })),
    look: async (width, height, scheme = 'light') => {
      await page.send('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: false });
      const features = [{ name: 'prefers-color-scheme', value: scheme }];
      await page.send('Emulation.setEmulatedMedia', { features });
    },
    screenshot: async () => {
      const { data } = await page.send('Page.captureScreenshot', { captureBeyondViewport: false });
      return Buffer.from(String(data), 'base64');
    },
    keptToItself: async () => {
      deepStrictEqual(await page.evaluate('window.violations'), []);
      const thrown = page.events.filter(([method]) => method === 'Runtime.exceptionThrown');
      deepStrictEqual(
        thrown.map(([, params]) => JSON.stringify(params)),
        [],
      );
      const urls = page.events.flatMap(([method, { request }]) =>
        method === 'Network.requestWillBeSent' ? [(request as { url: string }).url] : [],
      );
      deepStrictEqual(
        urls.filter((url) => !url.startsWith(`${origin}/`)),
        [],
      );
    },
  };
}
