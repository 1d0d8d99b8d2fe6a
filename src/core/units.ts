// Durations and sizes as people write them. Parsing happens once, at config load; formatting is for messages.

const DURATION_UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const SIZE_UNITS: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
};

/** `250ms`, `30s`, `5m`, `12h`, `90d` and sums such as `1h30m` → milliseconds; anything else → null. */
export function parseDuration(text: string): number | null {
  if (!/^(\d+(ms|s|m|h|d))+$/.test(text)) return null;
  let total = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)(ms|s|m|h|d)/g)) total += Number(count) * DURATION_UNITS[unit!]!;
  return Number.isSafeInteger(total) ? total : null;
}

/** `512B`, `64KiB`, `10MiB`, `1GB` → bytes; anything else → null. */
export function parseSize(text: string): number | null {
  const match = /^(\d+)(B|KB|MB|GB|KiB|MiB|GiB)$/.exec(text);
  if (match === null) return null;
  const total = Number(match[1]) * SIZE_UNITS[match[2]!]!;
  return Number.isSafeInteger(total) ? total : null;
}

/** Milliseconds in the two largest units: `89d 23h`, `4m 10s`, `250ms`. */
export function formatDuration(ms: number): string {
  if (ms < 0) return `-${formatDuration(-ms)}`;
  let rest = Math.round(ms);
  if (rest < 1_000) return `${rest}ms`;
  const parts: string[] = [];
  for (const unit of ['d', 'h', 'm', 's']) {
    const size = DURATION_UNITS[unit]!;
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0 || parts.length > 0) parts.push(`${count}${unit}`);
    if (parts.length === 2) break;
  }
  return parts.filter((part) => !part.startsWith('0')).join(' ');
}
