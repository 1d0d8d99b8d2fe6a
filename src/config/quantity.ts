// Durations, sizes and counts as written in the file.
import { suggest } from '../core/suggest.ts';
import { parseDuration, parseSize } from '../core/units.ts';
import { meant, mistaken, type Parsed } from './parsed.ts';

export const DURATION_FORMS = 'a duration such as 500ms, 30s, 5m or 1h30m';
export const COUNT_FORMS = 'a whole number from 1, or off';
export const SIZE_FORMS = 'a size such as 512KiB, 10MiB or 1GB, or off';

/** The longest wait a timer of Node can hold. */
const MAX_DURATION_MS = 2 ** 31 - 1;

export function parseDurationValue(written: string | number): Parsed<number> {
  if (typeof written === 'number' || /^\d+$/.test(written))
    return mistaken('the unit is missing', { allowed: DURATION_FORMS, suggestion: `${written}s` });
  const ms = parseDuration(written);
  if (ms === null) {
    const repaired = written
      .replace(/\s+/g, '')
      .toLowerCase()
      .replace(/(?<=\d)(sec|seconds?)$/, 's');
    const minutes = repaired.replace(/(?<=\d)(min|minutes?)$/, 'm').replace(/(?<=\d)(hrs?|hours?)$/, 'h');
    const suggestion = parseDuration(minutes) === null ? null : minutes;
    return mistaken('it is not a duration', { allowed: DURATION_FORMS, suggestion });
  }
  if (ms === 0) return mistaken('it must be longer than nothing', { allowed: DURATION_FORMS });
  if (ms > MAX_DURATION_MS) return mistaken('it is too long', { allowed: 'at most 24d' });
  return meant(ms);
}

/** As a duration, and `0` or `0s` for none. */
export function parseDelayValue(written: string | number): Parsed<number> {
  return written === 0 || /^0(ms|s|m|h|d)?$/.test(String(written)) ? meant(0) : parseDurationValue(written);
}

/** Bytes, or null for `off`. */
export function parseSizeValue(written: string | number): Parsed<number | null> {
  if (written === 'off') return meant(null);
  if (typeof written === 'number' || /^\d+$/.test(written))
    return mistaken('the unit is missing', { allowed: SIZE_FORMS, suggestion: `${written}B` });
  const bytes = parseSize(written);
  if (bytes !== null) return meant(bytes);
  const match = /^(\d+)\s*([kmg])(i?)(b?)$/i.exec(written);
  const suggestion = match === null ? null : `${match[1]}${match[2]!.toUpperCase()}iB`;
  return mistaken('it is not a size', { allowed: SIZE_FORMS, suggestion });
}

/** A positive number, or Infinity for `off`. */
export function parseCount(written: string | number): Parsed<number> {
  if (written === 'off') return meant(Number.POSITIVE_INFINITY);
  const count = typeof written === 'number' || /^\d+$/.test(written) ? Number(written) : Number.NaN;
  if (Number.isSafeInteger(count) && count >= 1) return meant(count);
  return mistaken('it is not a number of connections', {
    allowed: COUNT_FORMS,
    suggestion: suggest(String(written), ['off']),
  });
}

export function parseWorkers(written: string | number): Parsed<number | 'auto'> {
  if (written === 'auto') return meant('auto');
  const count = typeof written === 'number' || /^\d+$/.test(written) ? Number(written) : Number.NaN;
  if (Number.isInteger(count) && count >= 1 && count <= 1024) return meant(count);
  return mistaken('it is not a number of workers', {
    allowed: 'auto, or a whole number from 1 to 1024',
    suggestion: suggest(String(written), ['auto']),
  });
}
