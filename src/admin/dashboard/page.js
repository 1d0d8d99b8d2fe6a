// The dashboard: asks for the overview every other second, shows it, and says so when nobody answers.
import { ask, Refused } from './ask.js';
import { byId } from './element.js';
import { showErrors } from './errors.js';
import { showAbout, showGone, showHead, showLive } from './head.js';
import { askForToken, closeLogin, watchLogin } from './login.js';
import { showSites, watchSiteOrder } from './sites.js';
import { showTargets, watchTargets } from './targets.js';
import { showTraffic, watchTraffic } from './traffic.js';
import { showTroubles } from './troubles.js';

const PAUSE_MS = 2_000;
/** While nobody looks. */
const LONG_PAUSE_MS = 15_000;

const find = /** @type {HTMLInputElement} */ (byId('find'));
/** @type {number | null} */
let answeredAt = null;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
/** Counts the questions: an answer that another question has overtaken is not shown. */
let turn = 0;

/** @param {import('../overview.ts').Overview} overview */
function show(overview) {
  byId('main').hidden = false;
  showHead(overview);
  showTroubles(overview.troubles, overview.at);
  showTraffic(overview);
  showSites(overview);
  showTargets(overview);
  showErrors(overview);
  showAbout(overview);
}

async function look() {
  clearTimeout(timer);
  const mine = ++turn;
  let isWelcome = true;
  try {
    const overview = await ask(`/overview?find=${encodeURIComponent(find.value)}`);
    if (mine !== turn) return;
    answeredAt = Date.now();
    closeLogin();
    showLive(answeredAt);
    show(overview);
  } catch (error) {
    if (mine !== turn) return;
    isWelcome = !(error instanceof Refused && error.status === 401);
    if (isWelcome)
      showGone(answeredAt, error instanceof Refused ? error.message : 'It has ended, or cannot be reached');
    else {
      byId('main').hidden = true;
      byId('verdict').textContent = 'Who are you?';
      askForToken();
    }
  }
  if (isWelcome) timer = setTimeout(look, document.hidden ? LONG_PAUSE_MS : PAUSE_MS);
}

find.addEventListener('input', look);
document.addEventListener('visibilitychange', () => {
  if (!document.hidden && byId('login').hidden) void look();
});
watchLogin(look);
watchSiteOrder();
watchTargets(look);
watchTraffic();
void look();
