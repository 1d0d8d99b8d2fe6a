import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BufferPool } from '../../src/core/buffer-pool.ts';
import { DeadlineSweep } from '../../src/core/deadlines.ts';
import { EndOfTurn } from '../../src/core/end-of-turn.ts';
import { plainOpener } from '../../src/core/upstream-socket.ts';
import { HeaderList } from '../../src/http/header-list.ts';
import { ClientConnection } from '../../src/http1/client-connection.ts';
import { TIMEOUTS } from '../support/bare-proxy.ts';
import { startOrigin } from '../support/origin.ts';

test('an upload has a deadline only while the upstream does not take it', async (t) => {
  const origin = await startOrigin(t, (_asked, peer) => peer.socket.pause());
  const options = {
    timeouts: TIMEOUTS,
    sweep: new DeadlineSweep(),
    turn: new EndOfTurn(),
    buffers: new BufferPool(),
  };
  const owner = { onIdle() {}, onClosed() {} };
  const connection = new ClientConnection(plainOpener({ host: '127.0.0.1', port: origin.port }), owner, options);
  t.after(() => connection.destroy());
  const { promise: connected, resolve: onConnect } = Promise.withResolvers<void>();
  const { promise: drained, resolve: onRequestDrain } = Promise.withResolvers<void>();
  const ignore = {
    onInformation() {},
    onResponse() {},
    onUpgrade() {},
    onResponseData() {},
    onResponseIdle() {},
    onResponseEnd() {},
  };
  const headers = new HeaderList(['Host', 'a']);
  const request = { method: 'PUT', target: '/', headers, length: null, upgradeTo: null, acceptsTrailers: false };
  connection.send(request, { ...ignore, onConnect, onRequestDrain, onResponseError() {} });
  await connected;
  assert.equal(connection.deadlineAt, Number.POSITIVE_INFINITY);
  assert.equal(connection.write(Buffer.alloc(8 * 1024 * 1024)), false);
  assert.ok(connection.deadlineAt < Number.POSITIVE_INFINITY);
  (await origin.connection(0)).socket.resume();
  await origin.request(0);
  (await origin.connection(0)).socket.resume();
  await drained;
  assert.equal(connection.deadlineAt, Number.POSITIVE_INFINITY, 'now the client is waited for');
});
