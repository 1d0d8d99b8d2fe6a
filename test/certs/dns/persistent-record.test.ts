// DNS-PERSIST-01: the text of the record, by Pebble's reading of the draft, and the look whether it is there.
import assert from 'node:assert/strict';
import { suite, type TestContext, test } from 'node:test';
import { DnsPersistSolver } from '../../../src/certs/dns/dns-persist-solver.ts';
import { DnsLookup } from '../../../src/certs/dns/lookup.ts';
import { judgePersistentRecord, persistentRecord, zoneFileLine } from '../../../src/certs/dns/persistent-record.ts';
import { capturedLog } from '../../support/captured-log.ts';
import { startDnsServer } from '../../support/dns-server.ts';

const NOW = Date.UTC(2026, 10, 28);
const account = 'https://ca.example/acct/123';
const wish = {
  identifier: 'www.example.test',
  wildcard: false,
  issuerDomainNames: ['authority.example', 'other.example'],
  accountUrl: account,
};
const never = new AbortController().signal;

suite('the persistent record', () => {
  test('is written as the CA reads it', () => {
    const fqdn = '_validation-persist.www.example.test';
    assert.deepEqual(persistentRecord(wish), { fqdn, value: `authority.example; accounturi=${account}` });
    const all = persistentRecord({ ...wish, wildcard: true, persistUntil: 1_900_000_000_999 });
    const value = `authority.example; accounturi=${account}; policy=wildcard; persistUntil=1900000000`;
    assert.deepEqual(all, { fqdn, value });
    assert.equal(zoneFileLine(all), `${fqdn}. IN TXT "${value}"`);
    assert.deepEqual(judgePersistentRecord(value, { ...wish, wildcard: true }, false, NOW), {
      fit: true,
      persistUntil: 1_900_000_000_000,
    });
  });

  test('that is longer than 255 characters is written as several strings', () => {
    const line = zoneFileLine({ fqdn: 'a.test', value: 'x'.repeat(300) });
    assert.equal(line, `a.test. IN TXT "${'x'.repeat(255)}" "${'x'.repeat(45)}"`);
  });

  const fit: readonly string[] = [
    `authority.example;accounturi=${account}`,
    `   other.example   ;   accounturi   =   ${account}   ;   policy   =   wildcard   ;   persistUntil   =   4102444800   `,
    `authority.example; ACCOUNTURI=${account}; Policy=WildCard; somethingnew=1`,
    `authority.example; accounturi=${account}; policy=whatever`,
  ];
  for (const text of fit)
    test(`fits: ${text}`, () => assert.equal(judgePersistentRecord(text, wish, false, NOW).fit, true));

  const unfit: readonly (readonly [string, RegExp])[] = [
    [`authority.example`, /names no account/],
    [`authority.example; accounturi=`, /names no account/],
    [`authority.example; accounturi=https://ca.example/acct/124`, /names account "https:\/\/ca\.example\/acct\/124"/],
    [`authority.example; accounturi=${account};`, /an empty parameter/],
    [`authority.example; accounturi=${account}; policy`, /"policy" is not TAG=VALUE/],
    [`authority.example; accounturi=${account}; accounturi=${account}`, /accounturi twice/],
    [`authority.example; accounturi=${account}; persistUntil=soon`, /"soon" is not a number/],
    [`authority.example; accounturi=${account}; persistUntil=`, /is not a number/],
    [`authority.example; accounturi=${account}; persistUntil=1`, /ended at 1970-01-01T00:00:01\.000Z/],
    [`authority.example; accounturi=a b`, /is not TAG=VALUE/],
  ];
  for (const [text, why] of unfit)
    test(`does not fit: ${text}`, () => {
      const verdict = judgePersistentRecord(text, wish, false, NOW);
      assert.match(verdict.fit ? '' : (verdict.why ?? ''), why);
    });

  test('needs policy=wildcard for a wildcard and for names below', () => {
    const text = `authority.example; accounturi=${account}`;
    for (const [wildcard, inherited] of [
      [true, false],
      [false, true],
    ] as const) {
      assert.equal(judgePersistentRecord(text, { ...wish, wildcard }, inherited, NOW).fit, false);
      assert.equal(judgePersistentRecord(`${text}; policy=wildcard`, { ...wish, wildcard }, inherited, NOW).fit, true);
    }
  });

  test('of another CA is none of ours', () => {
    assert.deepEqual(judgePersistentRecord('elsewhere.example; nonsense', wish, false, NOW), { fit: false, why: null });
  });
});

