// The overview of a running process as lines of a terminal. Pure.
import type { Overview, SiteOverview, TargetOverview } from '../admin/overview.ts';
import type { Trouble } from '../admin/troubles.ts';
import { printable } from '../core/printable.ts';
import { formatDuration } from '../core/units.ts';
import { latestSteps, sum } from '../observe/traffic/traffic-report.ts';

export type Colour = 'plain' | 'bold' | 'dim' | 'bad' | 'warning' | 'good';

export interface Line {
  readonly text: string;
  readonly colour: Colour;
}

export const ORDERS = ['requests', 'errors', 'in flight', 'certificate', 'name'] as const;
export type Order = (typeof ORDERS)[number];

export interface TopText {
  /** Stays where it is. */
  readonly head: readonly Line[];
  /** Can be scrolled. */
  readonly body: readonly Line[];
}

const MAX_TROUBLES = 5;
const DAY_MS = 86_400_000;
const DEFAULT_STEP_MS = 5_000;
const BARS = '▁▂▃▄▅▆▇█';
const SPARK = 30;
const LABELS = { bad: 'broken ', warning: 'warning', note: 'note   ' } as const;
const STATE_ORDER = ['expired', 'missing', 'failing', 'valid'];

export function topText(overview: Overview, order: Order): TopText {
  return { head: headLines(overview), body: [...siteLines(overview, order), plain(''), ...targetLines(overview)] };
}

function plain(text: string): Line {
  return { text, colour: 'plain' };
}

function headLines({ status, traffic, troubles, at, inflight }: Overview): Line[] {
  const { version, state, uptimeMs, config, connections } = status;
  const time = new Date(at).toISOString().slice(11, 19);
  const stepMs = traffic?.stepMs ?? DEFAULT_STEP_MS;
  const rates = [
    `${number(rateOf(traffic?.requestSteps ?? null, stepMs))} requests/s`,
    `${number(rateOf(traffic?.errorSteps ?? null, stepMs))} errors/s`,
    `${inflight} in flight`,
    `${connections} connections`,
  ];
  const needs = troubles.filter(({ severity }) => severity !== 'note').length;
  const verdict = needs === 0 ? 'all is well' : `${needs} ${needs === 1 ? 'thing needs' : 'things need'} somebody`;
  const isBad = troubles.some(({ severity }) => severity === 'bad');
  return [
    plain(
      `perantara ${version}  ${state} for ${formatDuration(uptimeMs)}  configuration ${config.generation}  ${time} UTC`,
    ),
    plain(rates.join('  ')),
    { text: verdict, colour: needs === 0 ? 'good' : isBad ? 'bad' : 'warning' },
    ...troubles.slice(0, MAX_TROUBLES).map((trouble) => troubleLine(trouble, at)),
    ...(troubles.length > MAX_TROUBLES
      ? [plain(`  and ${troubles.length - MAX_TROUBLES} more: perantara status`)]
      : []),
    plain(''),
  ];
}

function troubleLine({ severity, subject, about, text, since, words }: Trouble, now: number): Line {
  const age = since === null ? '' : `, since ${formatDuration(Math.max(0, now - since))}`;
  const said = words === null ? '' : `: ${words}`;
  const line = printable(`${LABELS[severity]} ${subject === '' ? about : subject}  ${text}${age}${said}`);
  return { text: `  ${line}`, colour: severity === 'note' ? 'dim' : severity };
}

function siteLines({ sites, siteCount, traffic, at }: Overview, order: Order): Line[] {
  const stepMs = traffic?.stepMs ?? DEFAULT_STEP_MS;
  const sorted = [...sites].sort(byOrder(order));
  const rows = sorted.map((site) => ({
    cells: [
      nameOf(site),
      certificateText(site, at),
      number(rateOf(site.requestSteps, stepMs)),
      number(rateOf(site.errorSteps, stepMs)),
      `${site.errors}`,
      `${site.inflight}`,
      spark(site.requestSteps),
    ],
    colour: siteColour(site),
  }));
  const titles = ['SITE', 'CERTIFICATE', 'REQ/S', 'ERR/S', 'ERRORS 5M', 'IN FLIGHT', 'LAST 5 MINUTES'];
  return [...tableLines(titles, rows, [2, 3, 4, 5]), ...moreLine(siteCount - sites.length)];
}

