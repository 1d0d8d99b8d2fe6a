// The top of the page: the verdict, whether the process still answers, and which configuration is in force.
import { byId, setClass, setText } from './element.js';
import { duration, moment } from './wording.js';

/** @typedef {import('../overview.ts').Overview} Overview */

/** @param {Overview} overview */
export function showHead({ status, troubles, at }) {
  const needs = troubles.filter(({ severity }) => severity !== 'note').length;
  const verdict =
    needs === 0 ? 'All is well' : needs === 1 ? '1 thing needs somebody' : `${needs} things need somebody`;
  setText(byId('verdict'), verdict);
  document.title = needs === 0 ? 'Perantara' : `(${needs}) Perantara`;
  setClass(
    byId('verdict'),
    needs === 0 ? 'well' : troubles.some(({ severity }) => severity === 'bad') ? 'bad' : 'warning',
  );
  const { config, lastReload, state, uptimeMs } = status;
  const reload =
    lastReload === null
      ? ''
      : `, last reload ${lastReload.accepted ? 'accepted' : 'refused'} at ${moment(lastReload.at, at)}`;
  setText(
    byId('facts'),
    `${state} for ${duration(uptimeMs)} · configuration ${config.generation}, in force since ${moment(config.loadedAt, at)}${reload}`,
  );
}

/** @param {Overview} overview */
export function showAbout({ status }) {
  const { version, node, pid, config, listeners, connections, workers, logLevel } = status;
  const places = listeners.map(
    ({ protocol, address, port }) => `${protocol} ${address.includes(':') ? `[${address}]` : address}:${port}`,
  );
  const processes = workers.length === 1 ? '1 worker' : `${workers.length} workers`;
  setText(
    byId('about'),
    `Perantara ${version} on Node ${node}, pid ${pid}, ${processes} · ${config.path} · listening on ${places.join(', ') || 'nothing'} · ` +
      `${connections} connections of clients · log level ${logLevel}`,
  );
}

/** `answeredAt`: when the last answer came, by this machine's clock; null: none yet. @param {number | null} answeredAt */
export function showLive(answeredAt) {
  setText(byId('link'), 'live');
  setClass(byId('link'), 'link live');
  document.body.classList.toggle('stale', answeredAt === null);
}

/** @param {number | null} answeredAt @param {string} why */
export function showGone(answeredAt, why) {
  const since = answeredAt === null ? '' : ` for ${duration(Date.now() - answeredAt)}`;
  setText(byId('link'), `no answer${since}`);
  setClass(byId('link'), 'link gone');
  setText(byId('verdict'), 'The process does not answer');
  setClass(byId('verdict'), 'bad');
  setText(byId('facts'), `${why}. What is below is what was known last. Asked again every other second.`);
  document.title = '(gone) Perantara';
  document.body.classList.add('stale');
}
