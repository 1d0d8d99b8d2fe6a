// The place a redirect leads to: a path on the same site, or a whole URL. The result is safe in a header field.
import { meant, mistaken, type Parsed } from './parsed.ts';

export const LOCATION_FORMS = 'a path such as /new, or a URL such as https://example.com/new';

export function parseLocation(written: string): Parsed<string> {
  if (/[\u0000-\u0020\u007f-\u009f\\]/.test(written))
    return mistaken('it has spaces, control characters or backslashes', { allowed: 'percent-encoding' });
  if (/%(?![0-9A-Fa-f]{2})/.test(written)) return mistaken('"%" is not followed by two hexadecimal digits');
  if (written.startsWith('//')) return mistaken('"//" would lead to another host', { suggestion: `https:${written}` });
  if (written.startsWith('/')) return meant(asciiOnly(written));
  if (!/^https?:\/\//i.test(written)) {
    const isHost = /^[\w-]+(\.[\w-]+)+(\/|$)/.test(written);
    return mistaken('it is neither a path nor a URL', {
      allowed: LOCATION_FORMS,
      suggestion: isHost ? `https://${written}` : null,
    });
  }
  const url = URL.parse(written);
  if (url === null || url.hostname === '') return mistaken('it is not a valid URL', { allowed: LOCATION_FORMS });
  if (url.username !== '' || url.password !== '') return mistaken('it would show a user or password to everyone');
  return meant(url.href);
}

function asciiOnly(text: string): string {
  return text.replace(/[^\u0021-\u007e]+/gu, (part) => encodeURIComponent(part.toWellFormed()));
}
