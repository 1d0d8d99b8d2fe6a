// The elements of the page. Whatever is shown goes through `textContent`: it may come from strangers.

/** The element with this id, which the page has. @param {string} id @returns {HTMLElement} */
export function byId(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`no element ${id}`);
  return found;
}

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {string} [className]
 * @param {string | readonly Node[]} [content]
 * @returns {HTMLElementTagNameMap[K]}
 */
export function element(tag, className = '', content = '') {
  const made = document.createElement(tag);
  if (className !== '') made.className = className;
  if (typeof content === 'string') made.textContent = content;
  else made.append(...content);
  return made;
}

/** Touches the page only where something is another than before: whoever listens to changes hears only those. */
export function setText(/** @type {Element} */ target, /** @type {string} */ text) {
  if (target.textContent !== text) target.textContent = text;
}

export function setClass(/** @type {Element} */ target, /** @type {string} */ name) {
  if (target.className !== name) target.className = name;
}

/** A cell that says what it is where the head of its table is not shown. @param {string} label @param {string} [className] */
export function cell(label, className = '') {
  const made = element('td', className);
  made.setAttribute('role', 'cell');
  made.dataset.label = label;
  return made;
}

/** The cell that names its row. @param {string} [className] */
export function rowHead(className = '') {
  const made = element('th', className);
  made.setAttribute('role', 'rowheader');
  made.scope = 'row';
  return made;
}

/** @param {readonly Node[]} cells */
export function tableRow(cells) {
  const made = element('tr', '', cells);
  made.setAttribute('role', 'row');
  return made;
}
