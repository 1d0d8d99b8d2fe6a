// The moment of proof: while the CA's validator waits at the door, who else asks for the token, and how.
import { doesNotMatch, match, strictEqual } from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { freePort } from '../support/free-port.ts';
import { needsTools } from '../support/needs-tools.ts';
import { startPebble } from '../support/pebble.ts';
import { startPerantara } from '../support/perantara.ts';
import { curl } from '../support/program.ts';

const NAME = 'proved.example.org';
const TOOLS = await needsTools('pebble', 'pebble-challtestsrv', 'curl');

test(
  'while a challenge is open its token is answered by GET and HEAD for its host, plain and over HTTPS, and nothing else is',
  TOOLS,
  async (t) => {
    const { promise: knocked, resolve: knock } = Promise.withResolvers<{ socket: Socket; request: string }>();
    const httpPort = await freePort();
    const door = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      // The first validator waits; Pebble sends several.
      socket.once('data', (chunk) => {
        socket.pause();
        knock({ socket, request: String(chunk) });
        void opened.then(() => {
          const onward = connect(httpPort, '127.0.0.1');
          onward.on('error', () => socket.destroy()).write(chunk);
          socket.pipe(onward).pipe(socket);
        });
      });
    });
    const { promise: opened, resolve: openDoor } = Promise.withResolvers<void>();
    await once(door.listen(0, '127.0.0.1'), 'listening');
    t.after(() => door.close());
    const pebble = await startPebble({ httpPort: (door.address() as { port: number }).port });
    t.after(() => pebble.stop());
    const proxy = await startPerantara({
      config: {
        acme: { directory: pebble.directoryUrl, trust: pebble.trustFile },
        listen: { http: `127.0.0.1:${httpPort}`, https: '127.0.0.1:0' },
        sites: { [NAME]: { respond: 'site\n' }, localhost: { respond: 'local\n' } },
      },
    });
    t.after(() => proxy.stop());
    await proxy.obtained('localhost');
    const { request } = await knocked;
    const path = /^GET (\/\.well-known\/acme-challenge\/([\w-]+)) HTTP/.exec(request)?.[1] ?? '';
    const token = path.slice(path.lastIndexOf('/') + 1);

    const ask = async (host: string, where: string, ...args: readonly string[]): Promise<string> =>
      (await curl(['-i', ...args, '-H', `Host: ${host}`, `http://127.0.0.1:${httpPort}${where}`])).stdout;
    const answer = new RegExp(`^HTTP/1\\.1 200 OK\\r\\n(.*\\r\\n)*\\r\\n${token}\\.[\\w-]{43}$`);
    match(await ask(NAME, path), answer);
    match(await ask(NAME, path, '-I'), /^HTTP\/1\.1 200 OK\r\n/);
    match(await ask(NAME, path, '-d', 'x'), /^HTTP\/1\.1 404 /);
    match(await ask('localhost', path), /^HTTP\/1\.1 404 /, 'another host');
    match(await ask(NAME, `${path}x`), /^HTTP\/1\.1 404 /, 'another token');
    doesNotMatch(await ask(NAME, `${path}x`), /\r\nlocation:/i);
    const trust = [
      '--http1.1',
      '--cacert',
      join(proxy.storage, 'local-ca/root.pem'),
      '--resolve',
      `*:${proxy.httpsPort}:127.0.0.1`,
    ];
    const secure = await curl([...trust, '-i', '-H', `Host: ${NAME}`, `https://localhost:${proxy.httpsPort}${path}`]);
    match(secure.stdout, answer);

    openDoor();
    await proxy.obtained(NAME);
    match(await ask(NAME, path), /^HTTP\/1\.1 404 /, 'after the proof');
    strictEqual((await curl([...trust, '-k', `https://${NAME}:${proxy.httpsPort}/`])).stdout, 'site\n');
  },
);
