// What a client of the admin endpoint may cost: sizes, patience, connections. The proxy beside it notices nothing.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { AdminEndpoint } from '../../src/admin/admin-endpoint.ts';
import type { AdminPatience } from '../../src/admin/admin-server.ts';
import {
  ACCEPTED,
  certificateStatus,
  type FakeAdminServices,
  fakeAdminServices,
} from '../support/fake-admin-services.ts';
import { curl } from '../support/program.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { askAdmin, askRaw } from './ask-admin.ts';

interface Rig {
  readonly socket: string;
  readonly services: FakeAdminServices;
  readonly endpoint: AdminEndpoint;
}

async function rig(t: TestContext, patience: Partial<AdminPatience> = {}): Promise<Rig> {
  const socket = join(await temporaryFolder(t), 'admin.sock');
  const services = fakeAdminServices();
  const endpoint = new AdminEndpoint(
    { kind: 'socket', paths: [socket], isDefault: false, position: 'test' },
    services,
    {
      patience,
    },
  );
  t.after(() => endpoint.destroy());
  await endpoint.start();
  return { socket, services, endpoint };
}

async function closedBy(socket: Socket): Promise<void> {
  socket.resume().on('error', () => {});
  await once(socket, 'close');
}

describe('the admin endpoint', () => {
  it('refuses content that is too large, announced or not', async (t) => {
    const { socket } = await rig(t);
    const body = 'x'.repeat(4_097);
    for (const headers of [{ 'content-length': '4097' }, { 'transfer-encoding': 'chunked' }]) {
      const { status, json } = await askAdmin(socket, '/log-level', { method: 'PUT', headers, body });
      assert.deepEqual([status, json.error.code], [413, 'content_too_large']);
    }
    const exact = await askAdmin(socket, '/log-level', { method: 'PUT', body: 'info'.padEnd(4_096) });
    assert.equal(exact.status, 200);
  });

  it('refuses large content before curl has sent it', async (t) => {
    const { socket } = await rig(t);
    const input = 'x'.repeat(2_000_000);
    const send = [
      '-X',
      'PUT',
      '--data-binary',
      '@-',
      '-H',
      'Expect: 100-continue',
      '-w',
      '\n%{http_code} %{size_upload}',
    ];
    const { stdout } = await curl(['--unix-socket', socket, ...send, 'http://localhost/log-level'], { input });
    assert.match(stdout, /"code":"content_too_large".*\n413 0$/s);
  });

  it('refuses a head that is too large, and what is no HTTP, as JSON', async (t) => {
    const { socket } = await rig(t);
    const large = await askRaw(socket, `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(9_000)}\r\n\r\n`);
    assert.match(large, /^HTTP\/1\.1 431 .*"code":"malformed".*8192 bytes/s);
    assert.match(await askRaw(socket, '\x16\x03\x01\x02\x00\x01'), /^HTTP\/1\.1 400 .*it is not HTTP\/1\.1/s);
  });

  it('cuts a client off that sends its request too slowly, and says so', async (t) => {
    const { socket } = await rig(t, { headMs: 100, requestMs: 100 });
    assert.match(await askRaw(socket, 'GET /status HT'), /^HTTP\/1\.1 408 .*too slowly/s);
    const slowBody = 'PUT /log-level HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{';
    assert.match(await askRaw(socket, slowBody), /^HTTP\/1\.1 408 /);
  });

  it('cuts a client off that says nothing, or does not read its answer', async (t) => {
    const { socket, services } = await rig(t, { silenceMs: 100 });
    await closedBy(connect({ path: socket }));
    const brokenOff = Promise.withResolvers<number>();
    services.certificateList = (function* () {
      let read = 0;
      try {
        for (; read < 100_000; read++) yield certificateStatus();
      } finally {
        brokenOff.resolve(read);
      }
    })();
    const deaf = connect({ path: socket });
    t.after(() => deaf.destroy());
    deaf.pause().on('error', () => {});
    deaf.write('GET /certificates HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const read = await brokenOff.promise;
    assert.ok(read < 50_000, `${read}`);
    assert.equal((await askAdmin(socket, '/health')).status, 200);
    assert.deepEqual(services.captured.messages(), ['admin endpoint open']);
  });

  it('lets a reload take longer than a client may be silent', async (t) => {
    const { socket, services } = await rig(t, { silenceMs: 50 });
    services.onReload = async () => {
      // Three others come and go meanwhile, each cut off for its silence.
      for (let i = 0; i < 3; i++) await closedBy(connect({ path: socket }));
      return ACCEPTED;
    };
    assert.equal((await askAdmin(socket, '/reload', { method: 'POST' })).status, 200);
  });

  it('has room for some connections, and for others once those have gone', async (t) => {
    const { socket } = await rig(t, { silenceMs: 2_000 });
    const held = Array.from({ length: 32 }, () => connect({ path: socket }).resume());
    await Promise.all(held.map((each) => once(each, 'connect')));
    await closedBy(connect({ path: socket }));
    // Not for its silence: the others have been silent for longer.
    assert.ok(held.every((each) => each.readable));
    for (const each of held) each.destroy();
    let status = 0;
    while (status !== 200) status = (await askAdmin(socket, '/health').catch(() => ({ status: 0 }))).status;
  });

  it('survives clients that go in the middle of everything, without a word in the log', async (t) => {
    const { socket, services } = await rig(t);
    services.certificateList = { [Symbol.iterator]: () => Array(5_000).fill(certificateStatus()).values() };
    for (const bytes of [
      'GET /certificates HTTP/1.1\r\nHost: localhost\r\n\r\n',
      'PUT /log-level HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{',
      'GET',
    ])
      for (let i = 0; i < 5; i++) {
        const client = connect({ path: socket });
        client.on('error', () => {});
        client.write(bytes);
        await once(client, 'connect');
        if (i % 2 === 0) await new Promise(setImmediate);
        client.destroy();
      }
    assert.equal((await askAdmin(socket, '/health')).status, 200);
    assert.deepEqual(services.captured.messages(), ['admin endpoint open']);
  });

  it('finishes answers under way when it is closed, then leaves nothing', async (t) => {
    const { socket, services, endpoint } = await rig(t);
    const reloading = Promise.withResolvers<void>();
    const { promise, resolve } = Promise.withResolvers<typeof ACCEPTED>();
    services.onReload = () => {
      reloading.resolve();
      return promise;
    };
    const asked = askAdmin(socket, '/reload', { method: 'POST' });
    await reloading.promise;
    const closed = endpoint.close();
    resolve(ACCEPTED);
    assert.equal((await asked).status, 200);
    await closed;
    await assert.rejects(askAdmin(socket, '/health'), { code: 'ENOENT' });
  });

  it('is closed in the end although an answer never comes', async (t) => {
    const { socket, services, endpoint } = await rig(t, { closeMs: 50 });
    const reloading = Promise.withResolvers<void>();
    services.onReload = () => {
      reloading.resolve();
      return new Promise(() => {});
    };
    const asked = askAdmin(socket, '/reload', { method: 'POST' });
    await reloading.promise;
    await Promise.all([endpoint.close(), assert.rejects(asked)]);
  });
});
