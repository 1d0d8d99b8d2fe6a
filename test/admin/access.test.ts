// Who may ask the admin endpoint: token, Host and Origin, on loopback TCP and on a socket.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { AdminEndpoint } from '../../src/admin/admin-endpoint.ts';
import { fakeAdminServices } from '../support/fake-admin-services.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { askAdmin, askRaw } from './ask-admin.ts';

const TOKEN = 'correct-horse-battery-staple';

async function onLoopback(t: TestContext): Promise<{ readonly endpoint: AdminEndpoint; readonly port: number }> {
  const config = { kind: 'loopback', host: '127.0.0.1', port: 0, token: TOKEN, position: 'test' } as const;
  const endpoint = new AdminEndpoint(config, fakeAdminServices());
  t.after(() => endpoint.destroy());
  await endpoint.start();
  return { endpoint, port: Number(endpoint.place!.split(':')[1]) };
}

async function onSocket(t: TestContext): Promise<string> {
  const socket = join(await temporaryFolder(t), 'admin.sock');
  const endpoint = new AdminEndpoint(
    { kind: 'socket', paths: [socket], isDefault: false, position: 'test' },
    fakeAdminServices(),
  );
  t.after(() => endpoint.destroy());
  await endpoint.start();
  return socket;
}

describe('the admin endpoint on a loopback address', () => {
  it('answers whoever has the token', async (t) => {
    const { port } = await onLoopback(t);
    for (const authorization of [`Bearer ${TOKEN}`, `bearer  ${TOKEN}`])
      assert.equal((await askAdmin(port, '/status', { headers: { authorization } })).status, 200);
  });

  it('refuses whoever has not, on every path', async (t) => {
    const { port } = await onLoopback(t);
    const wrong = ['', `Bearer ${TOKEN}x`, `Bearer ${TOKEN.slice(1)}`, 'Bearer ', `Basic ${TOKEN}`, TOKEN];
    for (const path of ['/', '/health', '/status', '/config', '/nothing'])
      for (const authorization of wrong) {
        const { status, headers, json } = await askAdmin(port, path, {
          headers: authorization ? { authorization } : {},
        });
        assert.deepEqual([status, json.error.code], [401, 'token_refused'], `${path} ${authorization}`);
        assert.equal(headers['www-authenticate'], 'Bearer realm="perantara"');
      }
    assert.equal((await askAdmin(port, '/reload', { method: 'POST' })).status, 401);
  });

  it('refuses names that somebody may have led here (DNS rebinding), also with the token', async (t) => {
    const { port } = await onLoopback(t);
    const authorization = `Bearer ${TOKEN}`;
    for (const host of [
      `evil.example:${port}`,
      `127.0.0.1.evil.example:${port}`,
      `localhost.evil.example:${port}`,
      '127.0.0.1',
      `127.0.0.1:${port + 1}`,
      `10.0.0.1:${port}`,
      `user@127.0.0.1:${port}`,
    ]) {
      const { status, json } = await askAdmin(port, '/status', { headers: { authorization, host } });
      assert.deepEqual([status, json.error.code], [403, 'host_refused'], host);
    }
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `LOCALHOST:${port}`, `[::1]:${port}`])
      assert.equal((await askAdmin(port, '/status', { headers: { authorization, host } })).status, 200, host);
  });

  it('refuses pages of others, also with the token', async (t) => {
    const { port } = await onLoopback(t);
    const authorization = `Bearer ${TOKEN}`;
    const own = `http://127.0.0.1:${port}`;
    for (const origin of [
      'https://evil.example',
      'null',
      'http://127.0.0.1',
      `https://127.0.0.1:${port}`,
      `${own}.evil`,
    ]) {
      const { status, json } = await askAdmin(port, '/reload', { method: 'POST', headers: { authorization, origin } });
      assert.deepEqual([status, json.error.code], [403, 'origin_refused'], origin);
    }
    assert.equal((await askAdmin(port, '/status', { headers: { authorization, origin: own } })).status, 200);
  });

  it('takes another token from a new configuration without closing', async (t) => {
    const { endpoint, port } = await onLoopback(t);
    const token = 'another-token-0123456789';
    const config = { kind: 'loopback', host: '127.0.0.1', port: 0, token, position: 'test' } as const;
    await endpoint.adopt(config);
    assert.equal(endpoint.place, `127.0.0.1:${port}`);
    const ask = async (secret: string): Promise<number> =>
      (await askAdmin(port, '/status', { headers: { authorization: `Bearer ${secret}` } })).status;
    assert.deepEqual([await ask(token), await ask(TOKEN)], [200, 401]);
  });
});

describe('the admin endpoint on a socket', () => {
  it('asks for no token, and refuses hosts and pages of others: a port may be forwarded to it', async (t) => {
    const socket = await onSocket(t);
    for (const host of ['localhost', 'localhost:9000', '127.0.0.1', '[::1]:1'])
      assert.equal((await askAdmin(socket, '/status', { headers: { host } })).status, 200, host);
    assert.equal((await askAdmin(socket, '/status', { headers: { host: 'evil.example' } })).status, 403);
    const headers = { host: 'localhost:9000', origin: 'http://localhost:9000' };
    assert.equal((await askAdmin(socket, '/status', { headers })).status, 200);
    const foreign = { host: 'localhost:9000', origin: 'http://localhost:9001' };
    assert.equal((await askAdmin(socket, '/status', { headers: foreign })).status, 403);
  });

  it('refuses a request with two hosts, with none, and with two origins', async (t) => {
    const socket = await onSocket(t);
    for (const fields of [
      'Host: localhost\r\nHost: localhost\r\n',
      '',
      'Host:\r\n',
      'Host: localhost\r\nOrigin: http://localhost\r\nOrigin: http://evil.example\r\n',
    ])
      assert.match(
        await askRaw(socket, `GET /status HTTP/1.1\r\n${fields}Connection: close\r\n\r\n`),
        /^HTTP\/1\.1 40[03] /,
        fields,
      );
  });
});
