import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type CaaIssuer,
  type CaaRecord,
  caaCandidates,
  judgeCaa,
  parseIssue,
} from '../../../src/certs/preflight/caa.ts';
import type { ChallengeType } from '../../../src/config/config.ts';

const ACCOUNT = 'https://ca.example/acct/1';
const ca: CaaIssuer = { name: 'ca.example', identities: ['ca.example', 'ca.test'], accountUrl: ACCOUNT };

const record = (text: string): CaaRecord => {
  const [, critical, tag, value] = /^(!?)(\w+) (.*)$/.exec(text)!;
  return { critical: critical === '!', tag: tag!, value: value! };
};

function verdicts(
  records: readonly string[],
  options: { wildcard?: boolean; challenges?: readonly ChallengeType[]; issuers?: readonly CaaIssuer[] } = {},
): string[] {
  const { wildcard = false, challenges = ['http-01'], issuers = [ca] } = options;
  const set = { kind: 'found', value: { domain: 'a.example', records: records.map(record) } } as const;
  return judgeCaa(set, wildcard, challenges, issuers).map(({ verdict, found, advice }) =>
    [verdict, found, ...(advice === null ? [] : [advice])].join(' | '),
  );
}

describe('CAA records (RFC 8659, RFC 8657)', () => {
  it('climb from the name to its top-level domain; a wildcard asks for its base', () => {
    assert.deepEqual(caaCandidates('a.b.example'), ['a.b.example', 'b.example', 'example']);
    assert.deepEqual(caaCandidates('*.b.example'), ['b.example', 'example']);
  });

  it('allow everybody when there are none, or none about issuing', () => {
    assert.equal(judgeCaa({ kind: 'none' }, false, ['http-01'], [ca])[0]!.verdict, 'ok');
    assert.match(verdicts(['iodef mailto:a@a.example'])[0]!, /^ok /);
    assert.match(verdicts(['issuewild ;'])[0]!, /^ok /);
  });

  it('that cannot be looked up keep every authority from issuing', () => {
    const [failed] = judgeCaa({ kind: 'failed', reason: 'SERVFAIL' }, false, ['http-01'], [ca]);
    assert.equal(failed!.verdict, 'problem');
    assert.match(failed!.found, /cannot be looked up: SERVFAIL/);
  });

  it('allow an authority by any of its names, in any letter case', () => {
    for (const value of ['ca.example', 'CA.Example', 'ca.test', ' ca.example ; x=1'])
      assert.match(
        verdicts(['issue other.example', `issue ${value}`])[0]!,
        /^ok \| a\.example allows ca\.example$/,
        value,
      );
  });

  it('that name others only are told with the record to add', () => {
    assert.deepEqual(verdicts(['issue other.example']), [
      'problem | a.example allows "other.example", not ca.example | add the record a.example. CAA 0 issue "ca.example"',
    ]);
    assert.match(verdicts(['issue ;'])[0]!, /^problem/);
    assert.match(verdicts(['issue %%malformed'])[0]!, /^problem/);
    assert.match(verdicts(['issue ca.example; account'])[0]!, /^problem/);
  });

  it('for wildcards are issuewild where there is one, else issue', () => {
    const both = ['issue other.example', 'issuewild ca.example'];
    assert.match(verdicts(both, { wildcard: true })[0]!, /^ok/);
    assert.match(verdicts(both)[0]!, /^problem/);
    assert.match(verdicts(['issue ca.example'], { wildcard: true })[0]!, /^ok/);
    assert.match(
      verdicts(['issue ca.example', 'issuewild ;'], { wildcard: true })[0]!,
      /CAA 0 issuewild "ca\.example"$/,
    );
  });

  it('with an unknown critical property forbid everybody', () => {
    assert.match(verdicts(['issue ca.example', '!tbs x'])[0]!, /^problem \| .*critical property "tbs".* \| remove it$/);
    assert.match(verdicts(['!issue ca.example'])[0]!, /^ok/);
    assert.match(verdicts(['issue ca.example', 'tbs x'])[0]!, /^ok/);
  });

  it('may limit the account', () => {
    assert.match(verdicts([`issue ca.example; accounturi=${ACCOUNT}`])[0]!, /^ok/);
    assert.match(
      verdicts(['issue ca.example; accounturi=https://ca.example/acct/2'])[0]!,
      /^problem \| .*allows the account https:\/\/ca\.example\/acct\/2.*here it is .*acct\/1 \| change accounturi to https/,
    );
    const fresh = { ...ca, accountUrl: null };
    assert.match(
      verdicts([`issue ca.example; accounturi=${ACCOUNT}`], { issuers: [fresh] })[0]!,
      /^warning .*no account here yet/,
    );
    const two = ['issue ca.example; accounturi=https://ca.example/acct/2', `issue ca.example; accounturi=${ACCOUNT}`];
    assert.match(verdicts(two)[0]!, /^ok/);
  });

  it('may limit the methods', () => {
    const dnsOnly = ['issue ca.example; validationmethods=dns-01,dns-persist-01'];
    assert.match(
      verdicts(dnsOnly)[0]!,
      /^problem .*by dns-01 or dns-persist-01 only, and here http-01 is used \| change valid/,
    );
    assert.match(verdicts(dnsOnly, { challenges: ['http-01', 'dns-01'] })[0]!, /^ok/);
  });

  it('are judged for every issuer; one without a name there is not known', () => {
    const issuers = [ca, { name: 'b.example', identities: null, accountUrl: null }];
    const [first, second] = verdicts(['issue ca.example'], { issuers });
    assert.match(first!, /^ok/);
    assert.match(second!, /^unknown .*b\.example does not say what it is called there/);
  });

  it('are read by their grammar', () => {
    assert.deepEqual(parseIssue('Ca.Example ; A=1; b = 2 ;'), {
      issuer: 'ca.example',
      parameters: new Map([
        ['a', '1'],
        ['b', '2'],
      ]),
    });
    assert.deepEqual(parseIssue(';'), { issuer: '', parameters: new Map() });
    for (const bad of ['ca..example', 'ca example', 'ca.example; a', 'ca.example; a=b c', 'ca.example; =b'])
      assert.equal(parseIssue(bad), null, bad);
  });
});
