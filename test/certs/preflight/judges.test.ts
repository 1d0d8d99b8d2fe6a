// The judges of a preflight, over facts that are made up: each says what is wrong and what to do.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type AddressFacts, judgeAddresses } from '../../../src/certs/preflight/addresses.ts';
import { type DirectoryFacts, judgeClock, judgeDirectory } from '../../../src/certs/preflight/authority.ts';
import { judgeDns01, judgePersistentRecords } from '../../../src/certs/preflight/dns-proof.ts';
import { type Finding, finding, weighed } from '../../../src/certs/preflight/finding.ts';
import { type HttpFacts, type HttpProbe, judgeHttp } from '../../../src/certs/preflight/http-path.ts';
import { judgeName, type NameFacts } from '../../../src/certs/preflight/name-policy.ts';
import { judgeTls } from '../../../src/certs/preflight/tls-port.ts';
import type { DnsConfig } from '../../../src/config/config.ts';

const text = ({ verdict, found, advice }: Finding): string => [verdict, found, advice ?? ''].join(' | ');

describe('the name', () => {
  const judge = (name: string, changes: Partial<NameFacts> = {}): string =>
    judgeName({
      name,
      challenges: ['http-01'],
      directories: ['https://acme-v02.api.letsencrypt.org/directory'],
      isPublicSuffix: false,
      ...changes,
    })
      .map(text)
      .join('\n');
  const own = ['https://ca.corp.example/dir'];

  it('that everybody may certify is fine', () => {
    assert.match(judge('app.example.com'), /^ok /);
    assert.match(judge('203.1.113.5'), /^ok /);
  });

  it('that is reserved, local or private is for an authority of one’s own', () => {
    for (const name of ['app.internal', 'printer', 'x.localhost', '10.0.0.5', 'a.test']) {
      assert.match(judge(name), /^problem .* \| set "tls: local" for the site/, name);
      assert.match(judge(name, { directories: own }), /^ok /, name);
    }
  });

  it('that is a public suffix is nobody’s', () => {
    assert.match(judge('co.uk', { isPublicSuffix: true }), /^problem .*public suffix list.* \| use a name below it/);
  });

  it('with a wildcard needs the DNS, an address must not have it', () => {
    assert.match(judge('*.example.com'), /^problem .*DNS alone \| allow dns-01/);
    assert.match(judge('*.example.com', { challenges: ['http-01', 'dns-persist-01'] }), /^ok /);
    assert.match(judge('203.1.113.5', { challenges: ['dns-01'] }), /^problem .*cannot be proved in the DNS/);
  });
});

describe('the addresses', () => {
  const judge = (changes: Partial<AddressFacts>): string[] =>
    judgeAddresses({
      name: 'a.example',
      a: { kind: 'none' },
      aaaa: { kind: 'none' },
      own: ['192.168.1.5'],
      proven: new Set(),
      isVisited: true,
      ...changes,
    }).map(text);
  const a = (...value: string[]) => ({ kind: 'found', value }) as const;

  it('that are missing or cannot be looked up are problems, unless the DNS alone is asked', () => {
    assert.match(judge({})[0]!, /^problem .*no address in the DNS \| add an A record for "a\.example"/);
    assert.match(judge({ isVisited: false })[0]!, /^warning /);
    const failed = { kind: 'failed', reason: 'SERVFAIL' } as const;
    const [first, second] = judge({ aaaa: failed, a: a('192.168.1.5') });
    assert.match(first!, /^problem .*AAAA records cannot be looked up: SERVFAIL/);
    assert.match(second!, /^ok /);
  });

  it('lead here when they are ours, or when our own answer came back from there', () => {
    assert.match(judge({ a: a('198.1.2.3'), own: ['198.1.2.3'] })[0]!, /^ok .*is an address of this machine/);
    assert.match(judge({ a: a('198.1.2.3'), proven: new Set(['198.1.2.3']) })[0]!, /^ok .*leads to this Perantara/);
  });

  it('that are another’s are a problem on a machine with a public address, else cannot be known: a router', () => {
    assert.match(
      judge({ a: a('198.1.2.3'), own: ['198.1.2.4', '10.0.0.1'] })[0]!,
      /^problem .* \| point the record to 198\.1\.2\.4, unless/,
    );
    assert.match(
      judge({ a: a('198.1.2.3') })[0]!,
      /^unknown .*only private ones \(192\.168\.1\.5\) \| behind a router/,
    );
    assert.match(judge({ aaaa: a('2600::1') })[0]!, /^unknown AAAA? ?|^unknown \| AAAA 2600::1 .*none of IPv6/);
  });

  it('that are private let no public authority in', () => {
    assert.match(judge({ a: a('10.0.0.9') })[0]!, /^warning .*is not public \| a public authority cannot come there/);
    assert.match(judge({ a: a('10.0.0.9'), isVisited: false })[0]!, /^ok /);
  });
});

