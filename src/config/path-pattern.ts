// Path patterns of routes: `/old` exact, `/api/*` everything below. Brought to the same normal form that requests are
// (RFC 3986 section 6.2.2; http/request-target), so that the two can be compared byte by byte.
import { meant, mistaken, type Parsed } from './parsed.ts';

const UNRESERVED = /[\w.~-]/;
/** Everything else in a path is sent percent-encoded; `"<>[]^`{|}` are accepted from clients as they are. */
const PLAIN = /[!$&'()+,;=:@/\w.~"<>[\]^`{|}-]/;

export function parsePathPattern(written: string): Parsed<string> {
  if (!written.startsWith('/')) {
    const suggestion = written === '*' ? '/*' : /^[\w.-]/.test(written) ? `/${written}` : null;
    return mistaken('a path begins with "/"', { allowed: '/old or /api/*', suggestion });
  }
  if (/[?#]/.test(written)) {
    const suggestion = written.slice(0, written.search(/[?#]/));
    return mistaken('a path has no query or fragment', { suggestion });
  }
  if (/[\s\u0000-\u001f\u007f\\]/.test(written))
    return mistaken('a path has no spaces, control characters or backslashes', { allowed: 'percent-encoding' });
  const isPrefix = written.endsWith('/*');
  const fixed = isPrefix ? written.slice(0, -1) : written;
  if (fixed.includes('*')) {
    const suggestion = /^[^*]*\*$/.test(fixed) ? `${fixed.slice(0, -1)}/*` : null;
    return mistaken('"*" stands only at the end, after "/"', { allowed: '/api/*', suggestion });
  }
  if (/%(?![0-9A-Fa-f]{2})/.test(fixed)) return mistaken('"%" is not followed by two hexadecimal digits');
  const path = normalized(fixed);
  if (path.includes('%00')) return mistaken('a path has no NUL');
  if (path.split(/\/|%2F|%5C/).some((part) => part === '.' || part === '..'))
    return mistaken('a path has no "." or ".." segments', { allowed: 'the path that clients end up at' });
  return meant(isPrefix ? `${path}*` : path);
}

function normalized(path: string): string {
  let result = '';
  for (const piece of path.match(/%[0-9A-Fa-f]{2}|[\s\S]/gu) ?? []) {
    if (piece.length === 3 && piece.startsWith('%')) {
      const char = String.fromCharCode(Number.parseInt(piece.slice(1), 16));
      result += UNRESERVED.test(char) ? char : piece.toUpperCase();
    } else result += PLAIN.test(piece) ? piece : encodeURIComponent(piece.toWellFormed());
  }
  return result;
}

/** Whether `pattern` matches the normalised `path`. */
export function patternMatches(pattern: string, path: string): boolean {
  return pattern.endsWith('*') ? path.startsWith(pattern.slice(0, -1)) : path === pattern;
}
