// The Huffman code of RFC 7541 appendix B. The code is canonical: codes of one length follow each other in the order of
// their symbols, so that the lengths say it all.

/** The symbol that must not occur in a string; its first bits are what a string's last byte is filled up with. */
export const EOS = 256;

/** Bits of the code of each symbol, in base 36: of bytes 0–255, then of EOS. */
const LENGTHS =
  'dnsssssssoussussssssssusssssssss6aacd68baa8b8666555666666678f6ca' +
  'd67777777777777777777777878djde6f56565666577666567655677777fbeds' +
  'kmkkmmmnmnnnnnonoomnonnnnlmnmnnomlkmmnnlnmmolmnnllmlnmnnkmmmnmmn' +
  'qqkjmnmpqqqrrqopjlqrrqrollqqsrrrkoklmllnmmppooqnqrqqrrrrrsrrrrrq' +
  'u';

/** Bits of the code of each symbol. */
export const CODE_BITS: Uint8Array = Uint8Array.from(LENGTHS, (digit) => Number.parseInt(digit, 36));

/** The code of each symbol, in the low bits. */
export const CODES: Int32Array = (() => {
  const codes = new Int32Array(CODE_BITS.length);
  let code = 0;
  for (let bits = 1; bits <= Math.max(...CODE_BITS); bits++, code <<= 1)
    for (let symbol = 0; symbol <= EOS; symbol++) if (CODE_BITS[symbol] === bits) codes[symbol] = code++;
  return codes;
})();
