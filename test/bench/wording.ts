// Numbers as people read them.
import type { Sample } from './bench-case.ts';

/** Three significant digits, no exponent, thousands apart. */
export function digits(value: number): string {
  const rounded = Number(value.toPrecision(3));
  return rounded.toLocaleString('en-GB', { maximumSignificantDigits: 3 });
}

/** Microseconds or milliseconds. */
export function duration(us: number | null): string {
  if (us === null) return '–';
  return us < 10_000 ? `${digits(us)} µs` : `${digits(us / 1_000)} ms`;
}

export function mebibytes(bytes: number | null): string {
  return bytes === null ? '–' : `${digits(bytes / 2 ** 20)} MiB`;
}

export function kibibytes(bytes: number): string {
  return `${digits(bytes / 1024)} KiB`;
}

export function ratio(value: number): string {
  return value.toFixed(2);
}

/** One counted run, for the terminal. */
export function sampleText(sample: Sample): string {
  const { cpuUs, perSecond, p50Us, p99Us, rssBytes, bytesPerConnection, errors } = sample;
  const parts: string[] = [];
  if (cpuUs !== null) parts.push(`${duration(cpuUs)} CPU`);
  if (bytesPerConnection !== null) parts.push(`${kibibytes(bytesPerConnection)} per connection`);
  if (perSecond !== null) parts.push(`${digits(perSecond)}/s`);
  if (p50Us !== null) parts.push(`p50 ${duration(p50Us)}`, `p99 ${duration(p99Us)}`);
  parts.push(`RSS ${mebibytes(rssBytes)}`);
  if (errors.length > 0) parts.push(`ERRORS: ${errors.join('; ')}`);
  return parts.join(', ');
}
