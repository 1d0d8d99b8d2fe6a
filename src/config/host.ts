// A host of `sites` as people write it: upper case, IDN, trailing dot, brackets, port → one normal form.
import { isIP, isIPv6 } from 'node:net';
import { normalizeHostPattern } from '../core/hostname.ts';
import { meant, mistaken, type Parsed } from './parsed.ts';

const HOST_FORMS = 'a host name such as app.example.com, *.example.com, or an IP address';

export interface WrittenHost {
  /** core/hostname's normal form. */
  readonly host: string;
  /** The port that was written behind it, or null. */
  readonly port: number | null;
}

export function parseHost(written: string): Parsed<WrittenHost> {
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(written);
  if (scheme !== null) {
    const rest = written.slice(scheme[0].length).replace(/[/?#].*$/s, '');
    return mistaken('it is a URL', { allowed: HOST_FORMS, suggestion: rest === '' ? null : rest });
  }
  if (/[/?#]/.test(written)) {
    const suggestion = written.replace(/[/?#].*$/s, '');
    return mistaken('paths stand under routes', { allowed: HOST_FORMS, suggestion: suggestion || null });
  }
  const portMatch = isIPv6(written) ? null : /^(.+):(\d{1,5})$/s.exec(written);
  const port = portMatch === null ? null : Number(portMatch[2]);
  const host = normalizeHostPattern(portMatch === null ? written : portMatch[1]!);
  if (host !== null && (port === null || (port > 0 && port <= 65_535))) return meant({ host, port });
  return mistaken(stateOf(written), { allowed: HOST_FORMS, suggestion: repair(written) });
}

function stateOf(written: string): string {
  if (written === '') return 'it is empty';
  if (/:\d+$/.test(written) && !written.startsWith('*')) return 'its port is not valid';
  if (written.includes('*')) return '"*" stands only for the whole first label, before a name';
  if (/^[\d.]+$/.test(written) && isIP(written) === 0) return 'it is not a valid IP address';
  if (written.includes('_')) return 'a host name has no "_"';
  return 'it is not a host name';
}

/** `.example.com` and `*example.com` → `*.example.com`; spaces and underscores repaired; null when that is no host. */
function repair(written: string): string | null {
  const attempt = written.trim().replace(/^\*?\.?(?=[^*]*$)/, (start) => (start === '' ? '' : '*.'));
  for (const text of [attempt, attempt.replaceAll('_', '-')])
    if (text !== written && normalizeHostPattern(text) !== null) return text;
  return null;
}
