// The pure parts of certificates on demand: which names, and how many of them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AddressBuckets, networkOf, perHour } from '../../src/certs/on-demand/buckets.ts';
import { demandableName } from '../../src/certs/on-demand/name.ts';
import { RefusalLog } from '../../src/certs/on-demand/refusals.ts';
import { capturedLog } from '../support/captured-log.ts';

const LONG = `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}`;

test('names that a public CA could certify are taken, in normal form', () => {
  const good: readonly (readonly [string, string])[] = [
    ['shop.example.com', 'shop.example.com'],
    ['Shop.EXAMPLE.com.', 'shop.example.com'],
    ['xn--bcher-kva.example.org', 'xn--bcher-kva.example.org'],
    [`${LONG}.${'d'.repeat(57)}.com`, `${LONG}.${'d'.repeat(57)}.com`],
  ];
  for (const [servername, name] of good) assert.equal(demandableName(servername), name);
  assert.equal(`${LONG}.${'d'.repeat(57)}.com`.length, 253);
});

test('addresses, local, reserved and malformed names are refused', () => {
  const bad = [
    '',
    '.',
    'a',
    'localhost',
    'a.localhost',
    'printer.local',
    'a.internal',
    'a.home.arpa',
    '1.2.0.192.in-addr.arpa',
    'a.test',
    'a.example',
    'a.invalid',
    'a.onion',
    '192.0.2.1',
    '8.8.8.8',
    '2001:db8::1',
    '[2001:db8::1]',
    '*.example.com',
    '*',
    'a..b',
    'a..example.com',
    '.example.com',
    'example.com..',
    '-a.example.com',
    'a-.example.com',
    'a_b.example.com',
    'a b.example.com',
    'a.example.com:443',
    'a.example.com\0.evil.example.org',
    'bücher.example.org',
    'ａ.example.com',
    'a。example.com',
    'a.1',
    '../../etc/passwd.com',
    `${'a'.repeat(64)}.example.com`,
    `${LONG}.${'d'.repeat(58)}.com`,
    'a.'.repeat(5_000),
  ];
  for (const servername of bad) assert.equal(demandableName(servername), null, servername);
});

test('a bucket begins full and fills again evenly', () => {
  const buckets = new AddressBuckets(perHour(10), null);
  const take = (now: number): boolean => buckets.take('192.0.2.1', now) === null;
  for (let index = 0; index < 10; index++) assert.equal(take(0), true);
  assert.equal(take(0), false);
  assert.equal(take(359_999), false);
  assert.equal(take(360_000), true);
  assert.equal(take(360_000), false);
  assert.equal(take(100 * 3_600_000), true);
  for (let index = 0; index < 9; index++) assert.equal(take(100 * 3_600_000), true);
  assert.equal(take(100 * 3_600_000), false, 'it holds no more than when it was full');
});

test('a clock that is set back fills no bucket and blocks none for long', () => {
  const buckets = new AddressBuckets(perHour(2), null);
  const day = 24 * 3_600_000;
  assert.equal(buckets.take('192.0.2.1', day), null);
  assert.equal(buckets.take('192.0.2.1', 0), null);
  assert.equal(buckets.take('192.0.2.1', 0), 'address');
  assert.equal(buckets.take('192.0.2.1', 1_800_000), null);
});

test('what one bucket refuses takes nothing from the other', () => {
  const buckets = new AddressBuckets(perHour(1), perHour(2));
  assert.equal(buckets.take('192.0.2.1', 0), null);
  for (let index = 0; index < 5; index++) assert.equal(buckets.take('192.0.2.1', 0), 'address');
  assert.equal(buckets.take('192.0.2.2', 0), null, 'the common bucket still had one');
  assert.equal(buckets.take('192.0.2.3', 0), 'all');
  assert.equal(buckets.take('192.0.2.3', 1_800_000), null, 'its own bucket was not touched');
});

test('IPv6 clients count by their /64', () => {
  const groups: readonly (readonly [string, string])[] = [
    ['192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::1', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:db8::', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
  ];
  for (const [address, network] of groups) assert.equal(networkOf(address), network);
  const buckets = new AddressBuckets(perHour(1), null);
  assert.equal(buckets.take('2001:db8::1', 0), null);
  assert.equal(buckets.take('2001:db8::2', 0), 'address');
  assert.equal(buckets.take('2001:db8:0:1::2', 0), null);
});

test('a hundred thousand addresses take the memory of a few thousand', () => {
  const buckets = new AddressBuckets(perHour(10), null);
  for (let index = 0; index < 100_000; index++) buckets.take(`${index}`, 0);
  assert.ok(buckets.size >= 10_000 && buckets.size <= 20_000, `${buckets.size}`);
});

test('a reason is logged once a minute with the number of those it stopped', () => {
  const { log, lines } = capturedLog();
  const time = { now: 0 };
  const refusals = new RefusalLog(log, { now: () => time.now });
  for (let index = 0; index < 1_000; index++) refusals.add('too many new names', `${index}.example.com`, '192.0.2.1');
  refusals.add('ask endpoint unavailable', 'a.example.com', '192.0.2.1');
  time.now = 60_000;
  refusals.add('too many new names', 'b.example.com', '192.0.2.1');
  assert.deepEqual(
    lines.map(({ reason, refused }) => [reason, refused]),
    [
      ['too many new names', 1],
      ['ask endpoint unavailable', 1],
      ['too many new names', 1_000],
    ],
  );
});
