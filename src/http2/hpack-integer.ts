// Writes integers of HPACK (RFC 7541 section 5.1).

/** Most bytes of an integer below 2 ** 32. */
export const MAX_INTEGER_BYTES = 6;

/** `flags`: the bits before the prefix; `prefix`: the largest value of the prefix's bits. Returns the offset reached. */
export function writeInteger(out: Buffer, at: number, flags: number, prefix: number, value: number): number {
  if (value < prefix) {
    out[at] = flags | value;
    return at + 1;
  }
  out[at++] = flags | prefix;
  let rest = value - prefix;
  while (rest > 0x7f) {
    out[at++] = 0x80 | (rest & 0x7f);
    rest = Math.floor(rest / 0x80);
  }
  out[at] = rest;
  return at + 1;
}

/** Bytes that writeInteger writes for a value below 2 ** 28. */
export function integerBytes(prefix: number, value: number): number {
  if (value < prefix) return 1;
  let bytes = 2;
  for (let rest = value - prefix; rest > 0x7f; rest >>= 7) bytes++;
  return bytes;
}
