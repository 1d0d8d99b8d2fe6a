// A whole Perantara in this process for tests of the data plane: local certificates, port 0, a recording origin behind.
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server as NetServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as tlsConnect } from 'node:tls';
import { loadConfigValue } from '../../src/config/load.ts';
import { systemClock } from '../../src/core/clock.ts';
import { createLogger } from '../../src/core/log.ts';
import { Server } from '../../src/server/server.ts';

export interface ProxyRig {
  readonly httpPort: number;
  readonly httpsPort: number;
  readonly server: Server;
  /** Everything logged, one JSON line each. */
  readonly logged: readonly string[];
  stop(): Promise<void>;
}

/** `value`: a config as the file has it, without `listen` and `storage`; sites should use local names. */
export async function startProxy(value: Readonly<Record<string, unknown>>): Promise<ProxyRig> {
  const folder = await mkdtemp(join(tmpdir(), 'perantara-rig-'));
  const logged: string[] = [];
  const loaded = loadConfigValue(
    { storage: 'storage', listen: { http: '127.0.0.1:0', https: '127.0.0.1:0' }, ...value },
    { folder, places: { values: {}, keys: {} }, now: systemClock.now() },
  );
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  const log = createLogger({ level: 'debug', pretty: false, write: (line) => void logged.push(line) });
  const server = new Server(loaded.config, { log, clock: systemClock });
  await server.start();
  const { http, https } = server.addresses;
  for (const { host } of loaded.config.sites) {
    if (!host.startsWith('*.')) await certificateReady(https[0]!.port, host);
  }
  return {
    httpPort: http[0]?.port ?? 0,
    httpsPort: https[0]!.port,
    server,
    logged,
    stop: async () => {
      server.destroy();
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Local certificates are minted within the first moments; handshakes are refused until then. */
async function certificateReady(port: number, host: string): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const isReady = await new Promise<boolean>((resolve) => {
      const socket = tlsConnect({ port, host: '127.0.0.1', servername: host, rejectUnauthorized: false });
      socket.once('secureConnect', () => resolve(true)).once('error', () => resolve(false));
      socket.once('secureConnect', () => socket.end());
    });
    if (isReady) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`no certificate for ${host}`);
}

/** What a raw client got until the connection ended. */
export interface RawAnswer {
  readonly text: string;
  /** How the connection ended. */
  readonly end: 'fin' | 'reset' | 'timeout';
}

export interface RawOptions {
  /** Stop waiting after this long without an end; default 3 s. */
  readonly waitMs?: number;
  /** Resolve as soon as the text so far satisfies this. */
  readonly until?: (text: string) => boolean;
  /** Pieces to send, each after the one before has been flushed; strings are latin1. */
  readonly pieces: readonly (string | Buffer)[];
  readonly host?: string;
}

/** Sends bytes over TLS and gathers everything that comes back. */
export function rawRequest(port: number, options: RawOptions): Promise<RawAnswer> {
  const { waitMs = 3_000, until, pieces, host = 'app.localhost' } = options;
  return new Promise((resolve) => {
    let text = '';
    const socket = tlsConnect({
      port,
      host: '127.0.0.1',
      servername: host,
      rejectUnauthorized: false,
      ALPNProtocols: ['http/1.1'],
    });
    const finish = (end: RawAnswer['end']): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ text, end });
    };
    const timer = setTimeout(() => finish('timeout'), waitMs);
    socket.on('error', () => finish('reset'));
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (until?.(text)) finish('timeout');
    });
    socket.on('end', () => finish('fin'));
    socket.on('close', () => finish('reset'));
    socket.once('secureConnect', async () => {
      for (const piece of pieces) {
        await new Promise<void>((written) => {
          socket.write(typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece, () => setImmediate(written));
        });
      }
    });
  });
}

/** An origin that records every byte and answers by script. */
export interface RawOrigin {
  readonly port: number;
  /** One entry per connection: everything received on it. */
  readonly received: string[];
  readonly sockets: Socket[];
  stop(): Promise<void>;
}

/** `answer` is called for each complete head (up to CRLF CRLF) with all text so far and the socket. */
export async function startRawOrigin(
  answer: (head: string, socket: Socket, connection: number) => void,
): Promise<RawOrigin> {
  const received: string[] = [];
  const sockets: Socket[] = [];
  const server: NetServer = createServer({ noDelay: true }, (socket) => {
    const index = received.push('') - 1;
    sockets.push(socket);
    let seen = 0;
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      received[index] += chunk.toString('latin1');
      for (;;) {
        const at = received[index]!.indexOf('\r\n\r\n', seen);
        if (at === -1) return;
        const head = received[index]!.slice(seen, at + 4);
        seen = at + 4;
        if (/^[A-Z]+ \S+ HTTP\/1\.1\r\n/.test(head)) answer(head, socket, index);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as { port: number }).port,
    received,
    sockets,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
