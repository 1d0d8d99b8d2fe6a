// Headless Chromium with a profile of its own, driven by the DevTools protocol over a WebSocket.
import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { startChild } from './child.ts';
import { runProgram } from './program.ts';
import { findTool } from './tools.ts';

const START_MS = 60_000;
/** How long it has to close in order before it is ended. */
const QUIT_MS = 5_000;

export interface BrowserOptions {
  /** PEM files of the authorities that it trusts besides its own. */
  readonly trust: readonly string[];
  /** Where it writes what its network stack does, one event a line, complete once it has ended. Default nowhere. */
  readonly netLog?: string;
}

export interface Browser {
  /** A tab that is empty. */
  newPage(): Promise<Page>;
  close(): Promise<void>;
}

export interface Page {
  /** A command of the DevTools protocol. Rejects with the browser's words. */
  send(method: string, params?: Readonly<Record<string, unknown>>): Promise<Record<string, unknown>>;
  /** Events so far: `[method, params]`. */
  readonly events: readonly (readonly [string, Record<string, unknown>])[];
  /** The value of an expression in the page. */
  evaluate(expression: string): Promise<unknown>;
}

interface Reply {
  readonly id?: number;
  readonly sessionId?: string;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
  '--remote-debugging-port=0',
  // Every name is this machine; no request can leave it.
  '--host-resolver-rules=MAP * 127.0.0.1',
];

/** Throws with what the browser printed when it does not start. */
export async function startBrowser({ trust, netLog }: BrowserOptions): Promise<Browser> {
  const home = await mkdtemp(join(tmpdir(), 'perantara-browser-'));
  await trustInProfile(home, trust);
  const { promise: address, resolve, reject } = Promise.withResolvers<string>();
  const child = startChild({
    command: await findTool('chromium'),
    args: [
      ...FLAGS,
      ...(netLog === undefined ? [] : [`--log-net-log=${netLog}`, '--net-log-capture-mode=IncludeSensitive']),
      `--user-data-dir=${join(home, 'profile')}`,
      'about:blank',
    ],
    env: { HOME: home },
    folder: home,
    onLine: (line) => {
      const url = /^DevTools listening on (ws:\S+)$/.exec(line)?.[1];
      if (url !== undefined) resolve(url);
    },
  });
  const fail = (why: string): void => reject(new Error(`cannot start Chromium: ${why}\n${child.output()}`));
  void child.exited.then((code) => fail(`it ended with exit code ${code}`));
  const timer = setTimeout(() => fail(`it is not ready after ${START_MS} ms`), START_MS);
  try {
    const devTools = await DevTools.connect(await address);
    return {
      newPage: () => devTools.newPage(),
      close: async () => {
        await devTools.quit();
        await child.stop();
      },
    };
  } catch (error) {
    await child.stop();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** The user's NSS database, where Chromium on Linux looks for authorities. */
async function trustInProfile(home: string, files: readonly string[]): Promise<void> {
  const database = join(home, '.pki/nssdb');
  await mkdir(database, { recursive: true });
  const certutil = await findTool('certutil');
  const run = async (...args: readonly string[]): Promise<void> => {
    const { code, text } = await runProgram(certutil, ['-d', `sql:${database}`, ...args]);
    if (code !== 0) throw new Error(`cannot fill ${database}: ${text}`);
  };
  await run('-N', '--empty-password');
  for (const [i, file] of files.entries()) await run('-A', '-t', 'C,,', '-n', `authority ${i}`, '-i', file);
}

class DevTools {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, PromiseWithResolvers<Record<string, unknown>>>();
  readonly #events = new Map<string, [string, Record<string, unknown>][]>();
  #lastId = 0;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data) => this.#receive(JSON.parse(String(data)) as Reply));
    socket.on('close', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('Chromium closed its DevTools connection'));
    });
  }

  static async connect(address: string): Promise<DevTools> {
    const socket = new WebSocket(address, { perMessageDeflate: false });
    await new Promise<void>((resolve, reject) => void socket.on('open', () => resolve()).on('error', reject));
    return new DevTools(socket);
  }

  /** Ends the browser in order, as far as it still listens. */
  async quit(): Promise<void> {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    const closed = new Promise((resolve) => void this.#socket.on('close', resolve));
    this.#send('Browser.close', {}).catch(() => {});
    await Promise.race([closed, delay(QUIT_MS, undefined, { ref: false })]);
    this.#socket.terminate();
  }

  async newPage(): Promise<Page> {
    const { targetId } = await this.#send('Target.createTarget', { url: 'about:blank' });
    const attached = await this.#send('Target.attachToTarget', { targetId, flatten: true });
    const sessionId = String(attached.sessionId);
    const events: [string, Record<string, unknown>][] = [];
    this.#events.set(sessionId, events);
    const send: Page['send'] = (method, params = {}) => this.#send(method, params, sessionId);
    const evaluate: Page['evaluate'] = async (expression) => {
      const { result } = await send('Runtime.evaluate', { expression, returnByValue: true, awaitPromise: true });
      return (result as { value?: unknown }).value;
    };
    return { send, evaluate, events };
  }

  #send(method: string, params: object, sessionId?: string): Promise<Record<string, unknown>> {
    const id = ++this.#lastId;
    const reply = Promise.withResolvers<Record<string, unknown>>();
    this.#waiting.set(id, reply);
    this.#socket.send(JSON.stringify({ id, method, params, sessionId }));
    return reply.promise;
  }

  #receive({ id, result, error, method, params, sessionId }: Reply): void {
    if (id === undefined) {
      if (method !== undefined) this.#events.get(sessionId ?? '')?.push([method, params ?? {}]);
      return;
    }
    const reply = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === undefined) reply?.resolve(result ?? {});
    else reply?.reject(new Error(`Chromium refuses: ${error.message}`));
  }
}
