// The table of targets, and the buttons that drain and enable them. Draining asks twice: it may leave a route without a target.
import { ask } from './ask.js';
import { byId, cell, element, rowHead, setClass, setText, tableRow } from './element.js';
import { Rows } from './rows.js';
import { duration, milliseconds, number } from './wording.js';

/** @typedef {import('../overview.ts').TargetOverview} TargetOverview */
/** @typedef {{ readonly target: TargetOverview, readonly now: number }} Shown */

/** How long the second press may take. */
const SURE_MS = 6_000;
const STATES = { ok: 'ok', failing: 'failing', drained: 'drained' };
const CLASSES = { ok: 'state ok', failing: 'state bad', drained: 'state note' };

/** Looks at the state again at once. */
let onChange = () => {};

/** @param {() => void} look */
export function watchTargets(look) {
  onChange = look;
}

/** @type {Rows<Shown>} */
const rows = new Rows(
  byId('targets'),
  ({ target }) => target.name,
  ({ target: { name } }) => {
    const head = rowHead('name');
    head.textContent = name;
    const state = cell('State');
    const [inflight, connections] = [cell('In flight', 'number'), cell('Connections', 'number')];
    const latencies = [cell('Half within', 'number'), cell('95 % within', 'number'), cell('99 % within', 'number')];
    const action = cell('', 'action');
    const button = switchFor(name);
    action.append(button.node);
    return {
      node: tableRow([head, state, inflight, connections, ...latencies, action]),
      update: ({ target, now }) => {
        const { failure, latency } = target;
        setText(
          state,
          failure === null ? STATES[target.state] : `${STATES[target.state]} for ${duration(now - failure.sinceAt)}`,
        );
        setClass(state, CLASSES[target.state]);
        setText(inflight, number(target.inflight));
        setText(connections, number(target.connections));
        const times = latency === null ? [null, null, null] : [latency.p50Ms, latency.p95Ms, latency.p99Ms];
        for (const [i, ms] of times.entries()) {
          const place = latencies[i];
          if (place) setText(place, ms === null ? '–' : milliseconds(ms));
        }
        button.update(target.drained);
      },
    };
  },
);

/** @param {string} name */
function switchFor(name) {
  const node = element('button');
  node.type = 'button';
  let isDrained = false;
  let isSure = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const word = () => {
    setText(node, isDrained ? 'Enable' : isSure ? 'Drain now?' : 'Drain');
    node.setAttribute('aria-label', `${node.textContent} ${name}`);
    setClass(node, isSure ? 'sure' : '');
  };
  const rest = () => {
    clearTimeout(timer);
    isSure = false;
    word();
  };
  const act = async () => {
    rest();
    const wanted = !isDrained;
    node.setAttribute('aria-disabled', 'true');
    try {
      await ask(wanted ? '/targets/drain' : '/targets/enable', { target: name });
      isDrained = wanted;
      setText(byId('told'), wanted ? `${name} is drained: it gets no new requests.` : `${name} gets requests again.`);
    } catch (error) {
      setText(byId('told'), `${name} stays as it is: ${error instanceof Error ? error.message : error}`);
    }
    node.removeAttribute('aria-disabled');
    word();
    onChange();
  };
  node.addEventListener('click', () => {
    if (node.hasAttribute('aria-disabled')) return;
    if (isDrained || isSure) void act();
    else {
      isSure = true;
      word();
      setText(byId('told'), `Press again to drain ${name}.`);
      timer = setTimeout(rest, SURE_MS);
    }
  });
  node.addEventListener('blur', () => {
    if (isSure) rest();
  });
  return {
    node,
    update: (/** @type {boolean} */ drained) => {
      if (node.hasAttribute('aria-disabled')) return;
      isDrained = drained;
      word();
    },
  };
}

/** @param {import('../overview.ts').Overview} overview */
export function showTargets({ targets, targetCount, at }) {
  rows.show(targets.map((target) => ({ target, now: at })));
  const more = targetCount - targets.length;
  setText(
    byId('targets-more'),
    targetCount === 0 ? 'None.' : more > 0 ? `And ${more} more: those in trouble and the busiest are shown.` : '',
  );
}
