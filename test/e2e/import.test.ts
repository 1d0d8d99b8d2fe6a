// Moving from certbot and Caddy, whole: what they obtained from a real authority is taken over by the command, and served by
// the server without an order, also by one that runs already.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { connect } from 'node:tls';
import { MAIN, startNode } from '../cli/command.ts';
import { freePort } from '../support/free-port.ts';
import { type Pebble, startPebble } from '../support/pebble.ts';
import { startPerantara } from '../support/perantara.ts';
import { retry } from '../support/retry.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

let pebble: Pebble;
let port = 0;
const orders: string[] = [];
before(async () => {
  port = await freePort();
  const onLine = (line: string): void => void (/There are now \d+ orders in the db/.test(line) && orders.push(line));
  pebble = await startPebble({ httpPort: port, onLine });
});
after(() => pebble.stop());

const configOf = (storage: string, names: readonly string[]) => ({
  acme: { directory: pebble.directoryUrl, trust: pebble.trustFile },
  storage,
  listen: { http: `127.0.0.1:${port}`, https: '127.0.0.1:0' },
  sites: Object.fromEntries(names.map((name) => [name, 3000])),
});

async function certs(folder: string, ...args: readonly string[]): Promise<string> {
  const running = startNode([MAIN, 'certs', ...args], folder);
  assert.equal(await running.ended, 0, running.text());
  return running.text();
}

/** Fingerprint of what a client without any trust is shown. */
async function shown(name: string, httpsPort: number): Promise<string> {
  const client = connect({ port: httpsPort, host: '127.0.0.1', servername: name, rejectUnauthorized: false });
  try {
    await once(client, 'secureConnect');
    return client.getPeerX509Certificate()!.fingerprint256;
  } finally {
    client.destroy();
  }
}

describe('certificates of certbot and Caddy', { timeout: 110_000 }, () => {
  it('are served by the next start, and by a server that runs, without an order', async (t) => {
    const names = ['a.example.com', 'b.example.com', 'late.example.com'];
    // The other programs: three certificates from the authority in a storage of their own.
    const other = await temporaryFolder(t);
    const obtaining = await startPerantara({ config: configOf(join(other, 's'), names) });
    t.after(() => obtaining.stop());
    await obtaining.obtained(...names);
    await obtaining.stop();
    const issuer = `localhost-${new URL(pebble.directoryUrl).port}-dir`;
    const stored = (name: string, file: string): string => join(other, 's/certificates', issuer, name, file);
    const fingerprint = (name: string): string =>
      new X509Certificate(readFileSync(stored(name, 'cert.pem'))).fingerprint256;

    const folder = await temporaryFolder(t);
    const certbot = join(folder, 'letsencrypt');
    mkdirSync(join(certbot, 'archive/a.example.com'), { recursive: true });
    mkdirSync(join(certbot, 'live/a.example.com'), { recursive: true });
    for (const [own, theirs] of [
      ['cert.pem', 'fullchain'],
      ['key.pem', 'privkey'],
    ] as const) {
      copyFileSync(stored('a.example.com', own), join(certbot, `archive/a.example.com/${theirs}1.pem`));
      symlinkSync(`../../archive/a.example.com/${theirs}1.pem`, join(certbot, `live/a.example.com/${theirs}.pem`));
    }
    const putCaddy = (caddy: string, name: string): void => {
      const place = join(caddy, 'certificates', issuer, name);
      mkdirSync(place, { recursive: true });
      copyFileSync(stored(name, 'cert.pem'), join(place, `${name}.crt`));
      copyFileSync(stored(name, 'key.pem'), join(place, `${name}.key`));
    };
    putCaddy(join(folder, 'caddy'), 'b.example.com');
    putCaddy(join(folder, 'caddy-late'), 'late.example.com');

    writeFileSync(join(folder, 'perantara.yaml'), JSON.stringify(configOf('./s', names)));
    assert.match(await certs(folder, 'import', 'letsencrypt'), /taken over for a\.example\.com/);
    assert.match(await certs(folder, 'import', 'caddy'), /taken over for b\.example\.com/);

    const before = orders.length;
    // Nobody can obtain this one, so that it comes from the import or not at all.
    await pebble.dns('set-servfail', { host: 'late.example.com.' });
    const server = await startPerantara({ config: configOf(join(folder, 's'), names) });
    t.after(() => server.stop());
    assert.equal(await shown('a.example.com', server.httpsPort), fingerprint('a.example.com'));
    assert.equal(await shown('b.example.com', server.httpsPort), fingerprint('b.example.com'));
    // All turns of the start are over: names have theirs in the order of the file.
    await server.logged(({ event, name }) => event === 'certificate_failed' && name === 'late.example.com');
    await assert.rejects(shown('late.example.com', server.httpsPort));
    const ofLate = orders.length;
    assert.ok(ofLate > before);

    await certs(folder, 'import', 'caddy-late', '--config', server.configFile);
    const late = await retry(() => shown('late.example.com', server.httpsPort), { deadlineMs: 40_000 });
    assert.equal(late, fingerprint('late.example.com'));
    assert.equal(orders.length, ofLate);

    const asked = server.log.filter(({ event }) => String(event).startsWith('certificate_'));
    assert.deepEqual([...new Set(asked.map(({ name }) => name))], ['late.example.com']);
    server.signal('SIGTERM');
    assert.equal(await server.exited, 0);
    const list = await certs(folder);
    assert.equal(list.match(/^\S+\.example\.com +valid /gm)?.length, 3, list);
    assert.equal(await ordersOfNextStart(folder, names), 0);
  });
});

/** How many orders a restart makes. */
async function ordersOfNextStart(folder: string, names: readonly string[]): Promise<number> {
  const before = orders.length;
  const server = await startPerantara({ config: configOf(join(folder, 's'), names) });
  try {
    for (const name of names) await shown(name, server.httpsPort);
    server.signal('SIGTERM');
    await server.exited;
    return orders.length - before;
  } finally {
    await server.stop();
  }
}
