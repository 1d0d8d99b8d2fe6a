// Certificate statuses as a table for people. Pure.
import type { CertificateStatus } from '../../certs/inventory.ts';
import { printable } from '../../core/printable.ts';
import { formatDuration } from '../../core/units.ts';

const HEADER = ['NAME', 'SOURCE', 'STATE', 'ISSUER', 'EXPIRES', 'LEFT', 'NEXT RENEWAL'];
const SOURCES: Readonly<Record<CertificateStatus['source'], string>> = {
  acme: 'ACME',
  local: 'local',
  supplied: 'supplied',
};

/** One line per name in the order given, and below it the last error where there is one. */
export function certificateTable(statuses: readonly CertificateStatus[], now: number): string {
  const rows = statuses.map((status) => cells(status, now));
  const widths = HEADER.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
  const line = (row: readonly string[]): string =>
    `${row
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join('  ')
      .trimEnd()}\n`;
  let text = line(HEADER);
  for (const [i, status] of statuses.entries()) text += line(rows[i]!) + errorLines(status, now);
  return text;
}

function cells(status: CertificateStatus, now: number): string[] {
  const { notAfter, nextRenewalAt } = status;
  return [
    printable(status.name),
    SOURCES[status.source],
    status.state,
    printable(status.issuer ?? '-'),
    notAfter === null ? '-' : day(notAfter),
    notAfter === null ? '-' : notAfter <= now ? 'expired' : timeLeft(notAfter - now),
    renewal(status, nextRenewalAt, now),
  ];
}

function renewal(status: CertificateStatus, at: number | null, now: number): string {
  if (status.source === 'supplied') return 'by you';
  if (at === null) return '-';
  return at <= now ? 'due now' : `${day(at)} (in ${timeLeft(at - now)})`;
}

function errorLines(status: CertificateStatus, now: number): string {
  if (status.lastError === null) return '';
  const next = status.nextAttemptAt;
  const after = next === null ? '' : `; next attempt ${next <= now ? 'now' : `in ${timeLeft(next - now)}`}`;
  const ago = `${timeLeft(Math.max(0, now - status.lastError.at))} ago`;
  return `  last error ${ago}: ${printable(status.lastError.message)}${after}\n`;
}

/** Whole days while there are at least two of them. */
function timeLeft(ms: number): string {
  const days = Math.floor(ms / 86_400_000);
  return days >= 2 ? `${days} days` : formatDuration(ms);
}

function day(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}
