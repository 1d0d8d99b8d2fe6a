// URLs of the operator's own services: who is asked, who is told.
import { meant, mistaken, type Parsed } from './parsed.ts';

export const SERVICE_FORMS = 'a URL such as http://127.0.0.1:9000/ask';

export function parseServiceUrl(written: string): Parsed<string> {
  const allowed = SERVICE_FORMS;
  if (!/^https?:\/\//i.test(written)) {
    const isBare = /^[\w.-]+(:\d+)?(\/|$)/.test(written);
    return mistaken('it is not an http:// or https:// URL', {
      allowed,
      suggestion: isBare ? `http://${written}` : null,
    });
  }
  const url = URL.parse(written);
  if (url === null) return mistaken('it is not a valid URL', { allowed });
  if (url.username !== '' || url.password !== '') return mistaken('it has a user or password', { allowed });
  if (url.hash !== '') return mistaken('it has a fragment', { allowed });
  return meant(url.href);
}
