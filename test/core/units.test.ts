import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatDuration, parseDuration, parseSize } from '../../src/core/units.ts';

describe('durations', () => {
  it('are read with their unit, and as sums', () => {
    const cases: Record<string, number> = {
      '250ms': 250,
      '30s': 30_000,
      '5m': 300_000,
      '12h': 43_200_000,
      '1h30m': 5_400_000,
      '0s': 0,
    };
    for (const [text, ms] of Object.entries(cases)) assert.equal(parseDuration(text), ms, text);
  });

  it('are nothing else', () => {
    for (const text of ['', '30', 's', '30 s', ' 30s', '1.5s', '-1s', '30S', '30sec', '1e3s', `${'9'.repeat(20)}d`])
      assert.equal(parseDuration(text), null, text);
  });

  it('are shown in the two largest units', () => {
    const cases: readonly (readonly [number, string])[] = [
      [0, '0ms'],
      [250, '250ms'],
      [999.7, '1s'],
      [1_000, '1s'],
      [250_000, '4m 10s'],
      [3_600_000, '1h'],
      [3_601_000, '1h'],
      [86_400_000 * 89 + 3_600_000 * 23, '89d 23h'],
      [-90_000, '-1m 30s'],
    ];
    for (const [ms, text] of cases) assert.equal(formatDuration(ms), text, String(ms));
  });
});

describe('sizes', () => {
  it('are read with decimal and binary units', () => {
    const cases: Record<string, number> = { '512B': 512, '64KiB': 65_536, '10MiB': 10_485_760, '1GB': 1e9, '0B': 0 };
    for (const [text, bytes] of Object.entries(cases)) assert.equal(parseSize(text), bytes, text);
  });

  it('are nothing else', () => {
    for (const text of ['', '10', '10M', '10mib', '1.5MiB', '-1B', '10 MiB', `${'9'.repeat(20)}GiB`])
      assert.equal(parseSize(text), null, text);
  });
});
