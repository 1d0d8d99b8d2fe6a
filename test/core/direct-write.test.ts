import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, Socket } from 'node:net';
import { suite, test } from 'node:test';
import { DirectWrite } from '../../src/core/direct-write.ts';
import { plainOpener } from '../../src/core/upstream-socket.ts';

const NO_FAILURE = (status: number): void => assert.fail(`a write failed with ${status}`);

/** A server that leaves each of its connections to `serve`, and a socket connected to it. */
async function connected(t: { after(end: () => void): void }, serve: (peer: Socket) => void): Promise<Socket> {
  const server = createServer({ allowHalfOpen: true }, (peer) => {
    t.after(() => peer.destroy());
    peer.on('error', () => {});
    serve(peer);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = new Socket({ allowHalfOpen: true }).connect((server.address() as AddressInfo).port, '127.0.0.1');
  t.after(() => {
    socket.destroy();
    server.close();
  });
  await once(socket, 'connect');
  return socket;
}

/** All that comes until the end. */
async function all(peer: Socket): Promise<string> {
  peer.setEncoding('latin1');
  let text = '';
  peer.on('data', (more: string) => {
    text += more;
  });
  peer.resume();
  await once(peer, 'end');
  return text;
}

/** How often `direct` takes 16,000 characters before a write goes on. */
function writtenUntilFull(direct: DirectWrite): number {
  let times = 0;
  while (direct.text('x'.repeat(16_000))) assert.ok(++times < 10_000, 'the system takes all');
  return times;
}

suite('writing past the stream', () => {
  test('this Node is known, so that the fast way is taken', async (t) => {
    const peers = Promise.withResolvers<Socket>();
    const socket = await connected(t, peers.resolve);
    assert.equal(new DirectWrite(socket, NO_FAILURE).text('a'), true);
    assert.equal(socket.writableLength, 0);
    socket.end();
    assert.equal(await all(await peers.promise), 'a');
  });

  test('what the system does not take at once arrives whole, before what is written after it', async (t) => {
    const peers = Promise.withResolvers<Socket>();
    const socket = await connected(t, (peer) => {
      peer.pause();
      peers.resolve(peer);
    });
    const direct = new DirectWrite(socket, NO_FAILURE);
    let sent = '';
    let taken = 0;
    for (let i = 0; i < 1000; i++) {
      const text = `${i}`.padStart(5, '0').repeat(4000);
      sent += text;
      if (direct.text(text)) taken++;
      else socket.write(text, 'latin1');
    }
    assert.ok(taken > 0 && taken < 1000, `${taken} of 1000 went past the stream`);
    socket.end();
    assert.equal((await all(await peers.promise)) === sent, true);
  });

  test('the fast way is open again when the system has taken all', async (t) => {
    const peers = Promise.withResolvers<Socket>();
    const socket = await connected(t, (peer) => {
      peer.pause();
      peers.resolve(peer);
    });
    const direct = new DirectWrite(socket, NO_FAILURE);
    assert.ok(writtenUntilFull(direct) > 0);
    const all = Promise.withResolvers<void>();
    socket.write('y', 'latin1', () => all.resolve());
    (await peers.promise).resume();
    await all.promise;
    assert.equal(direct.text('z'), true);
  });

  test('nothing is written past what the stream has, nor before the connection is made, nor after its end', async (t) => {
    const socket = await connected(t, () => {});
    const direct = new DirectWrite(socket, NO_FAILURE);
    socket.cork();
    assert.equal(direct.text('a'), false);
    socket.write('first', 'latin1');
    assert.equal(direct.text('a'), false);
    socket.uncork();
    const unconnected = new Socket();
    assert.equal(new DirectWrite(unconnected, NO_FAILURE).text('a'), false);
    socket.end();
    assert.equal(direct.text('a'), false);
    socket.destroy();
    assert.equal(direct.text('a'), false);
  });

  test('a write that was under way and fails is told of', async (t) => {
    const failure = Promise.withResolvers<number>();
    const socket = await connected(t, (peer) => {
      peer.pause();
      setImmediate(() => peer.resetAndDestroy());
    });
    socket.on('error', () => {});
    const direct = new DirectWrite(socket, failure.resolve);
    writtenUntilFull(direct);
    assert.ok((await failure.promise) < 0);
  });
});

suite('a plain socket to an upstream', () => {
  test('writes heads past the stream, and reads on when the upstream has answered and reset', async (t) => {
    const server = createServer((peer) => {
      peer.on('error', () => {});
      peer.once('data', () => peer.write('early', () => peer.resetAndDestroy()));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const buffer = Buffer.alloc(100);
    let came = '';
    const socket = plainOpener({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' })({
      buffer,
      callback: (bytes) => {
        came += buffer.toString('latin1', 0, bytes);
        return true;
      },
    });
    t.after(() => {
      socket.destroy();
      server.close();
    });
    await once(socket, 'connect');
    const error = once(socket, 'error').catch((reason: unknown) => reason);
    const stream = Socket.prototype.write;
    assert.notEqual(socket.write, stream, 'connect puts the usual write in place of ours');
    assert.equal(socket.write('GET', 'latin1'), true);
    assert.equal(socket.writableLength, 0);
    await error;
    assert.equal(came, 'early');
  });
});
