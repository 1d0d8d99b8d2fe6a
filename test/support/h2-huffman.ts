// The Huffman code of RFC 7541 appendix B, made anew from its lengths: the code is canonical. Slow and plain, for tests.

/** Bits of the code of each byte and, last, of EOS. */
const LENGTHS: readonly number[] = `
  13 23 28 28 28 28 28 28 28 24 30 28 28 30 28 28 28 28 28 28 28 28 30 28 28 28 28 28 28 28 28 28
  6 10 10 12 13 6 8 11 10 10 8 11 8 6 6 6 5 5 5 6 6 6 6 6 6 6 7 8 15 6 12 10
  13 6 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 8 7 8 13 19 13 14 6
  15 5 6 5 6 5 6 6 6 5 7 7 6 6 6 5 6 7 6 5 5 6 7 7 7 7 7 15 11 14 13 28
  20 22 20 20 22 22 22 23 22 23 23 23 23 23 24 23 24 24 22 23 24 23 23 23 23 21 22 23 22 23 23 24
  22 21 20 22 22 23 23 21 23 22 22 24 21 22 23 23 21 21 22 21 23 22 23 23 20 22 22 22 23 22 22 23
  26 26 20 19 22 23 22 25 26 26 26 27 27 26 24 25 19 21 26 27 27 26 27 24 21 21 26 26 28 27 27 27
  20 24 20 21 22 21 21 23 22 22 25 25 24 24 26 23 26 27 26 26 27 27 27 27 27 28 27 27 27 27 27 26
  30`
  .trim()
  .split(/\s+/)
  .map(Number);
const EOS = 256;

/** Symbol → its code as a text of 0 and 1. */
const CODES: readonly string[] = (() => {
  const codes: string[] = [];
  const order = LENGTHS.map((length, symbol) => ({ length, symbol })).sort(
    (a, b) => a.length - b.length || a.symbol - b.symbol,
  );
  let code = 0;
  let before = 0;
  for (const { length, symbol } of order) {
    code <<= length - before;
    before = length;
    codes[symbol] = code.toString(2).padStart(length, '0');
    code++;
  }
  return codes;
})();
const SYMBOLS: ReadonlyMap<string, number> = new Map(CODES.map((code, symbol) => [code, symbol]));

/** `text`: latin1. */
export function huffman(text: string): Buffer {
  let bits = '';
  for (let i = 0; i < text.length; i++) bits += CODES[text.charCodeAt(i)];
  return fromBits(bits.padEnd(Math.ceil(bits.length / 8) * 8, '1'));
}

/** The code of EOS, whole: nobody may send it (RFC 7541 section 5.2). */
export const eosCode = (): Buffer => fromBits(CODES[EOS]!.padEnd(32, '1'));

/** Throws when the padding is not the beginning of EOS, or when EOS is there. */
export function fromHuffman(coded: Buffer): string {
  let text = '';
  let open = '';
  for (const byte of coded)
    for (let bit = 7; bit >= 0; bit--) {
      open += (byte >> bit) & 1;
      const symbol = SYMBOLS.get(open);
      if (symbol === undefined) continue;
      if (symbol === EOS) throw new Error('EOS in a Huffman code');
      text += String.fromCharCode(symbol);
      open = '';
    }
  if (open.length > 7 || open.includes('0')) throw new Error(`a Huffman code padded with ${open}`);
  return text;
}

function fromBits(bits: string): Buffer {
  return Buffer.from(bits.match(/.{8}/g)?.map((byte) => Number.parseInt(byte, 2)) ?? []);
}
