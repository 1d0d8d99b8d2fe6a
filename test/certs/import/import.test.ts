// Certificates of another program in the places of the configured ones, in a real storage folder.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Certificate } from '../../../src/certs/certificate.ts';
import { type ImportOutcome, type ImportTarget, importCertificates } from '../../../src/certs/import/import.ts';
import { CertificateStore } from '../../../src/certs/storage/certificate-store.ts';
import { CompromisedKeys } from '../../../src/certs/storage/compromised-keys.ts';
import { FileLocker } from '../../../src/certs/storage/file-locker.ts';
import { FileStorage } from '../../../src/certs/storage/file-storage.ts';
import { makeCertificate } from '../../golden/certificates.ts';
import { capturedLog } from '../../support/captured-log.ts';
import { makeAuthority, mint } from '../../support/minted.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const LETSENCRYPT = 'https://acme-v02.api.letsencrypt.org/directory';
const ZEROSSL = 'https://acme.zerossl.com/v2/DV90';
const PRIVATE = 'https://ca.internal/acme/directory';
const LETSENCRYPT_ID = 'acme-v02.api.letsencrypt.org-directory';
const letsencrypt = makeAuthority("Let's Encrypt X9");
const privateRoot = makeAuthority('Somebody');
const DAY_MS = 86_400_000;

function target(
  names: string | readonly string[],
  options: Partial<ImportTarget> & { directories?: (string | null)[] } = {},
): ImportTarget {
  const list = typeof names === 'string' ? [names] : names;
  const { directories = [LETSENCRYPT], ...rest } = options;
  return {
    name: list[0]!,
    names: list,
    keyType: 'p256',
    issuers: directories.map((directory) => ({ directory })),
    ...rest,
  };
}

async function rig(t: TestContext) {
  const folder = await temporaryFolder(t);
  const storage = new FileStorage(folder);
  const { log } = capturedLog();
  const store = new CertificateStore(storage, log);
  const services = { storage, store, locker: new FileLocker(folder), log, clock: { now: () => Date.now() } };
  const run = async (
    certificate: Certificate,
    targets: readonly ImportTarget[],
    issuerFolder: string | null = null,
  ): Promise<readonly ImportOutcome[]> =>
    (await importCertificates([{ certificate, file: 'x', issuerFolder }], targets, services))[0]!.outcomes;
  return { store, services, run };
}

const reasonOf = ([outcome]: readonly ImportOutcome[]): string =>
  outcome?.kind === 'passed over' ? outcome.reason : `stored as ${outcome?.name}`;

test('a certificate of the same names and key type is stored for its issuer and kept', async (t) => {
  const { store, run } = await rig(t);
  const certificate = mint(['a.example.com'], letsencrypt);
  const outcomes = await run(certificate, [
    target('b.example.com'),
    target('a.example.com', { directories: [ZEROSSL, LETSENCRYPT] }),
  ]);
  assert.deepEqual(outcomes, [{ kind: 'stored', name: 'a.example.com', issuerId: LETSENCRYPT_ID, remark: null }]);
  assert.equal((await store.load(LETSENCRYPT_ID, 'a.example.com'))?.fingerprint, certificate.fingerprint);
  const state = await store.loadState(LETSENCRYPT_ID, 'a.example.com');
  assert.equal(state.obtainedAt, certificate.notBefore);
  assert.equal(state.failures, 0);
});

test('one that has other names as well is stored for every site, and the remark tells of groups', async (t) => {
  const { run } = await rig(t);
  const certificate = mint(['a.example.com', 'www.example.com'], letsencrypt);
  const outcomes = await run(certificate, [target('a.example.com'), target('www.example.com')]);
  assert.deepEqual(
    outcomes.map(({ kind }) => kind),
    ['stored', 'stored'],
  );
  for (const outcome of outcomes) assert.match(outcome.kind === 'stored' ? String(outcome.remark) : '', /one group/);
  const group = target(['a.example.com', 'www.example.com'], { name: '_group.main' });
  assert.deepEqual(await run(certificate, [group]), [
    { kind: 'stored', name: '_group.main', issuerId: LETSENCRYPT_ID, remark: null },
  ]);
});

test('a wildcard serves a name until it has its own', async (t) => {
  const { run } = await rig(t);
  const [outcome] = await run(mint(['*.example.com'], letsencrypt), [target('a.example.com')]);
  assert.match(outcome?.kind === 'stored' ? String(outcome.remark) : '', /until one for a\.example\.com is obtained/);
  assert.match(reasonOf(await run(mint(['*.example.com'], letsencrypt), [target('example.com')])), /no site/);
});

