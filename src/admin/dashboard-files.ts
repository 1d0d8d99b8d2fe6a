// The dashboard as it lies on disk: a page with its styles and scripts, read once, before anybody asks. It holds nothing secret,
// so it needs no token; what it shows, it asks for. Nothing of it runs or loads that is not in this list.
import { readFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { extname } from 'node:path';
import type { Logger } from '../core/log.ts';

export interface DashboardFile {
  readonly contentType: string;
  readonly content: Buffer;
}

const PAGE = '/dashboard';
const OWN: readonly string[] = [
  'dashboard.html',
  'dashboard.css',
  'icon.svg',
  'page.js',
  'ask.js',
  'element.js',
  'errors.js',
  'head.js',
  'login.js',
  'rows.js',
  'sites.js',
  'spark.js',
  'targets.js',
  'traffic.js',
  'troubles.js',
  'wording.js',
];
/** The chart library, from its package. */
const FOREIGN: readonly string[] = ['uPlot.iife.min.js', 'uPlot.min.css'];

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

const HEADERS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

export class DashboardFiles {
  readonly #files = new Map<string, DashboardFile>();

  #loaded: Promise<void> | null = null;

  /** Once. Never rejects: whoever serves sites can do without. */
  load(log: Logger): Promise<void> {
    this.#loaded ??= this.#load(log);
    return this.#loaded;
  }

  /** `path`: of the request, without its query. */
  find(path: string): DashboardFile | null {
    return this.#files.get(path) ?? null;
  }

  async #load(log: Logger): Promise<void> {
    try {
      for (const name of OWN) await this.#add(name, new URL(`./dashboard/${name}`, import.meta.url));
      for (const name of FOREIGN) await this.#add(name, new URL(import.meta.resolve(`uplot/dist/${name}`)));
    } catch (error) {
      this.#files.clear();
      log.warn({ err: error }, 'no dashboard: its files are not whole; install Perantara again');
    }
  }

  async #add(name: string, place: URL): Promise<void> {
    const path = name === 'dashboard.html' ? PAGE : `${PAGE}/${name}`;
    this.#files.set(path, { contentType: CONTENT_TYPES[extname(name)]!, content: await readFile(place) });
  }
}

export function sendFile(response: ServerResponse, { contentType, content }: DashboardFile, isHead: boolean): void {
  response.writeHead(200, { ...HEADERS, 'content-type': contentType, 'content-length': content.length });
  response.end(isHead ? undefined : content);
}

/** For whoever comes with a browser and no path. */
export function sendToDashboard(response: ServerResponse): void {
  response.writeHead(302, { ...HEADERS, location: PAGE, 'content-length': 0 });
  response.end();
}
