// A wildcard from a real CA by a real `perantara run`, as a user sets it up: the `dns` section, a program or signed updates, and
// the record that stays.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, suite, type TestContext, test } from 'node:test';
import { type DnsServer, startDnsServer } from '../support/dns-server.ts';
import { freePort } from '../support/free-port.ts';
import { needsTools } from '../support/needs-tools.ts';
import { type Pebble, startPebble } from '../support/pebble.ts';
import { type Perantara, startPerantara } from '../support/perantara.ts';
import { curl } from '../support/program.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const key = { name: 'acme.key', algorithm: 'hmac-sha256', secret: Buffer.from('of 32 octets').toString('base64') };

suite('a wildcard', await needsTools('pebble', 'pebble-challtestsrv', 'curl'), () => {
  let dns: DnsServer;
  let pebble: Pebble;

  before(async () => {
    dns = await startDnsServer({ keys: [key] });
    dns.addZone('example.org');
    pebble = await startPebble({ httpPort: await freePort(), dnsServer: dns.address });
  });
  after(async () => {
    await pebble?.stop();
    await dns?.stop();
  });

  async function start(t: TestContext, host: string, challenge: string, provider: object): Promise<Perantara> {
    const folder = await temporaryFolder(t);
    await writeFile(join(folder, 'trust.pem'), pebble.trustPem);
    const proxy = await startPerantara({
      config: {
        acme: { directory: pebble.directoryUrl, trust: join(folder, 'trust.pem') },
        dns: { ...provider, resolvers: dns.address },
        sites: { [host]: { tls: { challenge }, respond: 'hello' } },
      },
    });
    t.after(() => proxy.stop());
    return proxy;
  }

  async function answers(t: TestContext, { httpsPort }: Perantara, name: string): Promise<void> {
    const rootFile = join(await temporaryFolder(t), 'root.pem');
    await writeFile(rootFile, await pebble.rootPem());
    const resolve = `${name}:${httpsPort}:127.0.0.1`;
    const run = await curl(['--cacert', rootFile, '--resolve', resolve, `https://${name}:${httpsPort}/`]);
    assert.equal(run.stdout, 'hello', run.text);
  }

  test('is obtained by signed updates and served, and its record is gone', async (t) => {
    const rfc2136 = { server: dns.address, tsig: key };
    const proxy = await start(t, '*.example.org', 'dns-01', { rfc2136 });
    await proxy.obtained('*.example.org');
    await answers(t, proxy, 'any.example.org');
    assert.deepEqual(
      dns.updates.map(({ change }) => change),
      ['add', 'remove'],
    );
    assert.deepEqual(dns.texts('_acme-challenge.example.org'), []);
    assert.doesNotMatch(proxy.output(), new RegExp(key.secret));
  });

  test('is refused with the words of a program that fails', async (t) => {
    const program = join(await temporaryFolder(t), 'hook.sh');
    await writeFile(program, '#!/bin/sh\necho "zone is locked until monday" >&2\nexit 1\n', { mode: 0o755 });
    const proxy = await start(t, '*.failing.example.org', 'dns-01', { exec: program });
    const line = await proxy.logged(({ msg }) => msg === 'certificate not obtained');
    assert.match(
      line.err?.message ?? '',
      /by program ".*hook\.sh": it ended with 1 and said: zone is locked until monday/,
    );
  });

  test('is told which record has to stay', async (t) => {
    const rfc2136 = { server: dns.address, tsig: key };
    const proxy = await start(t, '*.stays.example.org', 'dns-persist-01', { rfc2136 });
    const line = await proxy.logged(({ msg }) => msg === 'certificate not obtained');
    const account = `${new URL(pebble.directoryUrl).origin}/my-account/`;
    const record = `_validation-persist.stays.example.org. IN TXT "pebble.letsencrypt.org; accounturi=${account}`;
    const message = line.err?.message ?? '';
    assert.ok(message.includes(`set ${record}`), message);
    assert.match(message, /; policy=wildcard"/);
  });
});
