// Sockets that are bound for workers.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { test } from 'node:test';
import { bindShared } from '../../src/cluster/bound-handle.ts';

test('a port that another program has is told: a socket that is not bound would listen on any port', async (t) => {
  const other = createServer().listen(0, '127.0.0.1');
  t.after(() => other.close());
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  assert.throws(() => bindShared('127.0.0.1', port), { code: 'EADDRINUSE' });
});
