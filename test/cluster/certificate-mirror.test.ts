// A worker's copy of what a primary publishes: the same handshakes get the same, whenever the copy began.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Announce } from '../../src/certs/announcement.ts';
import { AlpnCertificates } from '../../src/certs/challenges/alpn-certificates.ts';
import { ChallengeTokens } from '../../src/certs/challenges/challenge-tokens.ts';
import { DemandedNames } from '../../src/certs/on-demand/demanded-names.ts';
import { CertificateResolver } from '../../src/certs/resolver.ts';
import { CertificateMirror } from '../../src/cluster/certificate-mirror.ts';
import { systemClock } from '../../src/core/clock.ts';
import { capturedLog } from '../support/captured-log.ts';
import { makeAuthority, mint } from '../support/minted.ts';

const root = makeAuthority();
const { log } = capturedLog();
const TOKEN = 'a'.repeat(20);

interface Demanded {
  readonly name: string;
  readonly resolve: () => void;
  readonly reject: () => void;
}

function mirror() {
  const demanded: Demanded[] = [];
  const copy = new CertificateMirror({
    contextOptions: {},
    log,
    demand: (name) => new Promise((resolve, reject) => void demanded.push({ name, resolve, reject })),
    findToken: async () => 'from another machine',
  });
  const announce: Announce = async (announcement) => copy.take(structuredClone(announcement));
  return { copy, announce, demanded };
}

describe('certificates', () => {
  it('come and go as they do at the primary', () => {
    const { copy, announce } = mirror();
    const resolver = new CertificateResolver({ contextOptions: {}, log, announce });
    const [first, other] = [mint(['a.example'], root), mint(['a.example'], root)];
    resolver.publish('a.example', first);
    resolver.restore('*.b.example', mint(['*.b.example'], root));
    resolver.restore('a.example', other, 1);
    assert.ok(copy.resolver.serves('a.example') && copy.resolver.serves('x.b.example'));
    assert.equal(copy.resolver.servedFor('a.example')?.certPem, first.certPem);
    resolver.withdraw('a.example', 0);
    assert.equal(copy.resolver.servedFor('a.example')?.certPem, other.certPem);
    resolver.withdraw('a.example');
    assert.equal(copy.resolver.resolve('a.example'), null);
  });

  it('that came before the copy began are told by the primary in one go', async () => {
    const resolver = new CertificateResolver({ contextOptions: {}, log });
    const certificate = mint(['a.example', 'b.example'], root);
    for (const name of ['a.example', 'b.example']) resolver.restore(name, certificate);
    const { copy, announce } = mirror();
    for (const announcement of resolver.announcements()) await announce(announcement);
    const [a, b] = [copy.resolver.resolve('a.example'), copy.resolver.resolve('b.example')];
    assert.ok(a !== null);
    assert.equal(a, b, 'one secure context for one certificate');
  });

  it('of a pair are one secure context each, too, for all their names', () => {
    const resolver = new CertificateResolver({ contextOptions: {}, log });
    const pair = [mint(['a.example'], root), mint(['a.example'], root)] as const;
    for (const name of ['a.example', 'b.example'])
      for (const part of [0, 1] as const) resolver.restore(name, pair[part], part);
    const { copy } = mirror();
    for (const announcement of resolver.announcements()) copy.take(structuredClone(announcement));
    for (const name of ['a.example', 'b.example']) assert.ok(copy.resolver.resolve(name) !== null);
    assert.equal(copy.resolver.built, 1);
  });
});

describe('challenges', () => {
  it('by HTTP-01 are answered, and looked for elsewhere', async () => {
    const { copy, announce } = mirror();
    const tokens = new ChallengeTokens(null, announce);
    await tokens.present('A.example', TOKEN, 'answer');
    assert.equal(copy.challenges.answer('a.example', TOKEN), 'answer');
    await tokens.cleanUp('a.example', TOKEN);
    assert.equal(copy.challenges.answer('a.example', TOKEN), null);
    assert.equal(await copy.challenges.find('a.example', TOKEN), 'from another machine');
  });

  it('by TLS-ALPN-01 are presented when the copy has them', async () => {
    const { copy, announce } = mirror();
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const slow: Announce = async (announcement) => {
      await late;
      await announce(announcement);
    };
    const alpn = new AlpnCertificates({ contextOptions: {}, clock: systemClock, announce: slow });
    const challenge = {
      ...{ identifier: 'a.example', wildcard: false, token: TOKEN, keyAuthorization: 'x' },
      ...{ accountUrl: 'https://ca.example/1', issuerDomainNames: [] },
    };
    let isPresented = false;
    const presenting = alpn.present(challenge, new AbortController().signal).then((cleanUp) => {
      isPresented = true;
      return cleanUp;
    });
    while (!alpn.pending) await new Promise(setImmediate);
    assert.deepEqual([isPresented, copy.alpnChallenges.pending], [false, false]);
    resolve();
    const cleanUp = await presenting;
    assert.ok(copy.alpnChallenges.resolve('A.example') !== null);
    await cleanUp();
    assert.equal(copy.alpnChallenges.pending, false);
  });
});

describe('names on demand', () => {
  it('are known as those that storage has, from the start and as they come and go', async () => {
    const { copy, announce } = mirror();
    copy.isOnDemand = true;
    const names = new DemandedNames((folder, isGone) => {
      void announce({ kind: 'stored', names: [folder], isAll: false, isGone });
    });
    names.learn(['old.example.com']);
    await announce({ kind: 'stored', names: [...names.folders], isAll: true, isGone: false });
    assert.equal(copy.onDemand?.serves('OLD.example.com.'), true);
    names.add('new.example.com');
    assert.equal(copy.onDemand?.serves('new.example.com'), true);
    names.delete('new.example.com');
    assert.equal(copy.onDemand?.serves('new.example.com'), false);
    await announce({ kind: 'stored', names: [], isAll: true, isGone: false });
    assert.equal(copy.onDemand?.serves('old.example.com'), false);
    copy.isOnDemand = false;
    assert.equal(copy.onDemand, null);
  });

  it('are asked for once, however many handshakes wait, which get what has been announced by then', async () => {
    const { copy, announce, demanded } = mirror();
    copy.isOnDemand = true;
    const first = copy.onDemand!.demand('new.example.com', '203.0.113.1');
    assert.equal(copy.onDemand!.demand('NEW.example.com', '203.0.113.2'), first);
    assert.deepEqual(
      demanded.map(({ name }) => name),
      ['new.example.com'],
    );
    const served = new Promise((resolve) => first!.wait(resolve));
    const certificate = mint(['new.example.com'], root);
    await announce({ kind: 'certificate', pattern: 'new.example.com', part: 0, certificate });
    demanded[0]!.resolve();
    assert.ok((await served) !== null);
    const refused = copy.onDemand!.demand('other.example.com', '203.0.113.1')!;
    demanded[1]!.reject();
    assert.equal(await new Promise((resolve) => refused.wait(resolve)), null);
    assert.equal(copy.onDemand!.demand('localhost', '203.0.113.1'), null, 'nobody could certify it');
  });
});
