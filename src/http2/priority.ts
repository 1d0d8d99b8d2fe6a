// The priority that a client gives to a response (RFC 9218 section 4): of the structured dictionary only `u` and `i` matter,
// and what is malformed is ignored.

export interface Priority {
  /** 0–7; 0 first. */
  readonly urgency: number;
  readonly incremental: boolean;
}

/** Longer values say more than anybody needs; `u=3, i` is what is sent. */
const MAX_CHARS = 128;
const ELEMENT = /^([a-z*][a-z0-9_.*-]*)(?:=([^;]*))?(?:;.*)?$/;
const DEFAULT_URGENCY = 3;

export function parsePriority(value: string): Priority {
  let urgency = DEFAULT_URGENCY;
  let incremental = false;
  if (value.length > MAX_CHARS) return { urgency, incremental };
  for (const element of value.split(',')) {
    const [, name, written] = ELEMENT.exec(element.trim()) ?? [];
    if (name === 'u' && written !== undefined && /^[0-7]$/.test(written)) urgency = Number(written);
    if (name === 'i' && (written === undefined || written === '?1')) incremental = true;
    if (name === 'i' && written === '?0') incremental = false;
  }
  return { urgency, incremental };
}
