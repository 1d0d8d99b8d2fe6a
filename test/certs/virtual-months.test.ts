// The real ManagedCertificate, with its state and its budget in storage, in months of virtual time (issue 4, "Deciding").
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Authority } from '../../src/certs/authority.ts';
import { ManagedCertificate } from '../../src/certs/managed-certificate.ts';
import { limitsOf } from '../../src/certs/renewal/budget.ts';
import { BudgetLedger } from '../../src/certs/renewal/budget-ledger.ts';
import { ChangeJournal } from '../../src/certs/storage/change-journal.ts';
import { CompromisedKeys } from '../../src/certs/storage/compromised-keys.ts';
import { DAY, HOUR, MINUTE, World } from '../support/certificate-world.ts';
import { MemoryLocker } from '../support/memory-storage.ts';
import { VirtualCa } from '../support/virtual-ca.ts';
import { VirtualIssuer } from '../support/virtual-issuer.ts';
import { seeded } from '../support/virtual-years.ts';

test('four months of 160-hour certificates with outages, absurd windows, wrong clocks and restarts: none expires', async () => {
  const random = seeded(1);
  const world = new World();
  let trueNow = world.now;
  let skewMs = 0;
  const clock = { now: (): number => trueNow + skewMs };
  const ca = new VirtualCa(random, () => 160 * HOUR);
  const issuer = new VirtualIssuer(ca, () => trueNow);
  const names = ['a.example.com', 'b.example.com', '203.0.114.7'];
  const limits = limitsOf('https://acme-v02.api.letsencrypt.org/directory')!;

  /** A process: everything new but storage. */
  const started = async (): Promise<ManagedCertificate[]> => {
    const common = { storage: world.disk, log: world.logged.log, clock };
    const locker = new MemoryLocker();
    const ledger = new BudgetLedger({ ...common, locker, limits, issuerId: issuer.id });
    const authority = new Authority({ issuer, ledger, rehearsal: null, clock });
    const services = {
      ...common,
      store: world.store(),
      locker,
      journal: new ChangeJournal(common),
      compromised: new CompromisedKeys(world.disk),
      publisher: world.publisher,
      tell: () => {},
      random,
    };
    const all = names.map((name) => new ManagedCertificate(world.wish(name, [authority]), services));
    for (const each of all) await each.load();
    return all;
  };

  const obtained = new Map<string, number>();
  let shortestMs = Number.POSITIVE_INFINITY;
  let all = await started();
  let [moodEnds, goodEnds, restartAt, jumpAt] = [4 * DAY, 5 * DAY, 3 * DAY, 10 * DAY].map((ms) => trueNow + ms);
  const end = trueNow + 120 * DAY;
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  while (trueNow < end) {
    if (trueNow >= moodEnds!) {
      const windows = pick(['planned', 'planned', 'gone', 'failing', 'malformed', 'reversed', 'far', 'past'] as const);
      ca.mood = { ...ca.mood, windows };
      moodEnds = trueNow + 5 * DAY * random();
    }
    if (trueNow >= goodEnds!) {
      const isGood = ca.mood.service === 'good';
      ca.mood = { ...ca.mood, service: isGood ? pick(['unreached', 'busy', 'blind'] as const) : 'good' };
      goodEnds = trueNow + (isGood ? 40 * HOUR * random() : 5 * DAY * (1 + random()));
    }
    if (trueNow >= jumpAt!) {
      skewMs = skewMs === 0 ? pick([DAY, -DAY]) : 0;
      obtained.clear();
      jumpAt = trueNow + (skewMs === 0 ? 10 * DAY : 8 * HOUR) * random();
    }
    if (trueNow >= restartAt!) {
      all = await started();
      restartAt = trueNow + 6 * DAY * random();
    }
    for (const each of all) {
      if (each.dueAt(clock.now()) > clock.now()) continue;
      const before = each.served?.certificate ?? null;
      await each.tend(new AbortController().signal);
      const after = each.served?.certificate ?? null;
      if (before !== null) assert.ok(before.notAfter > trueNow, `${each.name} expired`);
      if (after === null || after.fingerprint === before?.fingerprint) continue;
      shortestMs = Math.min(shortestMs, trueNow - (obtained.get(each.name) ?? Number.NEGATIVE_INFINITY));
      obtained.set(each.name, trueNow);
    }
    const dueInMs = Math.min(...all.map((each) => each.dueAt(clock.now()))) - clock.now();
    trueNow += Math.min(HOUR, Math.max(1_000, dueInMs));
  }

  assert.deepEqual(ca.exceeded, []);
  for (const { served, name } of all) assert.ok((served?.certificate?.notAfter ?? 0) > trueNow, name);
  assert.ok(ca.issued > 3 * 30 && ca.issued < 3 * 100, `${ca.issued} certificates`);
  assert.ok(shortestMs >= 5 * MINUTE, `two within ${shortestMs} ms`);
  assert.ok(world.logged.messages().includes('renewal window not learned from the issuer'));
});
