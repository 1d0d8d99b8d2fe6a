// The Forwarded field (RFC 7239 section 4): elements separated by commas, `name=value` pairs by semicolons, values
// tokens or quoted strings. Reading is lenient about spaces and strict about everything else.

export interface ForwardedElement {
  readonly for: string | null;
  readonly proto: string | null;
  readonly host: string | null;
}

const PAIR =
  /[ \t]*(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)=([!#$%&'*+.^_`|~0-9A-Za-z:[\]-]+|"(?:[^"\\]|\\.)*"))?[ \t]*([;,]|$)/y;

/** The elements in order; null when the value does not follow the grammar. */
export function parseForwarded(value: string): ForwardedElement[] | null {
  const elements: ForwardedElement[] = [];
  let pairs = new Map<string, string>();
  const pattern = new RegExp(PAIR);
  while (pattern.lastIndex <= value.length) {
    const match = pattern.exec(value);
    if (match === null) return null;
    const [whole, name, raw = '', separator] = match;
    if (name !== undefined)
      pairs.set(name.toLowerCase(), raw.startsWith('"') ? raw.slice(1, -1).replace(/\\(.)/g, '$1') : raw);
    if (separator !== ';') {
      const get = (key: string): string | null => pairs.get(key) ?? null;
      if (pairs.size > 0) elements.push({ for: get('for'), proto: get('proto'), host: get('host') });
      pairs = new Map();
    }
    if (separator === '' || whole === '') break;
  }
  return elements;
}

/** One element for each address of `chain` (normal form); the last also says how the request reached us. */
export function writeForwarded(chain: readonly string[], host: string, proto: string): string {
  let field = '';
  for (const address of chain) {
    if (field !== '') field += ', ';
    field += address.includes(':') ? `for="[${address}]"` : `for=${address}`;
  }
  return `${field};host=${host.includes(':') ? `"${host}"` : host};proto=${proto}`;
}
