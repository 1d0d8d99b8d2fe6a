import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as netConnect } from 'node:net';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import { type ConnectionOptions, type TLSSocket, connect as tlsConnect } from 'node:tls';
import { request, startChain } from '../support/chain.ts';
import { connectPlain, connectSecure, Peer } from '../support/peer.ts';

/** The error a handshake ends with. */
async function handshakeError(port: number, options: ConnectionOptions): Promise<string> {
  const error = await connectSecure(port, options).then(
    (peer) => assert.fail(`connected with ${(peer.socket as TLSSocket).getProtocol()}`),
    (reason: { code?: string; message: string }) => `${reason.code} ${reason.message}`,
  );
  return error;
}

test('TLS 1.2 and 1.3 are spoken, each with forward secrecy, and 1.1 is refused', async (t) => {
  const { httpsPort } = await startChain(t);
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const client = await connectSecure(httpsPort, { minVersion: version, maxVersion: version });
    const socket = client.socket as TLSSocket;
    assert.equal(socket.getProtocol(), version);
    assert.equal(socket.alpnProtocol, 'http/1.1');
    assert.match(socket.getCipher().name, version === 'TLSv1.2' ? /^ECDHE-ECDSA-.*(GCM|POLY1305)/ : /^TLS_/);
    await client.send(request());
    assert.equal((await client.message()).body, 'hello');
    client.destroy();
  }
  const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
  assert.match(await handshakeError(httpsPort, old), /protocol version|unsupported/i);
  const weak = { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA:AES128-SHA' } as const;
  assert.match(await handshakeError(httpsPort, weak), /handshake failure/i);
});

test('a name that is not served, or none, ends in an alert and never in a certificate', async (t) => {
  const { httpsPort, exchange } = await startChain(t);
  for (const servername of ['other.localhost', 'localhost', 'x.app.localhost', 'app.localhost.evil', '*.localhost']) {
    assert.match(await handshakeError(httpsPort, { servername }), /unrecognized.name/i, servername);
  }
  assert.match(
    await handshakeError(httpsPort, { servername: '' }),
    /alert|no suitable|handshake failure|internal error/i,
  );
  assert.match((await exchange(request('/', ['Connection: close']))).text, /hello$/);
});

test('names are matched in any case', async (t) => {
  const { httpsPort } = await startChain(t);
  for (const servername of ['APP.localhost', 'App.LocalHost']) {
    const client = await connectSecure(httpsPort, { servername });
    await client.send(request());
    assert.equal((await client.message()).status, 200);
    client.destroy();
  }
});

test('a client that speaks none of our protocols is refused, one that names none is served', async (t) => {
  const { httpsPort } = await startChain(t);
  for (const protocol of ['h3', 'acme-tls/1', 'spdy/3']) {
    assert.match(await handshakeError(httpsPort, { ALPNProtocols: [protocol] }), /no.application.protocol/i, protocol);
  }
  for (const [offered, expected] of [
    [['http/1.1', 'h2'], 'h2'],
    [['spdy/3', 'http/1.1'], 'http/1.1'],
  ] as const) {
    const chosen = await connectSecure(httpsPort, { ALPNProtocols: [...offered] });
    assert.equal((chosen.socket as TLSSocket).alpnProtocol, expected);
    chosen.destroy();
  }
  const socket = tlsConnect({
    port: httpsPort,
    host: '127.0.0.1',
    servername: 'app.localhost',
    rejectUnauthorized: false,
  });
  await once(socket, 'secureConnect');
  const client = new Peer(socket);
  await client.send(request());
  assert.equal((await client.message()).body, 'hello');
  client.destroy();
});

test('a session is resumed, with either version', async (t) => {
  const { httpsPort } = await startChain(t);
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const options = { minVersion: version, maxVersion: version };
    const first = await connectSecure(httpsPort, options);
    let session = (first.socket as TLSSocket).getSession();
    first.socket.on('session', (ticket: Buffer) => {
      session = Buffer.from(ticket);
    });
    await first.send(request());
    await first.message();
    first.destroy();
    const second = await connectSecure(httpsPort, { ...options, session });
    assert.equal((second.socket as TLSSocket).isSessionReused(), true, version);
    await second.send(request());
    assert.equal((await second.message()).body, 'hello');
    second.destroy();
  }
});

test('a ClientHello in single bytes is understood', async (t) => {
  const { httpsPort } = await startChain(t);
  const raw = netConnect({ port: httpsPort, host: '127.0.0.1', noDelay: true });
  await once(raw, 'connect');
  /** Hands on what TLS writes one byte at a time. */
  const dribble = new Duplex({
    read() {},
    async write(chunk: Buffer, _encoding, done) {
      for (const byte of chunk) {
        raw.write(Buffer.of(byte));
        await new Promise(setImmediate);
      }
      done();
    },
  });
  raw.on('data', (chunk) => dribble.push(chunk));
  const socket = tlsConnect({ socket: dribble, servername: 'app.localhost', rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const client = new Peer(socket);
  await client.send(request());
  assert.equal((await client.message()).body, 'hello');
  socket.destroy();
  raw.destroy();
});

test('plain HTTP on the TLS port is told so', async (t) => {
  const { httpsPort } = await startChain(t);
  for (const text of [request(), request('/', ['Content-Length: 3'], 'POST')]) {
    const client = await connectPlain(httpsPort);
    await client.send(text);
    const answer = await client.message();
    assert.equal(answer.status, 400);
    assert.match(answer.body, /HTTPS/);
    await client.end();
    client.destroy();
  }
});

test('garbage, and clients that leave in the handshake, hinder nobody', async (t) => {
  const { httpsPort, exchange, server, logged } = await startChain(t);
  const hello = Buffer.from('16030100c8010000c40303', 'hex');
  for (const bytes of [Buffer.alloc(0), hello, Buffer.alloc(20_000, 0xff), Buffer.from('16030100020100', 'hex')]) {
    for (const how of ['destroy', 'reset', 'finish'] as const) {
      const client = await connectPlain(httpsPort);
      await client.send(bytes).catch(() => {});
      client[how]();
      await once(client.socket, 'close').catch(() => {});
    }
  }
  assert.match((await exchange(request('/', ['Connection: close']))).text, /hello$/);
  await server.close();
  assert.doesNotMatch(logged.join(''), /drain timeout|inside Perantara/);
});
