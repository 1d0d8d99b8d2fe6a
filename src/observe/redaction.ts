// What a log does not say unless it is asked for by name: fields and parameters that let whoever reads them in.

const REDACTED = '[redacted]';

const SECRET_FIELDS: ReadonlySet<string> = new Set([
  'authorization',
  'proxy-authorization',
  'authentication-info',
  'cookie',
  'set-cookie',
]);
/** Whole names, in lower case and without `-`, `_` and the like. */
const SECRET_NAMES: ReadonlySet<string> = new Set([
  ...['auth', 'authorization', 'bearer', 'code', 'hmac', 'jwt', 'key', 'otp', 'pass', 'pin', 'pwd'],
  ...['samlresponse', 'session', 'sid', 'sig', 'ticket'],
]);
/** Parts of names, likewise. */
const SECRET_PART =
  /token|secret|passw|passcode|apikey|accesskey|privatekey|signature|credential|assertion|sess(?:ion)?id/;
/** Fields whose values are URLs, or have some in them. */
const URL_FIELDS: ReadonlySet<string> = new Set(['content-location', 'link', 'location', 'referer', 'refresh']);

export class Redaction {
  readonly #revealed: ReadonlySet<string>;

  /** `revealed`: names of fields and parameters, in lower case, that are shown all the same. */
  constructor(revealed: readonly string[]) {
    this.#revealed = new Set(revealed);
  }

  /** How a log may show values of the field called `name` (in lower case). */
  field(name: string): (value: string) => string {
    if (this.#revealed.has(name)) return (value) => value;
    if (SECRET_FIELDS.has(name) || SECRET_PART.test(bare(name))) return () => REDACTED;
    return URL_FIELDS.has(name) ? (value) => this.url(value) : (value) => value;
  }

  /**
   * A request target or URL without secret parameters of its path, query and fragment, and user information before a host. In
   * one pass: whoever sends thousands of parameters pays for them alone.
   */
  url(text: string): string {
    const whole = text.includes('@') ? text.replace(/\/\/[^/?#@]*@/g, `//${REDACTED}@`) : text;
    let shown = '';
    let from = 0;
    for (let at = whole.search(/[?;#]/); at !== -1; ) {
      let end = endOf(whole, at + 1, '=&;#?');
      if (whole[end] === '=') {
        const valueAt = end + 1;
        const isSecret = this.#isSecret(whole.slice(at + 1, end));
        end = endOf(whole, valueAt, isSecret ? '&#' : '?&;#');
        if (isSecret) {
          shown += whole.slice(from, valueAt) + REDACTED;
          from = end;
        }
      }
      at = end < whole.length ? end : -1;
    }
    return from === 0 ? whole : shown + whole.slice(from);
  }

  #isSecret(written: string): boolean {
    const name = decoded(written).toLowerCase();
    if (this.#revealed.has(name)) return false;
    const plain = bare(name);
    return SECRET_NAMES.has(plain) || SECRET_PART.test(plain);
  }
}

function bare(name: string): string {
  return name.replace(/[^a-z0-9]/g, '');
}

function decoded(name: string): string {
  return name.replace(/%([0-9a-f]{2})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}

/** Where the first of `ends` stands from `start` on, or the end. */
function endOf(text: string, start: number, ends: string): number {
  let at = start;
  while (at < text.length && !ends.includes(text[at]!)) at++;
  return at;
}
