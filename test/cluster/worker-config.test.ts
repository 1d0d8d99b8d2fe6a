// What a worker is given of the configuration.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { givenConfig } from '../../src/cluster/worker-config.ts';
import { loadConfigValue } from '../../src/config/load.ts';
import { systemClock } from '../../src/core/clock.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

test('no secret that a worker has no use for', async (t) => {
  const value = {
    acme: { directory: 'zerossl', binding: { keyId: 'k', hmacKey: 'c2VjcmV0LXNlY3JldC1zZWNyZXQ' } },
    dns: { cloudflare: { token: 'secret-dns-token' } },
    onDemand: { ask: 'http://127.0.0.1:9000/ask?key=secret-ask', proxy: 'http://127.0.0.1:3000' },
    onEvent: { webhook: 'https://hooks.example.com/secret-hook' },
    admin: { address: '127.0.0.1:0', token: 'secret-admin-token-of-some-length' },
    sites: { 'app.example.com': 'http://127.0.0.1:3000' },
  };
  const folder = await temporaryFolder(t);
  const loaded = loadConfigValue(value, { folder, places: { values: {}, keys: {} }, now: systemClock.now() });
  assert.ok(loaded.ok, JSON.stringify(loaded));
  const secrets = /secret|c2VjcmV0/g;
  assert.ok(JSON.stringify(loaded.config).match(secrets)!.length >= 5);
  assert.deepEqual(JSON.stringify(givenConfig(loaded.config, 2)).match(secrets), null);
});
