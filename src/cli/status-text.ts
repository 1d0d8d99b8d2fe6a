// The state of a running process as text for people. Pure.

import type { ProcessStatus } from '../admin/process-status.ts';
import type { CertificateStatus } from '../certs/certificate-status.ts';
import { uriHost } from '../core/address.ts';
import { printable } from '../core/printable.ts';
import { formatDuration } from '../core/units.ts';
import { type TargetFailureReport, type TargetReport, targetState } from '../server/worker-report.ts';
import { inventoryText } from './certs/table.ts';

export interface StatusParts {
  readonly status: ProcessStatus;
  readonly certificates: readonly CertificateStatus[];
  readonly targets: readonly TargetReport[];
}

/** Nobody reads on. */
const MAX_ROWS = 50;
const LABEL = 13;

/** `columns`: the terminal's width. */
export function statusText({ status, certificates, targets }: StatusParts, now: number, columns: number): string {
  const { version, node, pid, state, uptimeMs, config, listeners, connections, sites, logLevel } = status;
  const lines = [
    row('process', `perantara ${version} on Node ${node}, pid ${pid}, ${state}, up ${formatDuration(uptimeMs)}`),
    row('file', `${printable(config.path)}, generation ${config.generation}, loaded ${ago(config.loadedAt, now)}`),
    ...reloadLines(status, now),
    row('sites', `${sites}`),
    row('listening', listeners.map(listenerText).join(', ') || 'nowhere'),
    row('connections', `${connections}`),
    ...workerLines(status, now),
    row('log level', logLevel),
    row('certificates', summary(certificates)),
  ];
  const bad = certificates.filter(({ state: each }) => each !== 'valid');
  const shown = { certificates: bad.slice(0, MAX_ROWS), orphans: [] };
  const table = bad.length === 0 ? '' : `\n${inventoryText(shown, now, columns)}${more(bad)}`;
  return `${lines.join('\n')}\n${table}${targetsText(targets, now)}`;
}

function row(label: string, text: string): string {
  return `${label.padEnd(LABEL)}${text}`;
}

/** One that is younger than the others has taken the place of another. */
function workerLines({ workers }: ProcessStatus, now: number): string[] {
  if (workers.length < 2) return [];
  return workers.map(({ pid, startedAt, connections }, i) =>
    row(
      i === 0 ? 'workers' : '',
      `pid ${pid}, up ${formatDuration(Math.max(0, now - startedAt))}, connections ${connections}`,
    ),
  );
}

/** Only a refusal is news: what runs is not what stands in the file. */
function reloadLines({ lastReload }: ProcessStatus, now: number): string[] {
  if (lastReload === null || lastReload.accepted) return [];
  return [row('', `last reload ${ago(lastReload.at, now)} was refused: ${printable(lastReload.message ?? '')}`)];
}

function listenerText({ protocol, address, port }: ProcessStatus['listeners'][number]): string {
  return `${protocol} ${uriHost(address)}:${port}`;
}

/** `12: 10 valid, 1 failing, 1 missing` */
function summary(certificates: readonly CertificateStatus[]): string {
  const counts = new Map<string, number>();
  for (const { state } of certificates) counts.set(state, (counts.get(state) ?? 0) + 1);
  const parts = ['valid', 'failing', 'missing', 'expired'].flatMap((state) =>
    counts.has(state) ? [`${counts.get(state)} ${state}`] : [],
  );
  return parts.length === 0 ? 'none' : parts.join(', ');
}

/** `3 requests failed since 2m ago, the last 5s ago: cannot connect …` */
function failureText({ count, sinceAt, lastAt, message }: TargetFailureReport, now: number): string {
  const last = `the last ${ago(lastAt, now)}: ${printable(message)}`;
  return count === 1 ? `1 request failed, ${last}` : `${count} requests failed since ${ago(sinceAt, now)}, ${last}`;
}

function targetsText(targets: readonly TargetReport[], now: number): string {
  if (targets.length === 0) return '';
  const rows = targets.slice(0, MAX_ROWS);
  const width = Math.max('TARGET'.length, ...rows.map(({ name }) => printable(name).length));
  const line = (name: string, state: string, inflight: string, connections: string): string =>
    `${name.padEnd(width)}  ${state.padEnd(7)}  ${inflight.padStart(9)}  ${connections.padStart(11)}\n`;
  let text = `\n${line('TARGET', 'STATE', 'IN FLIGHT', 'CONNECTIONS')}`;
  for (const target of rows) {
    const { name, inflight, connections, failure } = target;
    text += line(printable(name), targetState(target), `${inflight}`, `${connections}`);
    if (failure !== null) text += `  ${failureText(failure, now)}\n`;
  }
  return text + more(targets);
}

function more(list: readonly unknown[]): string {
  return list.length > MAX_ROWS ? `and ${list.length - MAX_ROWS} more: --json lists them all\n` : '';
}

function ago(at: number, now: number): string {
  return `${formatDuration(Math.max(0, now - at))} ago`;
}
