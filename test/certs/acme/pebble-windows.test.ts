// Renewal windows as real Pebble tells them after its management interface was asked to: judged through one kept certificate,
// whose clock is moved.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { AcmeIssuer } from '../../../src/certs/acme/issuer.ts';
import { Authority } from '../../../src/certs/authority.ts';
import { ChallengeTokens } from '../../../src/certs/challenges/challenge-tokens.ts';
import { HttpSolver } from '../../../src/certs/challenges/http-solver.ts';
import { ManagedCertificate } from '../../../src/certs/managed-certificate.ts';
import { CertificateStore } from '../../../src/certs/storage/certificate-store.ts';
import { ChangeJournal } from '../../../src/certs/storage/change-journal.ts';
import { CompromisedKeys } from '../../../src/certs/storage/compromised-keys.ts';
import { capturedLog } from '../../support/captured-log.ts';
import { DAY, HOUR, MINUTE } from '../../support/certificate-world.ts';
import { RecordingPublisher } from '../../support/fake-issuer.ts';
import { MemoryLocker, MemoryStorage } from '../../support/memory-storage.ts';
import { needsTools } from '../../support/needs-tools.ts';
import { startPebble } from '../../support/pebble.ts';

const TOOLS = await needsTools('pebble', 'pebble-challtestsrv');
const NAME = 'windows.test';
const never = new AbortController().signal;

test('reversed, distant and malformed windows change nothing; one in the past renews at once', TOOLS, async (t) => {
  const tokens = new ChallengeTokens();
  const responder = createServer(({ headers, url = '' }, response) => {
    const answer = tokens.answer((headers.host ?? '').replace(/:\d+$/, ''), url.split('/').at(-1)!);
    response.writeHead(answer === null ? 404 : 200).end(answer ?? '');
  });
  await once(responder.listen(0, '127.0.0.1'), 'listening');
  t.after(() => responder.close());
  const pebble = await startPebble({ httpPort: (responder.address() as AddressInfo).port });
  t.after(() => pebble.stop());
  let aheadMs = 0;
  const clock = { now: () => Date.now() + aheadMs };
  const { log, lines } = capturedLog();
  const [storage, locker] = [new MemoryStorage(), new MemoryLocker()];
  const common = { storage, locker, log, clock };
  const issuer = new AcmeIssuer({
    ...common,
    directoryUrl: pebble.directoryUrl,
    email: null,
    trust: pebble.trustPem,
    solvers: [new HttpSolver(tokens)],
    userAgent: 'perantara/0.0.0-test',
  });
  t.after(() => issuer.close());
  const authority = new Authority({ issuer, ledger: null, rehearsal: null, clock });
  const kept = new ManagedCertificate(
    {
      kind: 'managed',
      name: NAME,
      names: [NAME],
      keyType: 'p256',
      part: 0,
      challenges: ['http-01'],
      issuers: [{ authority, profile: null }],
    },
    {
      ...common,
      store: new CertificateStore(storage, log),
      journal: new ChangeJournal(common),
      compromised: new CompromisedKeys(storage),
      publisher: new RecordingPublisher(),
      tell: () => {},
      random: () => 0,
    },
  );
  const turnAfter = async (ms: number): Promise<void> => {
    aheadMs += ms;
    assert.ok(kept.dueAt(clock.now()) <= clock.now(), 'its turn has come');
    await kept.tend(never);
  };
  await kept.tend(never);
  const first = kept.served!.certificate!;
  await turnAfter(2 * MINUTE);
  const usual = kept.served!.state.window;
  assert.ok(usual !== null && usual.start > first.notBefore && usual.end < first.notAfter);

  const tell = (suggestedWindow: unknown): Promise<string> => {
    const ariResponse = typeof suggestedWindow === 'string' ? suggestedWindow : JSON.stringify({ suggestedWindow });
    return pebble.manage('/set-renewal-info/', JSON.stringify({ certificate: first.certPem, ariResponse }));
  };
  const window = (start: number, end: number) => ({
    start: new Date(start).toISOString(),
    end: new Date(end).toISOString(),
  });
  const absurd = [
    window(usual.end, usual.start),
    window(Date.UTC(2126, 0, 1), Date.UTC(2126, 0, 2)),
    window(Date.UTC(2020, 0, 1), Date.UTC(2020, 0, 2)),
    { start: 'whenever' },
    '{"suggested',
  ];
  for (const each of absurd) {
    await tell(each);
    await turnAfter(DAY + 3 * HOUR);
    const { state, certificate } = kept.served!;
    assert.equal(certificate!.fingerprint, first.fingerprint, JSON.stringify(each));
    assert.deepEqual(state.window, usual);
    assert.ok(state.failedCheck !== null);
  }
  assert.equal(lines.filter(({ msg }) => msg === 'renewal window not learned from the issuer').length, absurd.length);

  await tell(window(first.notBefore, first.notBefore + MINUTE));
  await turnAfter(DAY);
  assert.notEqual(kept.served!.certificate!.fingerprint, first.fingerprint);
  assert.equal(lines.find(({ event }) => event === 'certificate_renewed')?.reason, 'revoked');
  assert.deepEqual([kept.served!.state.window, kept.served!.state.failedCheck], [null, null]);
});
