// Rows that are kept from one answer to the next, so that what has the focus, or is selected, stays.

/**
 * @template T
 * @typedef {{ readonly node: HTMLElement, update(value: T): void }} Row
 */

/** @template T */
export class Rows {
  /** @type {Map<string, Row<T>>} */
  #rows = new Map();
  #parent;
  #keyOf;
  #make;

  /**
   * @param {HTMLElement} parent
   * @param {(value: T) => string} keyOf
   * @param {(value: T) => Row<T>} make
   */
  constructor(parent, keyOf, make) {
    this.#parent = parent;
    this.#keyOf = keyOf;
    this.#make = make;
  }

  /** @param {readonly T[]} values */
  show(values) {
    /** @type {Map<string, Row<T>>} */
    const rows = new Map();
    for (const value of values) {
      const key = this.#keyOf(value);
      const row = this.#rows.get(key) ?? this.#make(value);
      row.update(value);
      rows.set(key, row);
    }
    for (const [key, { node }] of this.#rows) if (!rows.has(key)) node.remove();
    this.#rows = rows;
    let place = this.#parent.firstElementChild;
    for (const { node } of rows.values()) {
      if (node === place) place = place.nextElementSibling;
      else this.#parent.insertBefore(node, place);
    }
  }
}
