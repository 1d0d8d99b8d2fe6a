// Asks the process that serves this page. The token, where it wants one, is kept for this tab alone.

const TOKEN = 'perantara token';
const PATIENCE_MS = 8_000;

/** The answer was an error, in words. `status`: 401 when the token is missing or wrong. */
export class Refused extends Error {
  status;

  constructor(/** @type {number} */ status, /** @type {string} */ message) {
    super(message);
    this.status = status;
  }
}

export function keepToken(/** @type {string | null} */ token) {
  if (token === null) sessionStorage.removeItem(TOKEN);
  else sessionStorage.setItem(TOKEN, token);
}

export function hasToken() {
  return sessionStorage.getItem(TOKEN) !== null;
}

/**
 * Rejects with Refused, or with anything else when nobody answers.
 * @param {string} path
 * @param {unknown} [content]
 * @returns {Promise<any>}
 */
export async function ask(path, content) {
  const token = sessionStorage.getItem(TOKEN);
  const answer = await fetch(path, {
    method: content === undefined ? 'GET' : 'POST',
    ...(content === undefined ? {} : { body: JSON.stringify(content) }),
    headers: token === null ? {} : { authorization: `Bearer ${token}` },
    cache: 'no-store',
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  const body = await answer.json();
  if (answer.ok) return body;
  throw new Refused(answer.status, String(body?.error?.message ?? `status ${answer.status}`));
}