suite('DNS-PERSIST-01', () => {
  async function rig(t: TestContext) {
    const server = await startDnsServer();
    t.after(() => server.stop());
    server.addZone('test');
    const logged = capturedLog();
    const lookup = new DnsLookup({ resolvers: () => [server.address] });
    const solver = new DnsPersistSolver({ lookup, log: logged.log, clock: { now: () => NOW } });
    return { server, logged, solver };
  }
  const challenge = { ...wish, token: '', keyAuthorization: '' };

  test('without the record says exactly what to set, and asks nothing of the CA', async (t) => {
    const { server, solver } = await rig(t);
    server.add('_validation-persist.www.example.test', 'TXT', 'v=spf1 -all');
    await assert.rejects(solver.present(challenge, never), {
      code: 'dns_record_missing',
      source: 'operator',
      message:
        'cannot prove "www.example.test" by DNS-PERSIST-01: there is no TXT record for this CA at "_validation-persist.www.example.test"; ' +
        `set _validation-persist.www.example.test. IN TXT "authority.example; accounturi=${account}"`,
    });
  });

  test('with a record that does not fit says why', async (t) => {
    const { server, solver } = await rig(t);
    server.add('_validation-persist.www.example.test', 'TXT', `authority.example; accounturi=${account}`);
    await assert.rejects(solver.present({ ...challenge, wildcard: true }, never), (error: Error) => {
      assert.match(
        error.message,
        /the TXT record at "_validation-persist\.www\.example\.test" does not fit: it has no policy=wildcard; set .*; policy=wildcard"$/,
      );
      return true;
    });
  });

  test('is content with the record at the name, and takes nothing away', async (t) => {
    const { server, solver } = await rig(t);
    server.add('_validation-persist.www.example.test', 'TXT', `authority.example; accounturi=${account}`);
    const done = await solver.present(challenge, never);
    await done();
    assert.equal(server.texts('_validation-persist.www.example.test').length, 1);
  });

  test('is content with a record above the name if it has policy=wildcard', async (t) => {
    const { server, solver } = await rig(t);
    server.add('_validation-persist.example.test', 'TXT', `authority.example; accounturi=${account}`);
    await assert.rejects(
      solver.present(challenge, never),
      /at "_validation-persist\.example\.test" does not fit: it has no policy=wildcard/,
    );
    server.add('_validation-persist.example.test', 'TXT', `authority.example; accounturi=${account}; policy=wildcard`);
    await solver.present(challenge, never);
  });

  test('looks at the name alone for Let’s Encrypt, which does so too', async (t) => {
    const { server, solver } = await rig(t);
    server.add('_validation-persist.example.test', 'TXT', `letsencrypt.org; accounturi=${account}; policy=wildcard`);
    const exact = { ...challenge, issuerDomainNames: ['letsencrypt.org'] };
    await assert.rejects(
      solver.present(exact, never),
      /there is no TXT record for this CA at "_validation-persist\.www\./,
    );
  });

  test('warns of a record that ends soon', async (t) => {
    const { server, solver, logged } = await rig(t);
    const until = NOW / 1_000 + 86_400;
    server.add(
      '_validation-persist.www.example.test',
      'TXT',
      `authority.example; accounturi=${account}; persistUntil=${until}`,
    );
    await solver.present(challenge, never);
    assert.deepEqual(logged.messages(), ['persistent DNS record ends soon']);
  });

  test('says so when the CA does not tell its name', async (t) => {
    const { solver } = await rig(t);
    await assert.rejects(
      solver.present({ ...challenge, issuerDomainNames: [] }, never),
      /the CA does not say by which name/,
    );
  });
});
