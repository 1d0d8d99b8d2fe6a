// Text from outside as a log may hold it: printable ASCII and nothing else, so that no value can end its field or its line,
// nor move the cursor of a terminal that shows it.

/** A longer text is cut: escaped it may take six times its room, and its sender is not to fill the disk at that rate. */
export const TEXT_CHARACTERS = 4_096;

const UNSAFE = /[^\x20\x21\x23-\x5b\x5d-\x7e]/;
const ALL_UNSAFE = new RegExp(UNSAFE, 'g');

/** As a JSON string with its quotes; what is not printable ASCII as `\uXXXX`. */
export function jsonText(whole: string): string {
  const text = cut(whole);
  return UNSAFE.test(text) ? `"${text.replace(ALL_UNSAFE, jsonEscape)}"` : `"${text}"`;
}

/** Without quotes, as nginx and Apache write it: `"`, `\` and what is not printable ASCII as `\xXX`. */
export function quotedText(whole: string): string {
  const text = cut(whole);
  return UNSAFE.test(text) ? text.replace(ALL_UNSAFE, hexEscape) : text;
}

function cut(text: string): string {
  return text.length <= TEXT_CHARACTERS ? text : `${text.slice(0, TEXT_CHARACTERS)}...`;
}

function jsonEscape(char: string): string {
  if (char === '"' || char === '\\') return `\\${char}`;
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** Fields are read a byte a character; a character that is more is one of ours, and is written as its two halves. */
function hexEscape(char: string): string {
  const code = char.charCodeAt(0);
  return `${code > 0xff ? hex(code >> 8) : ''}${hex(code & 0xff)}`;
}

function hex(byte: number): string {
  return `\\x${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}
