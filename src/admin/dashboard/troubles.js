// What needs somebody: what is broken, since when, in whose words.
import { byId, element, setClass, setText } from './element.js';
import { Rows } from './rows.js';
import { duration, moment } from './wording.js';

/** @typedef {import('../troubles.ts').Trouble} Trouble */

const LABELS = { bad: 'broken', warning: 'warning', note: 'note' };

/** @typedef {{ readonly trouble: Trouble, readonly now: number }} Shown */

/** @type {Rows<Shown>} */
const rows = new Rows(
  byId('troubles'),
  ({ trouble: { about, subject, text } }) => `${about}\n${subject}\n${about === 'configuration' ? text : ''}`,
  () => {
    const [label, subject, text, since] = [
      element('span', 'label'),
      element('strong'),
      element('span'),
      element('span', 'quiet'),
    ];
    const [words, whose] = [element('q'), element('cite')];
    const quote = element('p', 'words', [words, document.createTextNode(' '), whose]);
    const node = element('li', '', [element('p', 'what', [label, subject, text, since]), quote]);
    return {
      node,
      update: ({ trouble, now }) => {
        setClass(node, trouble.severity);
        setText(label, LABELS[trouble.severity]);
        setText(subject, trouble.subject === '' ? trouble.about : trouble.subject);
        setText(text, trouble.text);
        setText(
          since,
          trouble.since === null ? '' : `since ${moment(trouble.since, now)}, ${duration(now - trouble.since)}`,
        );
        quote.hidden = trouble.words === null;
        setText(words, trouble.words ?? '');
        setText(whose, trouble.whose ?? '');
      },
    };
  },
);

/** @param {readonly Trouble[]} troubles @param {number} now */
export function showTroubles(troubles, now) {
  byId('attention').hidden = troubles.length === 0;
  rows.show(troubles.map((trouble) => ({ trouble, now })));
}
