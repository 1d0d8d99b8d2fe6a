// A line for requests and bars for errors, as small as a word.

const SVG = 'http://www.w3.org/2000/svg';
const HEIGHT = 20;

export class Spark {
  node = document.createElementNS(SVG, 'svg');
  #line = document.createElementNS(SVG, 'path');
  #bars = document.createElementNS(SVG, 'path');

  constructor() {
    this.node.setAttribute('class', 'spark');
    this.node.setAttribute('role', 'img');
    this.node.setAttribute('preserveAspectRatio', 'none');
    this.#line.setAttribute('class', 'spark-line');
    this.#bars.setAttribute('class', 'spark-errors');
    this.node.append(this.#bars, this.#line);
  }

  /**
   * The step under way is left out: it is not whole.
   * @param {readonly number[] | null} requests
   * @param {readonly number[] | null} errors
   * @param {number} stepMs
   */
  show(requests, errors, stepMs) {
    const [line, bars] = [requests?.slice(0, -1) ?? [], errors?.slice(0, -1) ?? []];
    const highest = Math.max(1, ...line);
    const y = (/** @type {number} */ value) => (HEIGHT - 1 - (value / highest) * (HEIGHT - 2)).toFixed(1);
    this.node.setAttribute('viewBox', `0 0 ${Math.max(1, line.length - 1)} ${HEIGHT}`);
    this.#line.setAttribute('d', line.map((value, i) => `${i === 0 ? 'M' : 'L'}${i} ${y(value)}`).join(''));
    this.#bars.setAttribute('d', bars.map((value, i) => (value === 0 ? '' : `M${i} ${HEIGHT}V${y(value)}`)).join(''));
    const failed = (errors ?? []).reduce((sum, each) => sum + each, 0);
    const peak = ((highest / stepMs) * 1_000).toFixed(1);
    this.node.setAttribute(
      'aria-label',
      requests === null ? 'no requests' : `at most ${peak} requests a second, ${failed} errors`,
    );
  }
}