test('of a pair, the one with the same kind of key is taken; another key type is remarked on', async (t) => {
  const { run } = await rig(t);
  const certificate = mint(['a.example.com'], letsencrypt);
  const pair = [
    target('a.example.com', { keyType: 'rsa2048' }),
    target('a.example.com', { name: 'a.example.com_p256' }),
  ];
  assert.deepEqual(
    (await run(certificate, pair)).map(({ name }) => name),
    ['a.example.com_p256'],
  );
  const [outcome] = await run(certificate, [target('a.example.com', { keyType: 'rsa4096', name: 'x' })]);
  assert.match(outcome?.kind === 'stored' ? String(outcome.remark) : '', /its key is p256.*keyType: p256 to keep it/);
  const foreign = [target('a.example.com', { keyType: 'rsa2048' }), target('a.example.com', { keyType: 'p384' })];
  assert.match(reasonOf(await run(certificate, foreign)), /neither type of the pair/);
});

test('the issuer is known by Caddy’s folder, by its name in the certificate, or is taken to be the private one', async (t) => {
  const { run } = await rig(t);
  const own = mint(['a.example.com'], privateRoot);
  const all = [target('a.example.com', { directories: [LETSENCRYPT, ZEROSSL, PRIVATE] })];
  const issuerOf = async (certificate: Certificate, folder: string | null): Promise<unknown> => {
    const [outcome] = await run(certificate, all, folder);
    return outcome?.kind === 'stored' ? outcome.issuerId : reasonOf([outcome!]);
  };
  assert.equal(await issuerOf(own, 'acme.zerossl.com-v2-dv90'), 'acme.zerossl.com-v2-DV90');
  assert.equal(await issuerOf(own, null), 'ca.internal-acme-directory');
  assert.equal(await issuerOf(mint(['a.example.com'], letsencrypt), null), LETSENCRYPT_ID);
});

test('what nobody could use is passed over with its reason', async (t) => {
  const { run } = await rig(t);
  const targets = [target('a.example.com')];
  const cases: readonly (readonly [Certificate, readonly ImportTarget[], string | null, RegExp])[] = [
    [
      mint(['a.example.com'], letsencrypt, { notBefore: Date.now() - 9 * DAY_MS, notAfter: Date.now() - DAY_MS }),
      targets,
      null,
      /it ended on/,
    ],
    [mint(['a.example.com'], makeAuthority('(STAGING) Somewhere')), targets, null, /staging/],
    [mint(['a.example.com'], letsencrypt), targets, 'local', /local authority/],
    [mint(['c.example.com'], letsencrypt), targets, null, /no site/],
    [mint(['a.example.com'], makeAuthority('ZeroSSL 9')), targets, null, /from ZeroSSL, which is not among/],
    [mint(['a.example.com'], letsencrypt), [target('a.example.com', { directories: [null] })], null, /local CA/],
  ];
  for (const [certificate, asked, folder, reason] of cases)
    assert.match(reasonOf(await run(certificate, asked, folder)), reason);
  const { pem, keyPem } = makeCertificate({ names: ['a.example.com'], to: '2028-03-01' });
  const self = { ...mint(['a.example.com'], letsencrypt), certPem: pem, keyPem };
  assert.match(reasonOf(await run(self, targets)), /signed by itself/);
});

test('the one that lives longest wins, whatever is stored or comes first', async (t) => {
  const { store, services, run } = await rig(t);
  const targets = [target('a.example.com')];
  const [short, long] = [30, 60].map((days) =>
    mint(['a.example.com'], letsencrypt, { notAfter: Date.now() + days * DAY_MS }),
  );
  const results = await importCertificates(
    [short!, long!].map((certificate) => ({ certificate, file: 'x', issuerFolder: null })),
    targets,
    services,
  );
  assert.match(reasonOf(results[0]!.outcomes), /stored already/);
  assert.equal(results[1]!.outcomes[0]?.kind, 'stored');
  assert.match(reasonOf(await run(short!, targets)), /stored already/);
  assert.equal((await store.load(LETSENCRYPT_ID, 'a.example.com'))?.fingerprint, long!.fingerprint);
});

test('one whose key is compromised is passed over, and what lies there stays', async (t) => {
  const { store, services, run } = await rig(t);
  const present = mint(['a.example.com'], letsencrypt, { notAfter: Date.now() + DAY_MS });
  const condemned = mint(['a.example.com'], letsencrypt);
  await store.save(LETSENCRYPT_ID, 'a.example.com', present);
  await new CompromisedKeys(services.storage).mark(condemned, Date.now(), 'test');
  assert.match(reasonOf(await run(condemned, [target('a.example.com')])), /compromised/);
  assert.equal((await store.read(LETSENCRYPT_ID, 'a.example.com'))?.fingerprint, present.fingerprint);
});
