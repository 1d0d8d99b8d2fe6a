// `perantara certs renew` and `revoke` beside a real authority, by a running server and without one.
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { freePort } from '../../support/free-port.ts';
import { type Pebble, startPebble } from '../../support/pebble.ts';
import { startPerantara } from '../../support/perantara.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { MAIN, perantara, startNode } from '../command.ts';

let pebble: Pebble;
let port = 0;
before(async () => {
  port = await freePort();
  pebble = await startPebble({ httpPort: port });
});
after(() => pebble.stop());

const configOf = (storage: string) => ({
  acme: { directory: pebble.directoryUrl, trust: pebble.trustFile },
  storage,
  listen: { http: `127.0.0.1:${port}`, https: '127.0.0.1:0' },
  sites: { 'a.example.com': 3000 },
});

async function folderOf(t: TestContext): Promise<string> {
  const folder = await temporaryFolder(t);
  mkdirSync(join(folder, 's'));
  writeFileSync(join(folder, 'perantara.yaml'), JSON.stringify(configOf('./s')));
  return folder;
}

function serialOf(storage: string): string {
  const [issuer] = readdirSync(join(storage, 'certificates')).filter((name) => name !== 'any');
  return readFileSync(join(storage, 'certificates', issuer!, 'a.example.com/cert.pem'), 'utf8');
}

/** Runs a verb to its end without blocking this process, where nothing of ours waits. */
async function verb(folder: string, ...args: readonly string[]): Promise<{ code: unknown; text: string }> {
  const running = startNode([MAIN, 'certs', ...args], folder);
  const code = await running.ended;
  return { code, text: running.text() };
}

describe('certs renew and revoke', { timeout: 110_000 }, () => {
  it('without a server do it themselves; a compromised key is never used again', async (t) => {
    const folder = await folderOf(t);
    const first = await verb(folder, 'renew', 'a.example.com');
    assert.equal(first.code, 0, first.text);
    assert.match(
      first.text,
      /no running server took it up; this process does it\na\.example\.com: renewed \(localhost-/,
    );
    const before = serialOf(join(folder, 's'));

    const unasked = await verb(folder, 'revoke', 'a.example.com');
    assert.equal(unasked.code, 2, unasked.text);
    assert.match(unasked.text, /this is no terminal; add --yes/);

    const revoked = await verb(folder, 'revoke', 'a.example.com', '--yes', '--reason', 'keyCompromise');
    assert.equal(revoked.code, 0, revoked.text);
    assert.match(revoked.text, /revoked certificate [0-9A-F]+ of a\.example\.com at localhost:\d+ \(keyCompromise\)/);
    assert.notEqual(serialOf(join(folder, 's')), before);
    assert.equal(readdirSync(join(folder, 's/compromised')).length, 1);
  });

  it('tell a failure in the authority’s own words and end with 1', async (t) => {
    const folder = await folderOf(t);
    await pebble.dns('set-servfail', { host: 'a.example.com.' });
    t.after(() => pebble.dns('clear-servfail', { host: 'a.example.com.' }));
    const { code, text } = await verb(folder, 'renew', 'a.example.com');
    assert.equal(code, 1, text);
    assert.match(text, /a\.example\.com: failed: .*the CA says: .*could not resolve.*; next attempt in /i);
  });

  it('are done by a server that runs with the same storage', async (t) => {
    const server = await startPerantara({ config: configOf(join(await temporaryFolder(t), 's')) });
    t.after(() => server.stop());
    await server.obtained('a.example.com');
    const storage = JSON.parse(readFileSync(server.configFile, 'utf8')).storage as string;
    const before = serialOf(storage);
    const { code, text } = await verb(storage, 'renew', 'a.example.com', '--force', '--config', server.configFile);
    assert.equal(code, 0, text);
    assert.doesNotMatch(text, /this process does it/);
    assert.match(text, /a\.example\.com: renewed/);
    assert.notEqual(serialOf(storage), before);
    const again = await verb(storage, 'renew', 'a.example.com', '--config', server.configFile);
    assert.equal(again.code, 1, again.text);
    assert.doesNotMatch(again.text, /no running server/);
    assert.match(again.text, /not renewed yet: .* a running server does it in \S.*, --force does it now/);
  });

  it('are not hindered by a roll-over of the account key while the server runs', async (t) => {
    const server = await startPerantara({ config: configOf(join(await temporaryFolder(t), 's')) });
    t.after(() => server.stop());
    await server.obtained('a.example.com');
    const storage = JSON.parse(readFileSync(server.configFile, 'utf8')).storage as string;
    const accountKey = (): string => {
      const [issuer] = readdirSync(join(storage, 'accounts'));
      return readFileSync(join(storage, 'accounts', issuer!, 'key.pem'), 'utf8');
    };
    const before = accountKey();
    const rolled = await verb(storage, 'roll-over', '--config', server.configFile);
    assert.deepEqual(rolled, { code: 0, text: `${new URL(pebble.directoryUrl).host}: the account has a new key\n` });
    assert.notEqual(accountKey(), before);
    const renewed = await verb(storage, 'renew', 'a.example.com', '--force', '--config', server.configFile);
    assert.equal(renewed.code, 0, renewed.text);
    assert.doesNotMatch(renewed.text, /this process does it/);

    const unused = await verb(await folderOf(t), 'roll-over');
    assert.match(unused.text, /there is no account yet/);
  });

  it('name what they do not know', async (t) => {
    const folder = await folderOf(t);
    const { code, err } = perantara(['certs', 'renew', 'b.example.com'], folder);
    assert.equal(code, 2);
    assert.match(err, /no site of the configuration has that name; did you mean a\.example\.com\?/);
  });
});
