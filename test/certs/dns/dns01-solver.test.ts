// DNS-01 from the challenge to the record that everybody sees, and away again: against name servers that are slow, lie or fail.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { suite, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Dns01Solver } from '../../../src/certs/dns/dns01-solver.ts';
import { DnsLookup } from '../../../src/certs/dns/lookup.ts';
import type { DnsProvider, DnsRecord } from '../../../src/certs/dns/provider.ts';
import { PerantaraError } from '../../../src/core/errors.ts';
import { capturedLog } from '../../support/captured-log.ts';
import { type DnsServer, startDnsServer } from '../../support/dns-server.ts';

const never = new AbortController().signal;
const SECOND = '127.0.0.2';

const digest = (text: string): string => createHash('sha256').update(text).digest('base64url');
const challenge = (identifier: string, keyAuthorization = 'token.thumbprint') => ({
  identifier,
  wildcard: false,
  token: keyAuthorization.split('.')[0]!,
  keyAuthorization,
  accountUrl: 'https://ca.test/acct/1',
  issuerDomainNames: [],
});

/** Puts records straight into a server. */
class DirectProvider implements DnsProvider {
  readonly name = 'direct';
  readonly calls: string[] = [];
  readonly #server: DnsServer;

  constructor(server: DnsServer) {
    this.#server = server;
  }

  async present({ fqdn, value }: DnsRecord): Promise<void> {
    this.calls.push(`present ${fqdn}`);
    this.#server.add(fqdn, 'TXT', value);
  }

  async cleanUp({ fqdn }: DnsRecord): Promise<void> {
    this.calls.push(`cleanUp ${fqdn}`);
    this.#server.remove(fqdn, 'TXT');
  }
}

interface RigOptions {
  readonly config?: object;
  readonly provider?: (server: DnsServer) => DnsProvider;
  readonly providerLimitMs?: number;
}

/** A zone with two name servers, and the solver over it. */
async function rig(t: TestContext, { config = {}, provider: make, providerLimitMs = 10_000 }: RigOptions = {}) {
  const server = await startDnsServer({ addresses: ['127.0.0.1', SECOND] });
  t.after(() => server.stop());
  server.addZone('example.test', { 'ns1.example.test': '127.0.0.1', 'ns2.example.test': SECOND });
  const provider = make === undefined ? new DirectProvider(server) : make(server);
  const logged = capturedLog();
  const lookup = new DnsLookup({ resolvers: () => [server.address], nameServerPort: server.port });
  const defaults = { resolvers: [], propagationMs: 20_000, settleMs: 0, check: true, ttlMs: 60_000 };
  const common = { provider, lookup, log: logged.log, providerLimitMs, pauseMs: 20 };
  const solver = new Dns01Solver({ ...common, config: { ...defaults, ...config } });
  return { server, provider, solver, logged };
}

