// The inventory as text for people: one row a certificate that fits the terminal, and under it what needs a sentence. Pure.
import type { CertificateStatus } from '../../certs/certificate-status.ts';
import type { Inventory } from '../../certs/inventory.ts';
import { printable } from '../../core/printable.ts';
import { formatDuration } from '../../core/units.ts';

const HEADER = ['NAME', 'STATE', 'EXPIRES', 'LEFT', 'NEXT STEP'];
const GAP = '  ';

const WAITS_FOR: Readonly<Record<'authority' | 'budget' | 'retry', string>> = {
  authority: 'the authority asked to wait',
  budget: "the authority's limits are used up until then",
  retry: 'after a failure',
};

/** `columns`: the terminal's width; long names and sentences take lines of their own. */
export function inventoryText({ certificates, orphans }: Inventory, now: number, columns: number): string {
  const rows = certificates.map((status) => cells(status, now));
  const widths = HEADER.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
  const others = widths.slice(1).reduce((sum, width) => sum + width + GAP.length, 0);
  widths[0] = Math.min(widths[0]!, Math.max(12, columns - others));
  let text = rowText(HEADER, widths);
  for (const [i, status] of certificates.entries()) {
    text += rowText(rows[i]!, widths);
    for (const sentence of sentences(status, now)) text += wrapped(sentence, columns);
  }
  if (orphans.length > 0) text += '\nNo longer configured, not renewed, removed a month after they expired:\n';
  for (const { folder, since } of orphans)
    text += wrapped(`${printable(folder)}${since === null ? '' : `, since ${day(since)}`}`, columns);
  return text;
}

function rowText([name, ...others]: readonly string[], [width, ...widths]: readonly number[]): string {
  const rest = others.map((cell, i) => cell.padEnd(widths[i]!)).join(GAP);
  const fits = name!.length <= width!;
  return `${fits ? '' : `${name}\n`}${(fits ? name! : '').padEnd(width!)}${GAP}${rest}`.trimEnd().concat('\n');
}

function cells(status: CertificateStatus, now: number): string[] {
  const { notAfter, names } = status;
  const more = names.length > 1 ? ` +${names.length - 1}` : '';
  return [
    printable(status.name) + more,
    status.state,
    notAfter === null ? '-' : day(notAfter),
    notAfter === null ? '-' : notAfter <= now ? '-' : `${timeLeft(notAfter - now)} ${percent(status)}`,
    nextStep(status, now),
  ];
}

function percent({ leftRatio }: CertificateStatus): string {
  return leftRatio === null ? '' : `(${Math.round(leftRatio * 100)} %)`;
}

function nextStep({ next, source }: CertificateStatus, now: number): string {
  if (next === null) return source === 'supplied' ? 'by you' : '-';
  return next.at <= now ? `${next.step} now` : `${next.step} in ${timeLeft(next.at - now)}`;
}

function sentences(status: CertificateStatus, now: number): string[] {
  const { names, next, lastError, nextAttemptAt, window, requestedAt } = status;
  const lines = [facts(status)];
  if (names.length > 1) lines.push(`also for: ${names.slice(1).map(printable).join(', ')}`);
  if (next !== null) {
    const wait = next.waitsFor === null ? '' : `, waits: ${WAITS_FOR[next.waitsFor]}`;
    const use = status.onDemand && next.reason !== 'missing' ? ', once somebody uses it' : '';
    const about = next.reason === 'window' && window !== null ? ` ${day(window.start)} to ${day(window.end)}` : '';
    lines.push(`why: ${next.reason}${about}${use}${wait}`);
  }
  if (requestedAt !== null) lines.push(`a new one was asked for ${ago(requestedAt, now)}`);
  if (window?.explanationUrl != null) lines.push(`the authority explains: ${printable(window.explanationUrl)}`);
  if (lastError !== null) {
    const again =
      nextAttemptAt === null
        ? ''
        : `; next attempt ${nextAttemptAt <= now ? 'now' : `in ${timeLeft(nextAttemptAt - now)}`}`;
    lines.push(`last error ${ago(lastError.at, now)}: ${printable(lastError.message)}${again}`);
  }
  const used = status.budget.filter(({ left, of }) => left < of);
  if (used.length > 0)
    lines.push(`budget left: ${used.map(({ limit, left, of }) => `${left} of ${of} ${printable(limit)}`).join(', ')}`);
  return lines;
}

/** Who certified it and how: `Let's Encrypt E7, http-01, profile classic, p256`. */
function facts({ issuer, authority, challenge, profile, keyType, source, onDemand }: CertificateStatus): string {
  const by = issuer === null ? `from ${authority ?? 'nobody'}` : issuer;
  const parts = [
    by,
    source === 'supplied' ? 'supplied' : challenge,
    profile === null ? null : `profile ${profile}`,
    keyType,
    onDemand ? 'on demand' : null,
  ];
  return parts
    .filter((part) => part !== null)
    .map(printable)
    .join(', ');
}

/** Under a row, indented, broken between words at the terminal's edge; a word that is longer stays whole. */
function wrapped(sentence: string, columns: number): string {
  let text = '';
  let line = ' ';
  for (const word of sentence.split(' ')) {
    if (line.trim() !== '' && line.length + 1 + word.length > columns) {
      text += `${line}\n`;
      line = '   ';
    }
    line += ` ${word}`;
  }
  return `${text}${line}\n`;
}

function ago(at: number, now: number): string {
  return `${timeLeft(Math.max(0, now - at))} ago`;
}

/** Whole days while there are at least two of them. */
function timeLeft(ms: number): string {
  const days = Math.floor(ms / 86_400_000);
  return days >= 2 ? `${days} days` : formatDuration(ms);
}

/** Whatever a damaged file says of it. */
function day(at: number): string {
  if (!(Math.abs(at) <= 8.64e15)) return 'an unknown day';
  return new Date(at).toISOString().slice(0, 10);
}
