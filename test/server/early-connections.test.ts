// Between the opening of the listeners and the end of what is to be done then (root is given up), nobody is looked at.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { loadConfigValue } from '../../src/config/load.ts';
import { systemClock } from '../../src/core/clock.ts';
import { Server } from '../../src/server/server.ts';
import { capturedLog } from '../support/captured-log.ts';
import { freePort } from '../support/free-port.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

async function serverThat(
  t: Parameters<typeof temporaryFolder>[0],
  port: number,
  onListening: () => void,
): Promise<Server> {
  const folder = await temporaryFolder(t);
  const listen = { http: `127.0.0.1:${port}`, https: '127.0.0.1:0' };
  const value = { storage: folder, listen, sites: { 'app.localhost': { respond: { body: 'x' } } } };
  const loaded = loadConfigValue(value, { folder, places: { values: {}, keys: {} }, now: Date.now() });
  assert.ok(loaded.ok);
  const server = new Server(loaded.config, { log: capturedLog().log, clock: systemClock, onListening });
  return server;
}

const ASKED = 'GET /x HTTP/1.1\r\nHost: app.localhost\r\nConnection: close\r\n\r\n';

test('who connects before everything is done that follows the opening of listeners is answered after it', async (t) => {
  const port = await freePort();
  const clients: Socket[] = [];
  const server = await serverThat(t, port, () => {
    const client = connect(port, '127.0.0.1');
    client.write(ASKED);
    clients.push(client);
  });
  await server.start();
  assert.match(await text(clients[0]!), /^HTTP\/1\.1 308 /);
  await server.close();
});

test('when that fails nothing is left open, and nobody has been answered', async (t) => {
  const port = await freePort();
  const clients: Socket[] = [];
  const server = await serverThat(t, port, () => {
    clients.push(connect(port, '127.0.0.1').on('error', () => {}));
    clients[0]!.write(ASKED);
    throw new Error('it cannot be done');
  });
  await assert.rejects(server.start(), /it cannot be done/);
  assert.equal(await text(clients[0]!).catch(() => ''), '');
  const late = connect(port, '127.0.0.1');
  const [error] = await once(late, 'error');
  assert.equal(error.code, 'ECONNREFUSED');
});
