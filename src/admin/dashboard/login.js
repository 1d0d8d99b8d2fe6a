// The field for the token, shown when the endpoint wants one.
import { hasToken, keepToken } from './ask.js';
import { byId, setText } from './element.js';

const form = byId('login');
const field = /** @type {HTMLInputElement} */ (byId('token'));

/** @param {() => void} onToken */
export function watchLogin(onToken) {
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    keepToken(field.value.trim());
    onToken();
  });
}

/** The endpoint has refused the token, or there was none. */
export function askForToken() {
  setText(byId('refusal'), hasToken() ? 'That is not the token.' : '');
  keepToken(null);
  form.hidden = false;
  field.value = '';
  field.focus();
}

/** The token is the right one, or none is wanted. */
export function closeLogin() {
  form.hidden = true;
  field.value = '';
  setText(byId('refusal'), '');
}
