// The last errors, each in the words of whoever made it.
import { byId, cell, setText, tableRow } from './element.js';
import { Rows } from './rows.js';
import { moment, number } from './wording.js';

/** @typedef {import('../../observe/traffic/recent-errors.ts').RecentError} RecentError */
/** @typedef {{ readonly error: RecentError, readonly now: number }} Shown */

/** @type {Rows<Shown>} */
const rows = new Rows(
  byId('errors'),
  ({ error: { site, route, target, code, message } }) => [site, route, target, code, message].join('\n'),
  () => {
    const [last, count] = [cell('Last'), cell('Times', 'number')];
    const [place, target, words] = [
      cell('Site and route', 'name'),
      cell('Target', 'name'),
      cell('In its words', 'words'),
    ];
    return {
      node: tableRow([last, count, place, target, words]),
      update: ({ error, now }) => {
        setText(last, moment(error.lastAt, now));
        setText(count, error.count === 1 ? '1' : `${number(error.count)} since ${moment(error.firstAt, now)}`);
        setText(place, `${error.site ?? 'no site'} ${error.route ?? ''}`.trimEnd());
        setText(target, error.target ?? '–');
        setText(words, error.message);
        words.title = error.code;
      },
    };
  },
);

/** @param {import('../overview.ts').Overview} overview */
export function showErrors({ errors, at }) {
  rows.show(errors.map((error) => ({ error, now: at })));
  setText(byId('errors-more'), errors.length === 0 ? 'None since the process started.' : '');
}
