import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { connect as connectTls, createSecureContext, TLSSocket } from 'node:tls';
import { readShared } from '../../src/core/shared-read.ts';
import { makeAuthority, mint } from '../support/minted.ts';

/** Both ends of a connection, in the clear or under TLS. */
async function pair(t: TestContext, isSecure: boolean): Promise<{ client: Socket; accepted: Socket }> {
  const { certPem, keyPem } = mint(['localhost'], makeAuthority());
  const ready = Promise.withResolvers<Socket>();
  const server = createServer({ allowHalfOpen: true }, (raw) => {
    if (!isSecure) {
      ready.resolve(raw);
      return;
    }
    const secureContext = createSecureContext({ cert: certPem, key: keyPem });
    const socket = new TLSSocket(raw, { isServer: true, secureContext });
    socket.once('secure', () => ready.resolve(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = isSecure ? connectTls({ port, rejectUnauthorized: false }) : connect(port, '127.0.0.1');
  await once(client, isSecure ? 'secureConnect' : 'connect');
  const accepted = await ready.promise;
  t.after(() => {
    client.destroy();
    accepted.destroy();
    server.close();
  });
  return { client, accepted };
}

for (const isSecure of [false, true]) {
  const kind = isSecure ? 'a TLS socket' : 'a plain socket';

  // That this Node's insides are those known to shared-read.ts: without it Perantara works, but slower.
  test(`${kind} reads into the shared buffer`, async (t) => {
    const { client, accepted } = await pair(t, isSecure);
    const shared = Buffer.alloc(64 * 1024);
    let all = Buffer.alloc(0);
    const isShared = readShared(accepted, shared, (chunk) => {
      assert.equal(chunk.buffer, shared.buffer);
      all = Buffer.concat([all, chunk]);
    });
    assert.ok(isShared);
    accepted.resume();
    const sent = Buffer.alloc(300_000, 'perantara ');
    client.write('small');
    while (all.length < 5) await new Promise(setImmediate);
    client.end(sent);
    await once(accepted, 'end');
    assert.equal(all.toString('latin1'), `small${sent.toString('latin1')}`);
  });

  test(`${kind} that is paused reads no more until it is resumed`, async (t) => {
    const { client, accepted } = await pair(t, isSecure);
    let bytes = 0;
    readShared(accepted, Buffer.alloc(64 * 1024), (chunk) => {
      bytes += chunk.length;
      accepted.pause();
    });
    accepted.resume();
    client.write(Buffer.alloc(4_000_000));
    while (bytes === 0) await new Promise(setImmediate);
    const first = bytes;
    for (let i = 0; i < 50; i++) await new Promise(setImmediate);
    // TLS hands on what it has decrypted already: one read of the system's, a few records.
    assert.ok(bytes <= first + 128 * 1024, `${bytes} bytes came while paused`);
    while (bytes < 4_000_000) {
      accepted.resume();
      await new Promise(setImmediate);
    }
  });
}

test('a socket that holds bytes already is left to its data events', async (t) => {
  const { client, accepted } = await pair(t, false);
  client.write('early');
  await once(accepted, 'readable');
  assert.equal(
    readShared(accepted, Buffer.alloc(64), () => assert.fail('read')),
    false,
  );
  const [chunk] = (await once(accepted, 'data')) as [Buffer];
  assert.equal(chunk.toString(), 'early');
});
