// Real files, real watching: what an operator, an editor, certbot or Kubernetes does to certificate files while they are served.
import assert from 'node:assert/strict';
import { renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Certificate, formatBundle } from '../../src/certs/certificate.ts';
import type { ServedCertificate } from '../../src/certs/resolver.ts';
import { SuppliedCertificates, type SuppliedCertificatesOptions } from '../../src/certs/supplied-certificates.ts';
import type { SuppliedFiles } from '../../src/config/config.ts';
import { readCertificateFiles } from '../../src/core/certificate-files.ts';
import { makeCertificate, makePkcs12 } from '../golden/certificates.ts';
import { capturedLog } from '../support/captured-log.ts';
import { makeAuthority, mint } from '../support/minted.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const root = makeAuthority();
const HOST = 'a.example.com';

/** What is served to whom, and how to wait for it. */
class Served {
  readonly byHost = new Map<string, ServedCertificate>();
  readonly log = capturedLog();
  #changed = Promise.withResolvers<void>();

  readonly publish = (host: string, certificate: ServedCertificate): void => {
    this.byHost.set(host, certificate);
    this.#changed.resolve();
  };

  async until(certificate: Certificate, host = HOST): Promise<void> {
    while (this.byHost.get(host)?.certPem !== certificate.certPem) {
      this.#changed = Promise.withResolvers();
      await this.#changed.promise;
    }
  }
}

interface Rig {
  readonly served: Served;
  readonly actor: SuppliedCertificates;
}

/** Starts with the files as they are. Unless told otherwise nothing is looked at but when `look` is called. */
async function serve(
  t: TestContext,
  files: SuppliedFiles,
  options: Partial<SuppliedCertificatesOptions> = {},
  hosts: readonly string[] = [HOST],
): Promise<Rig> {
  const served = new Served();
  const { pair } = readCertificateFiles(files, { hosts: [], now: Date.now() });
  assert.ok(pair !== null);
  const sites = hosts.map((host) => ({ host, tls: { kind: 'supplied' as const, files, ...pair } }));
  const actor = new SuppliedCertificates(sites, {
    publish: served.publish,
    withdraw: (host) => void served.byHost.set(host, { certPem: '', keyPem: '' }),
    refuse: () => {},
    log: served.log.log,
    clock: { now: () => Date.now() },
    settleMs: 3_600_000,
    lookMs: 3_600_000,
    ...options,
  });
  t.after(() => actor.close());
  await actor.start();
  await actor.look();
  assert.deepEqual([...served.byHost.keys()], [], 'what was read at load is served already');
  return { served, actor };
}

