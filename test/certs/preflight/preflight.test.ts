// The whole preflight beside a real authority (Pebble) and a real name server, with real visits to port 80.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it, type TestContext } from 'node:test';
import { SystemDns } from '../../../src/certs/preflight/dns-look-up.ts';
import type { CheckName, Finding } from '../../../src/certs/preflight/finding.ts';
import { preflight } from '../../../src/certs/preflight/preflight.ts';
import { FileStorage } from '../../../src/certs/storage/file-storage.ts';
import type { AcmeConfig, ChallengeType, ListenConfig } from '../../../src/config/config.ts';
import { capturedLog } from '../../support/captured-log.ts';
import { freePort } from '../../support/free-port.ts';
import { type Pebble, startPebble } from '../../support/pebble.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

let pebble: Pebble;
before(async () => {
  pebble = await startPebble({ httpPort: await freePort() });
});
after(() => pebble.stop());

interface Setting {
  readonly port: number;
  readonly challenges?: readonly ChallengeType[];
  readonly trust?: string | null;
  readonly now?: () => number;
}

async function look(t: TestContext, name: string, setting: Setting): Promise<readonly Finding[]> {
  const { port, challenges = ['http-01'], trust = pebble.trustPem, now = Date.now } = setting;
  const { directoryUrl: directory } = pebble;
  const acme: AcmeConfig = { directory, email: null, trust, binding: null, profile: null, preferredChain: null };
  const http = [{ host: '127.0.0.1', port, proxyProtocol: false, h2c: false, position: 'x' }];
  const listen: ListenConfig = { http, https: [], redirectPort: null };
  const tls = {
    kind: 'acme',
    directories: [directory],
    challenges,
    keyTypes: ['p256'],
    profile: null,
    group: null,
  } as const;
  const storage = new FileStorage(await temporaryFolder(t));
  const findings = await preflight(
    name,
    tls,
    { acme: [acme], dns: null, listen },
    {
      dns: new SystemDns(pebble.dnsAddress),
      storage,
      clock: { now },
      log: capturedLog().log,
      ports: { http: port, https: await freePort() },
      stored: [],
      timeoutMs: 5_000,
    },
  );
  assert.deepEqual(await storage.list('challenges'), [], 'the test token is gone again');
  return findings;
}

const of = (findings: readonly Finding[], name: CheckName): string =>
  findings
    .filter(({ check }) => check === name)
    .map(({ verdict, found }) => `${verdict}: ${found}`)
    .join('\n');

async function plainServer(t: TestContext, answer: RequestListener): Promise<number> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

describe('a preflight', { timeout: 60_000 }, () => {
  it('finds nothing in the way of a good name, and asks the authority for its directory only', async (t) => {
    const findings = await look(t, 'app.example.com', { port: await freePort() });
    assert.deepEqual(
      findings.filter(({ verdict }) => verdict !== 'ok'),
      [],
    );
    assert.equal(of(findings, 'http-01'), 'ok: port 80 of 127.0.0.1 answers with our test token');
    assert.equal(of(findings, 'address'), 'ok: A 127.0.0.1 leads to this Perantara');
    assert.match(of(findings, 'clock'), /^ok: the clock agrees with that of localhost:\d+$/);
    const asked = pebble.output().match(/(GET|HEAD|POST) \S+/g) ?? [];
    assert.deepEqual([...new Set(asked)], ['GET /dir']);
  });

  it('sees that another program has the port', async (t) => {
    const port = await plainServer(t, (_request, response) => response.writeHead(404, { server: 'other' }).end());
    assert.match(
      of(await look(t, 'app.example.com', { port }), 'http-01'),
      /^problem: something \(other\) .* answers 404$/,
    );
  });

  it('follows redirects as authorities do, and no further', async (t) => {
    const port = await plainServer(t, (_request, response) =>
      response.writeHead(301, { location: 'https://app.example.com:8443/' }).end(),
    );
    const findings = await look(t, 'app.example.com', { port });
    assert.match(of(findings, 'http-01'), /^problem: .*names a port other than 80 and 443$/);
  });

  it('sees name servers that fail, for addresses and for CAA', async (t) => {
    await pebble.dns('set-servfail', { host: 'broken.example.' });
    const findings = await look(t, 'broken.example', { port: await freePort() });
    assert.match(of(findings, 'address'), /^problem: its A records cannot be looked up: the name servers fail/m);
    assert.match(of(findings, 'caa'), /^problem: CAA records cannot be looked up: the name servers fail/);
  });

  it('climbs to the CAA records of the domain', async (t) => {
    await pebble.dns('add-caa', { host: 'caa.example.', policies: [{ tag: 'issue', value: 'other.example' }] });
    await pebble.dns('add-caa', {
      host: 'good.caa.example.',
      policies: [{ tag: 'issue', value: 'pebble.letsencrypt.org; validationmethods=http-01' }],
    });
    const good = await look(t, 'a.good.caa.example', { port: await freePort() });
    assert.match(of(good, 'caa'), /^ok: good\.caa\.example allows localhost:\d+$/);
    const findings = await look(t, 'a.b.caa.example', { port: await freePort() });
    assert.match(of(findings, 'caa'), /^problem: caa\.example allows "other\.example", not localhost:\d+$/);
  });

  it('sees an authority that is not trusted, and a clock that is wrong', async (t) => {
    const untrusted = await look(t, 'app.example.com', { port: await freePort(), trust: null });
    assert.match(of(untrusted, 'directory'), /^problem: localhost:\d+ does not answer as an authority: .*acme\.trust/);
    assert.match(of(untrusted, 'clock'), /^unknown: /);
    const late = await look(t, 'app.example.com', { port: await freePort(), now: () => Date.now() - 7_200_000 });
    assert.match(of(late, 'clock'), /^problem: the clock is (2h|1h 59m) behind that of localhost/);
  });

  it('without a name to visit looks at the DNS alone', async (t) => {
    const findings = await look(t, '*.example.com', { port: await freePort(), challenges: ['dns-01'] });
    assert.match(of(findings, 'dns-01'), /^problem: nobody is named who puts _acme-challenge\.example\.com/);
    assert.equal(of(findings, 'http-01'), '');
  });
});

describe('questions to the DNS', () => {
  it('tell what there is, that there is nothing, and that it cannot be known', async () => {
    const dns = new SystemDns(pebble.dnsAddress);
    await pebble.dns('add-a', { host: 'six.example.', addresses: ['203.0.113.9'] });
    await pebble.dns('add-aaaa', { host: 'six.example.', addresses: ['2001:db8::1'] });
    await pebble.dns('set-cname', { host: '_acme-challenge.six.example.', target: 'x.example.' });
    await pebble.dns('set-servfail', { host: 'failing.example.' });
    assert.deepEqual(await dns.a('six.example'), { kind: 'found', value: ['203.0.113.9'] });
    assert.deepEqual(await dns.aaaa('six.example'), { kind: 'found', value: ['2001:db8::1'] });
    assert.deepEqual(await dns.aaaa('four.example'), { kind: 'none' });
    assert.deepEqual(await dns.alias('_acme-challenge.six.example'), { kind: 'found', value: 'x.example' });
    assert.deepEqual(await dns.caa('a.six.example'), { kind: 'none' });
    assert.equal((await dns.caa('a.failing.example')).kind, 'failed');
    assert.match(JSON.stringify(await new SystemDns('127.0.0.1:9').a('six.example')), /"failed"/);
  });

  it('go to an address only', () => {
    assert.throws(() => new SystemDns('resolver.example'));
  });
});
