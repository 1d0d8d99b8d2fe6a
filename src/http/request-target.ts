// The request target (RFC 9112 section 3.2) and the one path that both the router and the upstream see
// (RFC 3986 section 6.2.2): unreserved escapes decoded, escapes in upper case, dot segments removed.
// An encoded slash or backslash stays encoded; where decoding it would make a dot segment, the target is refused.

export interface RequestTarget {
  /** Authority of an absolute-form target, else null. */
  readonly authority: string | null;
  /** Normalised path, or `*`. */
  readonly path: string;
  /** `?…` or ''. */
  readonly query: string;
}

const PLAIN_PATH = /^(?:\/(?!\.{1,2}(?:\/|$))[!$&'()*+,;=:@\w.~-]*)+$/;
const PATH = /^(?:[!$&'()*+,;=:@/\w.~-]|%[0-9A-Fa-f]{2}|["<>[\]^`{|}])*$/;
const QUERY = /^\?(?:[!-"$-~])*$/;
const UNRESERVED = /[\w.~-]/;

/** null when the target is not one that `method` may have, or is doubtful (fragment, backslash, `%00`, bad escape). */
export function parseRequestTarget(method: string, raw: string): RequestTarget | null {
  let authority: string | null = null;
  let rest = raw;
  if (raw.charCodeAt(0) !== 0x2f) {
    if (raw === '*') return method === 'OPTIONS' ? { authority, path: '*', query: '' } : null;
    const absolute = /^https?:\/\/([^/?#]+)(.*)$/i.exec(raw);
    if (absolute === null) return null;
    authority = absolute[1]!;
    rest = absolute[2]!;
    if (rest === '' && method === 'OPTIONS') return { authority, path: '*', query: '' };
    if (rest.charCodeAt(0) !== 0x2f) rest = `/${rest}`;
  }
  const mark = rest.indexOf('?');
  const query = mark === -1 ? '' : rest.slice(mark);
  if (query !== '' && !QUERY.test(query)) return null;
  const path = normalizePath(mark === -1 ? rest : rest.slice(0, mark));
  return path === null ? null : { authority, path, query };
}

/** The normal form of an absolute path, or null when it is doubtful. */
export function normalizePath(path: string): string | null {
  if (PLAIN_PATH.test(path)) return path;
  if (!path.startsWith('/') || !PATH.test(path)) return null;
  const decoded = path.replace(/%[0-9A-Fa-f]{2}/g, (triplet) => {
    const char = String.fromCharCode(Number.parseInt(triplet.slice(1), 16));
    return UNRESERVED.test(char) ? char : triplet.toUpperCase();
  });
  if (decoded.includes('%00') || hasHiddenDotSegment(decoded)) return null;
  return removeDotSegments(decoded);
}

/** Whether a dot segment appears once encoded separators are taken for separators: `..%2fadmin`, `%5c..`. */
function hasHiddenDotSegment(path: string): boolean {
  if (!/%2F|%5C/.test(path)) return false;
  return path
    .split('/')
    .filter((segment) => /%2F|%5C/.test(segment))
    .some((segment) => segment.split(/%2F|%5C/).some((part) => part === '.' || part === '..'));
}

/** RFC 3986 section 5.2.4, keeping empty segments. */
function removeDotSegments(path: string): string {
  const output: string[] = [];
  const segments = path.slice(1).split('/');
  for (const [index, segment] of segments.entries()) {
    const isLast = index === segments.length - 1;
    if (segment === '..') output.pop();
    if (segment === '.' || segment === '..') {
      if (isLast) output.push('');
    } else output.push(segment);
  }
  return `/${output.join('/')}`;
}
