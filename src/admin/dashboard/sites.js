// The table of sites: in the order of the configuration until somebody asks for another.
import { byId, cell, rowHead, setClass, setText, tableRow } from './element.js';
import { Rows } from './rows.js';
import { Spark } from './spark.js';
import { daysLeft, number, rateNow } from './wording.js';

/** @typedef {import('../overview.ts').SiteOverview} SiteOverview */
/** @typedef {import('../overview.ts').Overview} Overview */
/** @typedef {{ readonly site: SiteOverview, readonly rate: number, readonly stepMs: number, readonly now: number }} Shown */

const RANKS = { expired: 0, missing: 1, failing: 2, valid: 3 };
/** What is told of sites that are none. @type {Readonly<Record<string, string>>} */
const OTHERS = { '': 'no site: other hosts, malformed requests', onDemand: 'names on demand' };

/** @type {Readonly<Record<string, (a: Shown, b: Shown) => number>>} */
const ORDERS = {
  site: (a, b) => a.site.site.localeCompare(b.site.site),
  certificate: (a, b) => rank(a) - rank(b) || (a.site.certificate?.notAfter ?? 0) - (b.site.certificate?.notAfter ?? 0),
  rate: (a, b) => b.rate - a.rate || b.site.requests - a.site.requests,
  errors: (a, b) => b.site.errors - a.site.errors,
  inflight: (a, b) => b.site.inflight - a.site.inflight,
};

function rank(/** @type {Shown} */ { site: { certificate } }) {
  return certificate === null ? 4 : RANKS[certificate.state];
}

/** @type {string | null} */
let order = null;
/** @type {Overview | null} */
let latest = null;

/** @type {Rows<Shown>} */
const rows = new Rows(
  byId('sites'),
  ({ site }) => site.site,
  ({ site: { site } }) => {
    const name = rowHead('name');
    name.textContent = OTHERS[site] ?? site;
    if (site in OTHERS) name.classList.add('quiet');
    const certificate = cell('Certificate');
    const [rate, errors, inflight] = [
      cell('Requests/s', 'number'),
      cell('Errors, 5 min', 'number'),
      cell('In flight', 'number'),
    ];
    const graph = cell('Last 5 minutes', 'graph');
    const spark = new Spark();
    graph.append(spark.node);
    return {
      node: tableRow([name, certificate, rate, errors, inflight, graph]),
      update: ({ site: each, rate: perSecond, stepMs, now }) => {
        setText(certificate, certificateText(each, now));
        setClass(certificate, `state ${certificateClass(each)}`);
        setText(rate, number(perSecond));
        setText(errors, number(each.errors));
        setClass(errors, each.errors > 0 ? 'number bad' : 'number');
        setText(inflight, number(each.inflight));
        spark.show(each.requestSteps, each.errorSteps, stepMs);
      },
    };
  },
);

function certificateText(/** @type {SiteOverview} */ { certificate, site }, /** @type {number} */ now) {
  if (certificate === null) return site in OTHERS ? '' : 'not known yet';
  const { state, notAfter } = certificate;
  if (notAfter === null) return state;
  return state === 'failing' ? `renewal fails, ${daysLeft(notAfter, now)}` : daysLeft(notAfter, now);
}

function certificateClass(/** @type {SiteOverview} */ { certificate }) {
  if (certificate === null) return '';
  const { state, endsSoon } = certificate;
  if (endsSoon) return 'warning';
  return state === 'valid' ? 'ok' : state === 'failing' ? 'warning' : 'bad';
}

/** @param {Overview} overview */
export function showSites(overview) {
  latest = overview;
  const { sites, siteCount, traffic, at: now, certificates } = overview;
  const stepMs = traffic?.stepMs ?? 5_000;
  const shown = sites.map((site) => ({ site, rate: rateNow(site.requestSteps, stepMs), stepMs, now }));
  const compare = order === null ? null : ORDERS[order];
  if (compare) shown.sort(compare);
  rows.show(shown);
  const counts = Object.entries(certificates).filter(([, count]) => count > 0);
  setText(
    byId('certificates'),
    `certificates: ${counts.map(([state, count]) => `${count} ${state}`).join(', ') || 'none'}`,
  );
  const more = siteCount - sites.length;
  setText(
    byId('sites-more'),
    siteCount === 0
      ? 'None.'
      : more > 0
        ? `And ${more} more: those in trouble and the busiest are shown. Find others by name.`
        : '',
  );
}

export function watchSiteOrder() {
  for (const head of document.querySelectorAll('th[data-sort]')) {
    const wanted = head.getAttribute('data-sort');
    head.querySelector('button')?.addEventListener('click', () => {
      order = order === wanted ? null : wanted;
      for (const each of document.querySelectorAll('th[data-sort]')) {
        if (each.getAttribute('data-sort') === order)
          each.setAttribute('aria-sort', order === 'site' || order === 'certificate' ? 'ascending' : 'descending');
        else each.removeAttribute('aria-sort');
      }
      if (latest !== null) showSites(latest);
    });
  }
}
