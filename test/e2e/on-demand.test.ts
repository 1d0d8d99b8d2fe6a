// Certificates on demand from a real CA, by a real `perantara run`: the first handshake of a name obtains its certificate.
import { deepStrictEqual, match, strictEqual } from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { startAskServer } from '../support/ask-server.ts';
import { freePort } from '../support/free-port.ts';
import { needsTools } from '../support/needs-tools.ts';
import { startPebble } from '../support/pebble.ts';
import { type Perantara, startPerantara } from '../support/perantara.ts';
import { curl, type Run } from '../support/program.ts';
import { startSampleUpstream } from '../support/sample-upstream.ts';

const SITE = 'www.example.org';
const WANTED = 'shop.customer.example.net';
const FOREIGN = 'evil.example.net';
const BROKEN = 'broken.example.net';

describe('with a real certificate authority', await needsTools('pebble', 'pebble-challtestsrv', 'curl'), () => {
  test('names that the operator allows are obtained at their first handshake, kept, and served after a restart', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'perantara-demand-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const httpPort = await freePort();
    const upstream = await startSampleUpstream();
    t.after(() => upstream.close());
    const orders: string[] = [];
    const onLine = (line: string): void => void (/There are now \d+ orders in the db/.test(line) && orders.push(line));
    const pebble = await startPebble({ httpPort, onLine });
    t.after(() => pebble.stop());
    await pebble.setAddress(BROKEN, '127.0.0.77'); // nobody answers there
    const ask = await startAskServer(t);
    ask.answer = ({ domain }, response) => void response.writeHead(domain === FOREIGN ? 403 : 200).end();
    const rootFile = join(folder, 'root.pem');
    await writeFile(rootFile, await pebble.rootPem());
    await writeFile(join(folder, 'trust.pem'), pebble.trustPem);

    const start = async (): Promise<Perantara> => {
      const proxy = await startPerantara({
        config: {
          acme: { directory: pebble.directoryUrl, trust: join(folder, 'trust.pem') },
          storage: join(folder, 'storage'),
          listen: { http: `127.0.0.1:${httpPort}`, https: '127.0.0.1:0' },
          sites: { [SITE]: { respond: 'the site' } },
          onDemand: { ask: ask.url, proxy: upstream.url },
        },
      });
      t.after(() => proxy.stop());
      return proxy;
    };
    let proxy = await start();
    await proxy.obtained(SITE);
    const get = (name: string, ...more: string[]): Promise<Run> => {
      const resolve = `${name}:${proxy.httpsPort}:127.0.0.1`;
      return curl(['--cacert', rootFile, '--resolve', resolve, ...more, `https://${name}:${proxy.httpsPort}/`]);
    };

    const first = await get(WANTED);
    strictEqual(first.code, 0, first.text);
    match(first.text, /<h1>It works<\/h1>/);
    deepStrictEqual(ask.questions, [{ domain: WANTED, address: '127.0.0.1' }]);

    strictEqual((await get(FOREIGN)).code, 35, 'refused in the handshake');
    strictEqual((await get(BROKEN)).code, 35);
    const failure = await proxy.logged(({ msg, name }) => msg === 'certificate not obtained' && name === BROKEN);
    match(String(failure.err?.message), /connection refused/);
    const asked = ask.questions.length;
    for (let index = 0; index < 5; index++) strictEqual((await get(BROKEN)).code, 35);
    strictEqual(ask.questions.length, asked, 'neither the operator nor the CA is asked again');

    const foreignHost = await get(WANTED, '-H', `Host: ${FOREIGN}`, '-w', '%{http_code}');
    match(foreignHost.text, /421/);
    const redirected = await curl(['-i', '-H', `Host: ${WANTED}`, `http://127.0.0.1:${httpPort}/`]);
    match(redirected.text, /308 Permanent Redirect/);
    match(redirected.text, new RegExp(`Location: https://${WANTED.replaceAll('.', '\\.')}`, 'i'));

    const issuer = new URL(pebble.directoryUrl).host.replace(':', '-').concat('-dir');
    const state = await readFile(join(folder, 'storage/certificates', issuer, WANTED, 'state.json'), 'utf8');
    strictEqual((JSON.parse(state) as { onDemand: boolean }).onDemand, true);

    const placed = orders.length;
    proxy.signal('SIGTERM');
    strictEqual(await proxy.exited, 0);
    await ask.stop();
    proxy = await start();
    const again = await get(WANTED);
    strictEqual(again.code, 0, again.text);
    strictEqual((await get(SITE)).code, 0);
    strictEqual((await get(BROKEN)).code, 35);
    strictEqual(orders.length, placed, 'served from storage, without a question to anybody');
    const orphans = proxy.log.filter(({ event }) => event === 'certificate_orphaned');
    deepStrictEqual(orphans, []);
  });
});