suite('DNS-01', () => {
  test('shows the digest at every name server of the zone before the CA is told, and takes it away after', async (t) => {
    const { server, solver, logged } = await rig(t);
    const remove = await solver.present(challenge('www.example.test'), never);
    assert.deepEqual(server.texts('_acme-challenge.www.example.test'), [digest('token.thumbprint')]);
    const asked = server.inquiries.filter(({ type }) => type === 'TXT').map(({ at }) => at);
    assert.deepEqual(asked.sort(), ['127.0.0.1', SECOND]);
    await Promise.all([remove(), remove()]);
    assert.deepEqual(server.texts('_acme-challenge.www.example.test'), []);
    assert.deepEqual(logged.messages(), []);
  });

  test('waits for the name server that is behind the others', async (t) => {
    const { server, solver } = await rig(t);
    let looks = 0;
    server.misbehave(({ type, at }) => {
      if (type !== 'TXT' || at !== SECOND) return null;
      looks++;
      if (looks === 1) return { texts: ['of last month'] };
      return looks === 2 ? 'SERVFAIL' : null;
    });
    await solver.present(challenge('www.example.test'), never);
    assert.equal(looks, 3);
    const first = server.inquiries.filter(({ type, at }) => type === 'TXT' && at === '127.0.0.1');
    assert.equal(first.length, 1);
  });

  test('that is not seen in time says where not and what is there instead, and leaves nothing', async (t) => {
    const { server, solver } = await rig(t, { config: { propagationMs: 400 } });
    server.misbehave(({ type, at }) => (type === 'TXT' && at === SECOND ? { texts: ['of last month'] } : null));
    const value = digest('token.thumbprint');
    await assert.rejects(solver.present(challenge('www.example.test'), never), {
      code: 'dns_not_visible',
      message:
        `cannot see TXT record "${value}" at "_acme-challenge.www.example.test" after 0.4 s: name server ns2.example.test ` +
        `(${SECOND}:${server.port}) shows "of last month"; check that the record was put into the right zone, or raise dns.propagation`,
    });
    assert.deepEqual(server.texts('_acme-challenge.www.example.test'), []);
  });

  test('tells of silence, refusals and missing records as well', async (t) => {
    const states: readonly (readonly ['silent' | 'REFUSED' | { texts: [] }, RegExp])[] = [
      ['silent', /has not answered/],
      ['REFUSED', /shows no TXT record \(REFUSED\)/],
      [{ texts: [] }, /shows no TXT record \(NOERROR\)/],
    ];
    for (const [order, expected] of states) {
      const { server, solver } = await rig(t, { config: { propagationMs: 400 } });
      server.misbehave(({ type, at }) => (type === 'TXT' && at === SECOND ? order : null));
      await assert.rejects(solver.present(challenge('www.example.test'), never), expected);
    }
  });

  test('asks the configured name servers instead when there are some', async (t) => {
    const other = await startDnsServer();
    t.after(() => other.stop());
    other.addZone('example.test');
    other.add('_acme-challenge.www.example.test', 'TXT', digest('token.thumbprint'));
    const { server, solver } = await rig(t, { config: { resolvers: [other.address] } });
    await solver.present(challenge('www.example.test'), never);
    assert.deepEqual(
      server.inquiries.filter(({ type }) => type === 'TXT'),
      [],
    );
    assert.equal(other.inquiries.length, 1);
  });

  test('does not look when it is told not to', async (t) => {
    const { server, solver } = await rig(t, { config: { check: false, settleMs: 1 } });
    server.misbehave(() => 'SERVFAIL');
    await solver.present(challenge('www.example.test'), never);
    assert.equal(server.texts('_acme-challenge.www.example.test').length, 1);
  });

  test('puts the record where the CNAMEs lead, in the other zone', async (t) => {
    const { server, solver } = await rig(t);
    server.addZone('proofs.test', { 'ns.proofs.test': '127.0.0.1' });
    server.add('_acme-challenge.www.example.test', 'CNAME', 'www.proofs.test');
    const remove = await solver.present(challenge('www.example.test'), never);
    assert.deepEqual(server.texts('www.proofs.test'), [digest('token.thumbprint')]);
    assert.deepEqual(server.texts('_acme-challenge.www.example.test'), []);
    await remove();
    assert.deepEqual(server.texts('www.proofs.test'), []);
  });

  test('keeps a record that two orders need until both are done', async (t) => {
    const { server, solver, provider } = await rig(t);
    const one = await solver.present(challenge('www.example.test'), never);
    const two = await solver.present(challenge('www.example.test'), never);
    await one();
    assert.equal(server.texts('_acme-challenge.www.example.test').length, 1);
    await two();
    assert.equal(server.texts('_acme-challenge.www.example.test').length, 0);
    assert.equal((provider as DirectProvider).calls.filter((call) => call.startsWith('cleanUp')).length, 1);
  });

  test('puts a record there again when it is needed while it is being taken away', async (t) => {
    const { server, solver } = await rig(t, { provider: (each) => new SlowRemover(each) });
    const remove = await solver.present(challenge('www.example.test'), never);
    const removed = remove();
    const again = await solver.present(challenge('www.example.test'), never);
    await removed;
    assert.equal(server.texts('_acme-challenge.www.example.test').length, 1);
    await again();
    assert.equal(server.texts('_acme-challenge.www.example.test').length, 0);
  });

  test('that is aborted takes the record away, then rejects with the reason', async (t) => {
    const { server, solver } = await rig(t);
    const abort = new AbortController();
    server.misbehave(({ type }) => {
      if (type === 'TXT') setImmediate(() => abort.abort(new Error('enough')));
      return type === 'TXT' ? { texts: [] } : null;
    });
    await assert.rejects(solver.present(challenge('www.example.test'), abort.signal), { message: 'enough' });
    assert.deepEqual(server.texts('_acme-challenge.www.example.test'), []);
  });

  test('bounds a provider that never ends, and takes away what it may have put there', async (t) => {
    const { server, solver } = await rig(t, { provider: (each) => new HangingProvider(each), providerLimitMs: 100 });
    await assert.rejects(solver.present(challenge('www.example.test'), never), {
      code: 'dns_provider_timeout',
      message:
        'cannot present the TXT record at "_acme-challenge.www.example.test" by direct: it is not done after 0.1 s',
    });
    assert.deepEqual(server.texts('_acme-challenge.www.example.test'), []);
  });

  test('says in the log which record it could not take away, and does not fail for it', async (t) => {
    const { solver, logged } = await rig(t, { provider: (each) => new StickyProvider(each) });
    const remove = await solver.present(challenge('www.example.test'), never);
    await remove();
    const [line] = logged.lines;
    assert.deepEqual(
      [line?.msg, line?.fqdn, line?.err?.message],
      ['DNS record not removed', '_acme-challenge.www.example.test', 'it sticks'],
    );
  });

  test('is not for IP addresses and names that leave no room', async (t) => {
    const { solver } = await rig(t);
    assert.equal(solver.unfit('192.0.2.1'), 'DNS-01 proves names, not IP addresses');
    assert.equal(solver.unfit('example.test'), null);
    const long = Array.from({ length: 4 }, () => 'x'.repeat(60)).join('.');
    assert.equal(solver.unfit(long), '"_acme-challenge.NAME" would be longer than 253 characters');
  });
});

class HangingProvider extends DirectProvider {
  override async present(record: DnsRecord, signal?: AbortSignal): Promise<void> {
    await super.present(record);
    await new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
  }
}

class SlowRemover extends DirectProvider {
  override async cleanUp(record: DnsRecord): Promise<void> {
    await delay(100);
    await super.cleanUp(record);
  }
}

class StickyProvider extends DirectProvider {
  override async cleanUp(): Promise<void> {
    throw new PerantaraError('it sticks', { code: 'dns_provider_failed', source: 'operator' });
  }
}