function pairIn(folder: string, certificate: Certificate): Extract<SuppliedFiles, { form: 'pem' }> {
  const files = { form: 'pem', cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') } as const;
  write(files, certificate);
  return files;
}

function write({ cert, key }: Extract<SuppliedFiles, { form: 'pem' }>, certificate: Certificate): void {
  writeFileSync(cert, certificate.certPem);
  writeFileSync(key, certificate.keyPem);
}

test('files that are written over are served soon, to every site that names them', async (t) => {
  const files = pairIn(await temporaryFolder(t), mint([HOST], root));
  const { served } = await serve(t, files, { settleMs: 20 }, [HOST, 'b.example.com']);
  const next = mint([HOST], root);
  write(files, next);
  await served.until(next);
  await served.until(next, 'b.example.com');
});

test('files that are moved into place are served, as editors and certbot do it', async (t) => {
  const folder = await temporaryFolder(t);
  const files = pairIn(folder, mint([HOST], root));
  const { served } = await serve(t, files, { settleMs: 20 });
  for (const next of [mint([HOST], root), mint([HOST], root)]) {
    const written = { form: 'pem', cert: join(folder, 'new.cert'), key: join(folder, 'new.key') } as const;
    write(written, next);
    renameSync(written.key, files.key);
    renameSync(written.cert, files.cert);
    await served.until(next);
  }
});

test('a folder swapped by symbolic link is served, as Kubernetes does it', async (t) => {
  const folder = await temporaryFolder(t);
  const version = async (name: string, certificate: Certificate): Promise<void> => {
    await mkdir(join(folder, name));
    pairIn(join(folder, name), certificate);
  };
  await version('..1', mint([HOST], root));
  symlinkSync('..1', join(folder, '..data'));
  symlinkSync('..data/cert.pem', join(folder, 'cert.pem'));
  symlinkSync('..data/key.pem', join(folder, 'key.pem'));
  const files = { form: 'pem', cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') } as const;
  const { served } = await serve(t, files, { settleMs: 20 });
  const next = mint([HOST], root);
  await version('..2', next);
  symlinkSync('..2', join(folder, '..data_tmp'));
  renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
  rmSync(join(folder, '..1'), { recursive: true });
  await served.until(next);
});

test('files are looked at now and then where nothing tells of a change', async (t) => {
  const files = pairIn(await temporaryFolder(t), mint([HOST], root));
  const { served } = await serve(t, files, { lookMs: 20 });
  const next = mint([HOST], root);
  write(files, next);
  await served.until(next);
});

test('a broken, mismatched or missing new file keeps the old one and says so once for each change', async (t) => {
  const first = mint([HOST], root);
  const files = pairIn(await temporaryFolder(t), first);
  const { served, actor } = await serve(t, files);
  const next = mint([HOST], root);
  const states: readonly (readonly [() => void, RegExp])[] = [
    [() => writeFileSync(files.key, next.keyPem), /not the key of the certificate/],
    [() => writeFileSync(files.cert, next.certPem.slice(0, 300)), /no PEM certificate/],
    [() => writeFileSync(files.cert, ''), /no PEM certificate/],
    [() => rmSync(files.cert), /does not exist/],
    [() => writeFileSync(files.cert, next.certPem.replace(/\n[^-\n]{40}/, '\n')), /damaged certificate/],
    [() => writeFileSync(files.key, 'not a key'), /no PEM private key/],
  ];
  for (const [spoil, reason] of states) {
    spoil();
    await actor.look();
    const said = served.log.lines.at(-1);
    assert.equal(said?.level, 'error');
    assert.match(String(said?.reason), reason);
    const count = served.log.lines.length;
    utimesSync(files.key, new Date(), new Date(Date.now() + count * 1_000));
    await actor.look();
    await actor.look();
    assert.equal(served.log.lines.length, count, `said again: ${served.log.lines.at(-1)?.reason}`);
    assert.equal(served.byHost.size, 0);
  }
  write(files, next);
  await actor.look();
  assert.equal(served.byHost.get(HOST)?.keyPem, next.keyPem);
  assert.equal(served.log.messages().at(-1), 'supplied certificate changed');
});

test('no key is in the log', async (t) => {
  const files = pairIn(await temporaryFolder(t), mint([HOST], root));
  const { served, actor } = await serve(t, files);
  const next = mint([HOST], root);
  write(files, { ...next, certPem: 'nonsense' });
  await actor.look();
  write(files, next);
  await actor.look();
  const secret = next.keyPem.split('\n')[1]!;
  assert.ok(!JSON.stringify(served.log.lines).includes(secret));
});

test('an expired or foreign certificate is served with a warning, and one that ends while it is served is noticed', async (t) => {
  let now = Date.now();
  const files = pairIn(await temporaryFolder(t), mint([HOST], root));
  const { served, actor } = await serve(t, files, { clock: { now: () => now } });
  const expired = mint([HOST], root, { notBefore: now - 2 * 86_400_000, notAfter: now - 86_400_000 });
  write(files, expired);
  await actor.look();
  await served.until(expired);
  assert.match(String(served.log.lines.at(-1)?.reason), /expired on/);
  const foreign = mint(['b.example.org'], root, { notAfter: now + 86_400_000 });
  write(files, foreign);
  await actor.look();
  await served.until(foreign);
  assert.match(String(served.log.lines.at(-1)?.reason), /does not cover a\.example\.com/);
  now += 2 * 86_400_000;
  await actor.look();
  assert.ok(served.log.lines.some(({ level, reason }) => level === 'warn' && /expired on/.test(String(reason))));
});

test('a PKCS#12 bundle, old or new, is watched as well', async (t) => {
  const file = join(await temporaryFolder(t), 'site.p12');
  const ca = makeCertificate({ names: [] });
  const bundle = (algorithm: 'aes256' | '3des'): string => {
    const leaf = makeCertificate({ names: [HOST], to: '2028-03-01', issuer: ca });
    writeFileSync(file, makePkcs12(leaf, [ca], algorithm));
    return leaf.pem;
  };
  bundle('aes256');
  const { served, actor } = await serve(t, { form: 'pkcs12', file, password: 'fake-password' });
  for (const algorithm of ['3des', 'aes256'] as const) {
    const leaf = bundle(algorithm);
    await actor.look();
    assert.equal(served.byHost.get(HOST)?.certPem, leaf + ca.pem, 'leaf first, then the authority');
  }
  writeFileSync(file, formatBundle(mint([HOST], root)));
  await actor.look();
  assert.match(String(served.log.lines.at(-1)?.reason), /no PKCS#12 bundle/);
});

test('a certificate that cannot be published keeps the old one', async (t) => {
  const files = pairIn(await temporaryFolder(t), mint([HOST], root));
  const publish = (): void => {
    throw new Error('OpenSSL refuses it');
  };
  const { served, actor } = await serve(t, files, { publish });
  write(files, mint([HOST], root));
  await actor.look();
  assert.match(String(served.log.lines.at(-1)?.reason), /OpenSSL refuses it/);
});

test('nothing is read or watched after close', async (t) => {
  const files = pairIn(await temporaryFolder(t), mint([HOST], root));
  const { served, actor } = await serve(t, files, { settleMs: 1, lookMs: 1 });
  await actor.close();
  await actor.close();
  write(files, mint([HOST], root));
  await actor.look();
  assert.equal(served.byHost.size, 0);
});

test('a key that is known to be compromised is neither taken from a new file nor served on', async (t) => {
  const folder = await temporaryFolder(t);
  const [good, bad, next] = [mint([HOST], root), mint([HOST], root), mint([HOST], root)];
  const files = pairIn(folder, good);
  const compromised = new Set([bad.certPem]);
  const refuse = ({ certPem }: ServedCertificate): void => {
    if (compromised.has(certPem)) throw new Error('the key is compromised');
  };
  const { served, actor } = await serve(t, files, { refuse });
  write(files, bad);
  await actor.look();
  assert.deepEqual([...served.byHost.keys()], []);
  assert.match(String(served.log.lines.at(-1)?.reason), /compromised/);

  compromised.add(good.certPem);
  await actor.look();
  assert.equal(served.byHost.get(HOST)?.certPem, '', 'withdrawn');
  write(files, next);
  await actor.look();
  assert.equal(served.byHost.get(HOST)?.certPem, next.certPem);
});

test('what was being looked at when it was closed is not served any more', async (t) => {
  const files = pairIn(await temporaryFolder(t), mint([HOST], root));
  const { served, actor } = await serve(t, files);
  write(files, mint([HOST], root));
  const look = actor.look();
  await Promise.resolve();
  actor.destroy(); // another configuration has the host now, and a certificate from somewhere else
  await look;
  assert.deepEqual([...served.byHost.keys()], []);
});
