// Text from outside, made safe for a terminal: no escape sequences, no line breaks, no bidirectional tricks.

/** Replaces control and direction characters by `\uXXXX`; everything else stays. */
export function printable(text: string): string {
  return text.replace(
    /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
