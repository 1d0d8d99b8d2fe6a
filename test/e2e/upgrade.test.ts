// Another program takes the place of the one that serves, while clients ask without a pause. The test is the service manager: it
// holds the listening sockets and passes them to one process after the other.
import { deepStrictEqual, ok, strictEqual } from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { holdSocket } from '../support/held-socket.ts';
import { type Perantara, startPerantara } from '../support/perantara.ts';
import { startSampleUpstream } from '../support/sample-upstream.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const NAME = 'app.localhost';

interface Tally {
  readonly old: number;
  readonly new: number;
}

interface Rig {
  readonly startProgram: (body: 'old' | 'new') => Promise<Perantara>;
  readonly port: number;
  /** Of a request that has reached the upstream of /held. */
  readonly held: Promise<ServerResponse>;
}

async function prepare(t: TestContext, workers: number): Promise<Rig> {
  const { promise: held, resolve: hold } = Promise.withResolvers<ServerResponse>();
  const upstream = await startSampleUpstream({
    handle: (_request, response) => {
      hold(response);
      return true;
    },
  });
  t.after(() => upstream.close());
  const [plain, secure] = [holdSocket(), holdSocket()];
  t.after(() => [plain, secure].map((held) => held.close()));
  const storage = join(await temporaryFolder(t), 'storage');
  const listen = { http: `127.0.0.1:${plain.port}`, https: `127.0.0.1:${secure.port}` };
  const startProgram = async (body: string): Promise<Perantara> => {
    const routes = { '/held': upstream.url, '/*': { respond: { body } } };
    const proxy = await startPerantara({
      config: { storage, listen, workers, sites: { [NAME]: { routes } } },
      passed: [plain.fd, secure.fd],
    });
    t.after(() => proxy.stop());
    return proxy;
  };
  return { startProgram, port: secure.port, held };
}

/** Asks without a pause, on connections that are kept, on new ones, and over HTTP/2, until it is told to end. */
class Load {
  readonly #port: number;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #answers = { old: 0, new: 0 };
  readonly #lost: string[] = [];
  #repeated = 0;
  #longestMs = 0;
  #isOver = false;
  readonly #work: Promise<unknown>;

  constructor(port: number) {
    this.#port = port;
    const several = (work: () => Promise<void>): Promise<void>[] => Array.from({ length: 3 }, work);
    this.#work = Promise.all([
      ...several(() => this.#overHttp1(this.#agent)),
      ...several(() => this.#overHttp1(false)),
      ...several(() => this.#overHttp2()),
    ]);
  }

  get answers(): Tally {
    return { ...this.#answers };
  }

  /** Resolves when so many more were answered. */
  async answered(by: keyof Tally, count: number): Promise<void> {
    const goal = this.#answers[by] + count;
    while (this.#answers[by] < goal && this.#lost.length === 0) await pause(10);
  }

  /** Resolves with what has become of all requests. */
  async end(): Promise<Tally & { lost: string[]; repeated: number; longestMs: number }> {
    this.#isOver = true;
    await this.#work;
    this.#agent.destroy();
    return { ...this.#answers, lost: this.#lost, repeated: this.#repeated, longestMs: Math.round(this.#longestMs) };
  }

  get(path: string, agent: Agent | false = false): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const place = { host: '127.0.0.1', port: this.#port, servername: NAME, rejectUnauthorized: false };
    const asked = request({ ...place, path, agent, headers: { host: NAME } }, (response) => {
      if (response.statusCode === 200) text(response).then(resolve, reject);
      else reject(new Error(`status ${response.statusCode}`));
    });
    // RFC 9112 section 9.3.1: a server may close a connection that is kept while a request is on its way; such a one is sent again.
    asked.on('error', (error) => {
      if (!asked.reusedSocket) reject(error);
      else {
        this.#repeated++;
        resolve(this.get(path, agent));
      }
    });
    asked.end();
    return promise;
  }

  async #overHttp1(agent: Agent | false): Promise<void> {
    while (!this.#isOver) await this.#count(this.get('/', agent));
  }

  async #overHttp2(): Promise<void> {
    while (!this.#isOver) {
      const session = connectHttp2(`https://127.0.0.1:${this.#port}`, {
        servername: NAME,
        rejectUnauthorized: false,
      });
      let isUsable = true;
      const leave = (): void => {
        isUsable = false;
      };
      session.on('error', leave).on('goaway', leave).on('close', leave);
      while (isUsable && !this.#isOver) {
        const stream = session.request({ ':path': '/', ':authority': NAME });
        const body = text(stream).catch(async (error) => {
          // RFC 9113 section 8.7: refused, or beyond the last stream of GOAWAY, it was not processed.
          if (stream.rstCode !== 7 && !stream.pending) throw error;
          this.#repeated++;
          return this.get('/');
        });
        await this.#count(body);
      }
      session.close();
    }
  }

  async #count(answer: Promise<string>): Promise<void> {
    const begun = performance.now();
    try {
      this.#answers[(await answer) as keyof Tally]++;
    } catch (error) {
      this.#lost.push(String(error));
      await pause(50);
    }
    this.#longestMs = Math.max(this.#longestMs, performance.now() - begun);
  }
}

test('a restart refuses and loses nothing: who comes between two processes waits', async (t) => {
  const { startProgram, port, held } = await prepare(t, 1);
  const before = await startProgram('old');
  await before.obtained(NAME);
  const load = new Load(port);
  await load.answered('old', 200);
  const slow = load.get('/held');
  const response = await held;
  before.signal('SIGTERM');
  await before.logged(({ msg }) => msg.startsWith('stopping'));
  response.end('held');
  strictEqual(await slow, 'held');
  strictEqual(await before.exited, 0);
  const { old } = load.answers;
  await startProgram('new');
  await load.answered('new', 200);
  const result = await load.end();
  deepStrictEqual([result.lost, result.old], [[], old]);
  ok(result.new >= 200);
  t.diagnostic(JSON.stringify(result));
});

test('a program that is started beside the old one takes over without a pause, with several workers too', async (t) => {
  const { startProgram, port, held } = await prepare(t, 2);
  const before = await startProgram('old');
  await before.obtained(NAME);
  const load = new Load(port);
  await load.answered('old', 200);
  const slow = load.get('/held');
  const response = await held;
  await startProgram('new');
  before.signal('SIGTERM');
  await before.logged(({ msg }) => msg.startsWith('stopping'));
  await load.answered('new', 200);
  response.end('held');
  strictEqual(await slow, 'held');
  strictEqual(await before.exited, 0);
  const result = await load.end();
  deepStrictEqual(result.lost, []);
  t.diagnostic(JSON.stringify(result));
});
