// The figures of all traffic, and its chart (uPlot).
import { byId, element, setText } from './element.js';
import { number, rateNow } from './wording.js';

/** @typedef {import('../overview.ts').Overview} Overview */

const HEIGHT = 180;
const FIGURES = ['Requests/s', 'Errors/s', 'In flight', 'Connections'];

const figures = FIGURES.map((name) => {
  const value = element('dd', '', '–');
  byId('figures').append(element('div', '', [element('dt', '', name), value]));
  return value;
});

/** @type {import('uplot') | null} */
let chart = null;
/** @type {[number[], number[], number[]]} */
let data = [[], [], []];

/** @param {Overview} overview */
export function showTraffic({ traffic, status, inflight }) {
  if (traffic === null) return;
  const { stepMs, stepAt, requestSteps, errorSteps } = traffic;
  const values = [rateNow(requestSteps, stepMs), rateNow(errorSteps, stepMs), inflight, status.connections];
  for (const [i, value] of values.entries()) {
    const place = figures[i];
    if (place) setText(place, number(value));
  }
  const perSecond = (/** @type {number} */ count) => (count / stepMs) * 1_000;
  const [requests, errors] = [requestSteps.slice(0, -1).map(perSecond), errorSteps.slice(0, -1).map(perSecond)];
  const times = requests.map((_, i) => (stepAt - (requests.length - i) * stepMs) / 1_000);
  data = [times, requests, errors];
  byId('chart').setAttribute(
    'aria-label',
    `Requests a second over five minutes: ${number(values[0] ?? 0)} now, ${number(Math.max(0, ...requests))} at most; ` +
      `errors a second: ${number(values[1] ?? 0)} now, ${number(Math.max(0, ...errors))} at most`,
  );
  if (chart === null) draw();
  else chart.setData(data);
}

/** Anew: colours are not followed by a canvas. */
function draw() {
  const host = byId('chart');
  const style = getComputedStyle(host);
  const colour = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
  const axis = {
    stroke: colour('--quiet'),
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
    font: '12px system-ui',
  };
  const { uPlot } = /** @type {{ uPlot: typeof import('uplot') }} */ (/** @type {unknown} */ (globalThis));
  chart?.destroy();
  chart = new uPlot(
    {
      width: host.clientWidth,
      height: HEIGHT,
      padding: [null, 26, null, null],
      legend: { live: true },
      cursor: { drag: { x: false, y: false } },
      scales: { y: { range: (_chart, _least, most) => [0, Math.max(1, most * 1.1)] } },
      axes: [
        { ...axis, values: [[1, '{HH}:{mm}:{ss}', null, null, null, null, null, null, 1]], space: 70, size: 28 },
        { ...axis, size: 44 },
      ],
      series: [
        { label: 'Time', value: '{HH}:{mm}:{ss}' },
        {
          label: 'Requests/s',
          stroke: colour('--accent'),
          fill: colour('--accent-soft'),
          width: 1.5,
          points: { show: false },
          value: shown,
        },
        { label: 'Errors/s', stroke: colour('--bad'), width: 1.5, points: { show: false }, value: shown },
      ],
    },
    data,
    host,
  );
}

function shown(/** @type {unknown} */ _chart, /** @type {number | null} */ value) {
  return value === null ? '–' : number(value);
}

export function watchTraffic() {
  const redraw = () => {
    if (chart !== null) draw();
  };
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
  new ResizeObserver(([entry]) => {
    if (chart !== null && entry && Math.abs(entry.contentRect.width - chart.width) >= 1)
      chart.setSize({ width: Math.floor(entry.contentRect.width), height: HEIGHT });
  }).observe(byId('chart'));
}