function targetLines({ targets, targetCount, at }: Overview): Line[] {
  const rows = targets.map((target) => ({ cells: targetCells(target, at), colour: targetColour(target) }));
  const titles = ['TARGET', 'STATE', 'IN FLIGHT', 'CONNECTIONS', '50 %', '95 %', '99 %'];
  return [...tableLines(titles, rows, [2, 3, 4, 5, 6]), ...moreLine(targetCount - targets.length)];
}

function targetCells({ name, state, failure, inflight, connections, latency }: TargetOverview, now: number): string[] {
  const since = failure === null ? '' : ` ${formatDuration(Math.max(0, now - failure.sinceAt))}`;
  const times = latency === null ? ['-', '-', '-'] : [latency.p50Ms, latency.p95Ms, latency.p99Ms].map(milliseconds);
  return [printable(name), state + since, `${inflight}`, `${connections}`, ...times];
}

interface Row {
  readonly cells: readonly string[];
  readonly colour: Colour;
}

/** `right`: columns of numbers. */
function tableLines(titles: readonly string[], rows: readonly Row[], right: readonly number[]): Line[] {
  const widths = titles.map((title, i) => Math.max(title.length, ...rows.map(({ cells }) => cells[i]!.length)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => (right.includes(i) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd();
  return [{ text: line(titles), colour: 'dim' }, ...rows.map(({ cells, colour }) => ({ text: line(cells), colour }))];
}

function moreLine(count: number): Line[] {
  return count > 0 ? [{ text: `and ${count} more`, colour: 'dim' }] : [];
}

function nameOf({ site }: SiteOverview): string {
  if (site === '') return '(no site)';
  return site === 'onDemand' ? '(names on demand)' : printable(site);
}

function certificateText({ certificate }: SiteOverview, now: number): string {
  if (certificate === null) return '-';
  const { state, notAfter } = certificate;
  if (notAfter === null) return state;
  const left = notAfter - now;
  const days = left >= 2 * DAY_MS ? `${Math.floor(left / DAY_MS)} days` : formatDuration(Math.max(0, left));
  return state === 'valid' ? days : `${state}, ${left <= 0 ? 'expired' : days}`;
}

function siteColour({ certificate, errors }: SiteOverview): Colour {
  if (certificate !== null && (certificate.state === 'expired' || certificate.state === 'missing')) return 'bad';
  if (errors > 0) return 'bad';
  return certificate?.state === 'failing' || certificate?.endsSoon === true ? 'warning' : 'plain';
}

function targetColour({ state }: TargetOverview): Colour {
  return state === 'failing' ? 'bad' : state === 'drained' ? 'dim' : 'plain';
}

function byOrder(order: Order): (a: SiteOverview, b: SiteOverview) => number {
  const rank = ({ certificate }: SiteOverview): number =>
    certificate === null ? STATE_ORDER.length : STATE_ORDER.indexOf(certificate.state);
  switch (order) {
    case 'requests':
      return (a, b) => recent(b.requestSteps) - recent(a.requestSteps) || b.requests - a.requests;
    case 'errors':
      return (a, b) => b.errors - a.errors;
    case 'in flight':
      return (a, b) => b.inflight - a.inflight;
    case 'certificate':
      return (a, b) => rank(a) - rank(b) || (a.certificate?.notAfter ?? 0) - (b.certificate?.notAfter ?? 0);
    case 'name':
      return (a, b) => nameOf(a).localeCompare(nameOf(b));
  }
}

function recent(steps: readonly number[] | null): number {
  return steps === null ? 0 : sum(latestSteps(steps, 2));
}

/** Per second, over the last ten seconds that are whole. */
function rateOf(steps: readonly number[] | null, stepMs: number): number {
  return (recent(steps) / (2 * stepMs)) * 1_000;
}

function number(value: number): string {
  return value > 0 && value < 10 ? value.toFixed(1) : `${Math.round(value)}`;
}

function milliseconds(ms: number): string {
  return ms < 1_000 ? `${number(ms)} ms` : `${number(ms / 1_000)} s`;
}

/** Two steps a character. */
function spark(steps: readonly number[] | null): string {
  if (steps === null) return '';
  const whole = latestSteps(steps, SPARK * 2);
  const pairs = Array.from(
    { length: Math.ceil(whole.length / 2) },
    (_, i) => whole[i * 2]! + (whole[i * 2 + 1] ?? whole[i * 2]!),
  );
  const highest = Math.max(1, ...pairs);
  return pairs.map((count) => (count === 0 ? ' ' : BARS[Math.min(7, Math.floor((count / highest) * 7.999))]!)).join('');
}
