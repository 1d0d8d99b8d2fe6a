// The demo's parts and the order in which they start and end: sample upstream, Pebble with its DNS, Perantara as a child.
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { type Child, startChild } from '../support/child.ts';
import { type Pebble, startPebble } from '../support/pebble.ts';
import { retry } from '../support/retry.ts';
import { type SampleUpstream, startSampleUpstream } from '../support/sample-upstream.ts';

const MAIN = resolve(import.meta.dirname, '../../src/main.ts');
const CERTIFICATE_MS = 60_000;
const HANDSHAKE_MS = 5_000;

export interface DemoOptions {
  readonly httpPort: number;
  readonly httpsPort: number;
  /** Called with each line of progress. */
  readonly say: (line: string) => void;
}

export class Demo {
  readonly names = ['app.perantara.example', 'shop.perantara.example'] as const;
  readonly httpPort: number;
  readonly httpsPort: number;
  readonly #say: (line: string) => void;
  #started: Promise<void> | undefined;
  #closing = false;
  #folder = '';
  #rootPem = '';
  #upstream: SampleUpstream | undefined;
  #pebble: Pebble | undefined;
  #perantara: Child | undefined;

  constructor(options: DemoOptions) {
    this.httpPort = options.httpPort;
    this.httpsPort = options.httpsPort;
    this.#say = options.say;
  }

  /** The root of the certificates that Pebble issues, which no client trusts by itself. */
  get rootPem(): string {
    return this.#rootPem;
  }

  get rootFile(): string {
    return join(this.#folder, 'root.pem');
  }

  /** Resolves when every name has its certificate. Throws what went wrong; `close()` is due in any case. */
  start(): Promise<void> {
    this.#started ??= this.#start();
    return this.#started;
  }

  async #start(): Promise<void> {
    this.#upstream = await startSampleUpstream();
    this.#say(`sample upstream    ${this.#upstream.url}`);
    this.#pebble = await startPebble({ httpPort: this.httpPort });
    this.#say(`ACME server        ${this.#pebble.directoryUrl} (Pebble)`);
    this.#rootPem = await this.#pebble.rootPem();
    if (this.#closing) throw new Error('closed while starting');

    this.#folder = await mkdtemp(join(tmpdir(), 'perantara-demo-'));
    const config = this.#config(this.#pebble, this.#upstream);
    const configFile = join(this.#folder, 'perantara.yaml');
    await writeFile(this.rootFile, this.#rootPem);
    await writeFile(configFile, config);
    this.#say(`config             ${configFile}\n\n${config.replace(/^(?=.)/gm, '    ')}`);

    const perantara = startChild({
      command: process.execPath,
      args: [MAIN, 'run', '--config', configFile, '--log-format', 'pretty'],
      folder: this.#folder,
      onLine: (line) => this.#say(`perantara | ${line}`),
    });
    this.#perantara = perantara;
    const hopeless = (): boolean => perantara.ended();
    for (const name of this.names) {
      await retry(() => this.handshake(name), { deadlineMs: CERTIFICATE_MS, pauseMs: 50, hopeless })
        .then((socket) => socket.destroy())
        .catch((error: unknown) => {
          const reason = perantara.ended() ? 'perantara ended' : (error as Error).message;
          throw new Error(`no HTTPS for ${name}: ${reason}`, { cause: error });
        });
      this.#say(`certificate        ${name} is served at https://${name}:${this.httpsPort}/`);
    }
  }

  /** A TLS connection to Perantara for this name, its chain verified up to Pebble's root. */
  handshake(servername: string): Promise<TLSSocket> {
    const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
    const socket = connect({ host: '127.0.0.1', port: this.httpsPort, servername, ca: this.#rootPem });
    socket.setTimeout(HANDSHAKE_MS, () => socket.destroy(new Error('no answer to the TLS handshake')));
    socket.on('error', reject);
    socket.once('secureConnect', () => {
      socket.setTimeout(0);
      resolve(socket);
    });
    return promise;
  }

  /** Resolves when Perantara ended by itself, which it should not. */
  async ended(): Promise<never> {
    const code = await this.#perantara?.exited;
    throw new Error(`perantara ended with exit code ${code}`);
  }

  /** The upstream goes first: that ends the streams that Perantara would wait for. Idempotent. */
  async close(): Promise<void> {
    this.#closing = true;
    await this.#closeParts();
    await this.#started?.catch(() => {});
    await this.#closeParts();
  }

  async #closeParts(): Promise<void> {
    await this.#upstream?.close();
    await this.#perantara?.stop();
    await this.#pebble?.stop();
  }

  #config(pebble: Pebble, upstream: SampleUpstream): string {
    return `acme:
  directory: ${pebble.directoryUrl}
  trust: ${pebble.trustFile}
storage: ${join(this.#folder, 'certs')}
listen: { http: "127.0.0.1:${this.httpPort}", https: "127.0.0.1:${this.httpsPort}" }
sites:
${this.names.map((name) => `  ${name}: ${upstream.url}\n`).join('')}`;
  }
}
