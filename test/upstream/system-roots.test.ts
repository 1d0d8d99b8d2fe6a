// Whom a target without `trust` is believed by: Node's authorities and the system's. Alone in its file, since both are read once
// in a process.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { getCACertificates } from 'node:tls';
import { TlsContexts } from '../../src/upstream/tls-contexts.ts';
import { startBareProxy } from '../support/bare-proxy.ts';
import { request } from '../support/chain.ts';
import { makeAuthority, mint } from '../support/minted.ts';
import { startOrigin } from '../support/origin.ts';
import { ORIGIN_AUTHORITY, ORIGIN_NAME, originTls, secureTarget } from '../support/secure-origin.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

test('the authorities of the system and of Node are believed, and no others', async (t) => {
  const file = join(await temporaryFolder(t), 'roots.pem');
  writeFileSync(file, ORIGIN_AUTHORITY.certPem);
  process.env.SSL_CERT_FILE = file;
  process.env.SSL_CERT_DIR = '';
  t.after(() => {
    delete process.env.SSL_CERT_FILE;
    delete process.env.SSL_CERT_DIR;
  });
  const ask = async (
    authority = ORIGIN_AUTHORITY,
    identity = null as ReturnType<typeof mint> | null,
  ): Promise<number> => {
    const origin = await startOrigin(t, undefined, { tls: originTls([ORIGIN_NAME], authority) });
    const { connect } = await startBareProxy(t, secureTarget(origin.port, { trust: null, identity }));
    const client = await connect();
    await client.send(request('/'));
    return (await client.message()).status;
  };
  assert.equal(await ask(), 200);
  assert.equal(await ask(ORIGIN_AUTHORITY, mint(['a'], ORIGIN_AUTHORITY)), 200);
  assert.equal(await ask(makeAuthority('Stranger')), 502);
  assert.equal(getCACertificates('system').length, 1);
  assert.ok(getCACertificates('default').length > 100, 'those of Node count besides');
});

test('targets without settings of their own share what TLS starts from', () => {
  const contexts = new TlsContexts();
  const usual = { servername: 'a', trust: null, identity: null, http: 'any', verify: true } as const;
  assert.equal(contexts.for(usual), contexts.for({ ...usual, servername: 'b', http: '2' }));
  assert.notEqual(contexts.for(usual), contexts.for({ ...usual, verify: false }));
  assert.notEqual(contexts.for(usual), contexts.for({ ...usual, trust: ORIGIN_AUTHORITY.certPem }));
});
