// The character classes of RFC 9110 section 5.6 as byte tables, and the checks on strings made from them.

/** 1 where the byte may stand in a token (RFC 9110 section 5.6.2). */
export const TOKEN_BYTES: Uint8Array = table((code) => /[!#$%&'*+\-.^_`|~0-9A-Za-z]/.test(String.fromCharCode(code)));

/** 1 where the byte may stand in a field value: HTAB, SP, VCHAR, obs-text (RFC 9110 section 5.5). */
export const FIELD_VALUE_BYTES: Uint8Array = table((code) => code === 9 || (code >= 32 && code !== 127));

/** 1 where the byte may stand in a request target as sent: visible ASCII (RFC 9112 section 3.2). */
export const TARGET_BYTES: Uint8Array = table((code) => code > 32 && code < 127);

/** As many as the largest safe integer has. */
const MAX_DIGITS = 16;

/** The lower-cased, trimmed, non-empty elements of a comma-separated list (RFC 9110 section 5.6.1). */
export function listElements(value: string): string[] {
  const elements: string[] = [];
  for (const part of value.split(',')) {
    const element = trimBlanks(part).toLowerCase();
    if (element !== '') elements.push(element);
  }
  return elements;
}

/** Without the spaces and tabs at its ends (RFC 9110 section 5.6.3); what else looks blank, 0xA0 for one, is obs-text. */
export function trimBlanks(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && isBlank(text.charCodeAt(from))) from++;
  while (from < to && isBlank(text.charCodeAt(to - 1))) to--;
  return text.slice(from, to);
}

/** Space or tab. */
export function isBlank(code: number): boolean {
  return code === 32 || code === 9;
}

/** Whether it is one (RFC 9110 section 5.6.2). */
export function isToken(text: string): boolean {
  if (text === '') return false;
  for (let i = 0; i < text.length; i++) if (TOKEN_BYTES[text.charCodeAt(i)] !== 1) return false;
  return true;
}

/** The value of 1 to MAX_DIGITS digits; null for any other text. It may be no safe integer. */
export function readDigits(text: string): number | null {
  if (text === '' || text.length > MAX_DIGITS) return null;
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return null;
    value = value * 10 + digit;
  }
  return value;
}

function table(allowed: (code: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, code) => (allowed(code) ? 1 : 0));
}