describe('port 80', () => {
  const probe = (outcome: HttpProbe['outcome'], address = '198.1.2.3', redirects: string[] = []): HttpProbe => ({
    address,
    outcome,
    redirects,
  });
  const judge = (probes: readonly HttpProbe[], changes: Partial<HttpFacts> = {}): string[] =>
    judgeHttp({ probes, listening: 'taken', own: [], ...changes }).map(text);
  const ours = { kind: 'ours' } as const;
  const refused = { kind: 'silent', code: 'ECONNREFUSED', reason: 'refused' } as const;
  const timeout = { kind: 'silent', code: 'ETIMEDOUT', reason: 'no answer within 10 s' } as const;

  it('that answers with our token is fine, also by way of a redirect', () => {
    assert.match(judge([probe(ours)])[0]!, /^ok \| port 80 of 198\.1\.2\.3 answers with our test token \| $/);
    assert.match(
      judge([probe(ours, '198.1.2.3', ['https://a.example/x'])])[0]!,
      /^ok .*by way of https:\/\/a\.example\/x/,
    );
  });

  it('where something else answers, or redirects astray, is a problem', () => {
    const other = { kind: 'other', status: 404, server: 'nginx' } as const;
    assert.match(judge([probe(other)])[0]!, /^problem .*something \(nginx\) .*answers 404 \| start Perantara/);
    assert.match(judge([probe(other)], { listening: 'own' })[0]!, /something stands between/);
    const astray = { kind: 'astray', why: 'https://a.example:8443/ names a port other than 80 and 443' } as const;
    assert.match(judge([probe(astray)])[0]!, /^problem .*port other than 80 and 443 \| let .*without a redirect/);
  });

  it('that is refused, or silent at an address of this machine, is a problem', () => {
    assert.match(judge([probe(refused)])[0]!, /^problem .* \| let port 80 pass in the firewall/);
    assert.match(judge([probe(timeout)], { own: ['198.1.2.3'] })[0]!, /^problem /);
  });

  it('that is silent at another address cannot be known: routers do not always let their own network in', () => {
    assert.match(judge([probe(timeout)])[0]!, /^unknown .* \| many routers/);
  });

  it('that nobody may open here is not known until Perantara runs', () => {
    assert.match(
      judge([probe(refused)], { listening: 'forbidden' })[0]!,
      /^unknown .* \| start Perantara and check again/,
    );
  });

  it('with IPv6 broken while IPv4 works is a problem', () => {
    const findings = judge([probe(timeout, '2600::1'), probe(ours)]);
    assert.match(findings[0]!, /^problem .*\[2600::1\].* \| mend IPv6 or remove the AAAA record/);
    assert.match(findings[1]!, /^ok /);
  });

  it('that is never listened on is a problem', () => {
    assert.match(judge([], { listening: 'off' })[0]!, /^problem .*listen\.http is off/);
  });
});

describe('port 443', () => {
  it('is known by the certificate it shows', () => {
    const judge = (outcome: Parameters<typeof judgeTls>[0][number]['outcome'], own: string[] = []): string =>
      text(judgeTls([{ address: '198.1.2.3', outcome }], ['AA:BB'], own)[0]!);
    assert.match(judge({ kind: 'tls', fingerprint: 'AA:BB' }), /^ok .*certificate stored here/);
    assert.match(judge({ kind: 'tls', fingerprint: null }), /^ok .*has no certificate for it yet/);
    assert.match(judge({ kind: 'tls', fingerprint: 'CC' }), /^warning .*acme-tls\/1/);
    assert.match(judge({ kind: 'silent', reason: 'refused' }), /^unknown /);
    assert.match(judge({ kind: 'silent', reason: 'refused' }, ['198.1.2.3']), /^problem .*start Perantara/);
  });
});

