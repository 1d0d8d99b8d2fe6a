// The configuration as it may be shown: no key, token, password or other secret leaves the process. What is no secret but long
// (PEM texts of certificates) is told by its length.
import type { Config } from '../config/config.ts';

const HIDDEN = '(hidden)';

/** Fields that hold nothing but a secret, wherever they stand. */
const SECRET_FIELDS: ReadonlySet<string> = new Set(['hmacKey', 'token', 'secret', 'password', 'keyPem']);
/** URLs of the operator's services: path and query often hold a token. */
const SERVICE_FIELDS: ReadonlySet<string> = new Set(['url', 'ask']);

/** As JSON takes it; the sites one by one, since there may be many. */
export function redactedConfig(config: Config): Readonly<Record<string, unknown>> {
  const { sites, ...rest } = config;
  return { ...(redacted(rest) as Record<string, unknown>), sites: redactedEach(sites) };
}

function* redactedEach(values: readonly unknown[]): Generator<unknown> {
  for (const value of values) yield redacted(value);
}

function redacted(value: unknown, field = ''): unknown {
  if (typeof value === 'string') return redactedText(value, field);
  // JSON has no Infinity; the file says `off`.
  if (value === Number.POSITIVE_INFINITY) return 'off';
  if (typeof value !== 'object' || value === null) return value;
  // Arguments of programs: secrets are handed over so, and nobody can tell which.
  if (Array.isArray(value)) return value.map((element) => (field === 'args' ? HIDDEN : redacted(element, field)));
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, redacted(inner, name)]));
}

function redactedText(text: string, field: string): string {
  if (SECRET_FIELDS.has(field) || text.includes('PRIVATE KEY-----')) return HIDDEN;
  const certificates = text.split('-----BEGIN CERTIFICATE-----').length - 1;
  if (certificates > 0) return `(${certificates} ${certificates === 1 ? 'certificate' : 'certificates'})`;
  if (SERVICE_FIELDS.has(field)) return originOf(text);
  return text.replace(/\/\/[^/?#\s]*@/g, `//${HIDDEN}@`);
}

function originOf(text: string): string {
  const url = URL.parse(text);
  if (url === null) return HIDDEN;
  return url.pathname + url.search === '/' ? url.origin : `${url.origin}/${HIDDEN}`;
}