describe('the DNS proof', () => {
  const dns = (provider: DnsConfig['provider']) => ({ provider }) as DnsConfig;
  const cloudflare = dns({ kind: 'cloudflare', token: 't', zone: null, api: 'https://api' });
  const acmeDns = dns({ kind: 'acme-dns', url: 'https://d', user: 'u', password: 'p', subdomain: 's.d.example' });

  it('needs somebody who writes the record, and for acme-dns an alias', () => {
    assert.match(
      text(judgeDns01(null, { kind: 'none' }, 'a.example')),
      /^problem .*_acme-challenge\.a\.example.* \| set "dns"/,
    );
    assert.match(text(judgeDns01(cloudflare, { kind: 'none' }, 'a.example')), /^ok /);
    assert.match(
      text(judgeDns01(cloudflare, { kind: 'found', value: 'x.example' }, 'a.example')),
      /^ok .*alias of x\.example/,
    );
    assert.match(
      text(judgeDns01(acmeDns, { kind: 'none' }, 'a.example')),
      /^problem .* \| add the record _acme-challenge\.a\.example\. CNAME s\.d\.example/,
    );
    assert.match(
      text(judgeDns01(cloudflare, { kind: 'failed', reason: 'SERVFAIL' }, 'a.example')),
      /^problem .*SERVFAIL/,
    );
  });
});

describe('the lasting proof in the DNS', () => {
  const wish = { identifier: 'a.example', wildcard: true };
  const issuer = { name: 'ca.example', identities: ['ca.example'], accountUrl: 'https://ca.example/acct/1' };
  const judge = (texts: readonly string[], changes = {}): string =>
    text(judgePersistentRecords({ kind: 'found', value: texts }, wish, [{ ...issuer, ...changes }], 0)[0]!);
  const right = 'ca.example; accounturi=https://ca.example/acct/1; policy=wildcard';

  it('is there, or the exact record to set is told', () => {
    assert.match(judge(['else', right]), /^ok .*_validation-persist\.a\.example proves the name to ca\.example/);
    const advice = `set _validation-persist.a.example. IN TXT "${right}"`;
    assert.ok(judge([]).startsWith('problem | ') && judge([]).endsWith(advice), judge([]));
    assert.match(judge(['ca.example; accounturi=https://ca.example/acct/2']), /^problem .*it names account .*acct\/2/);
    assert.match(judge([right], { accountUrl: null }), /^unknown .*no account at it yet/);
    assert.match(
      text(judgePersistentRecords({ kind: 'failed', reason: 'SERVFAIL' }, wish, [issuer], 0)[0]!),
      /^problem .*SERVFAIL/,
    );
  });
});

describe('the authority', () => {
  const facts = (
    answer: Partial<Extract<DirectoryFacts['answer'], { kind: 'answered' }>>,
    changes = {},
  ): DirectoryFacts => ({
    name: 'ca.example',
    hasBinding: false,
    profile: null,
    answer: { kind: 'answered', aheadMs: 0, caaIdentities: null, needsBinding: false, profiles: null, ...answer },
    ...changes,
  });
  const judge = (value: DirectoryFacts): string => judgeDirectory(value).map(text).join('\n');

  it('must answer, and get what it demands', () => {
    assert.match(judge(facts({})), /^ok .*ca\.example answers/);
    const failed = { answer: { kind: 'failed', reason: 'no route' } };
    assert.match(judge(facts({}, failed)), /^problem .*no route \| look at the address in "acme"/);
    assert.match(judge(facts({ needsBinding: true })), /^problem .*external account binding/);
    assert.match(judge(facts({ needsBinding: true }, { hasBinding: true })), /^ok /);
  });

  it('that does not offer the profile is a problem only when it is required', () => {
    const profile = { name: 'tlsserver', required: false };
    assert.match(judge(facts({ profiles: ['classic'] }, { profile })), /^warning .*"tlsserver" \| it offers classic/m);
    assert.match(judge(facts({}, { profile: { ...profile, required: true } })), /^problem .*leave the profile out/m);
    assert.doesNotMatch(judge(facts({ profiles: ['tlsserver'] }, { profile })), /profile/);
  });

  it('tells whether the clock is right', () => {
    const clock = (aheadMs: number | null): string => text(judgeClock([facts({ aheadMs })]));
    assert.match(clock(0), /^ok /);
    assert.match(clock(59_000), /^ok /);
    assert.match(clock(120_000), /^warning .*the clock is 2m behind that of ca\.example \| set it/);
    assert.match(clock(-7_200_000), /^problem .*2h ahead of/);
    assert.match(clock(null), /^unknown /);
  });
});

describe('one allowed proof', () => {
  it('is enough: what closes another is then a warning', () => {
    const findings = [
      finding('http-01', 'problem', 'closed'),
      finding('dns-01', 'ok', 'open'),
      finding('caa', 'problem', 'no'),
    ];
    assert.deepEqual(
      weighed(findings, ['http-01', 'dns-01']).map(({ verdict }) => verdict),
      ['warning', 'ok', 'problem'],
    );
    assert.deepEqual(weighed(findings, ['http-01']), findings);
  });
});
