// One exchange as a line of the combined log format, as nginx writes it: what every tool for web servers reads.
import { CLIENT_GONE } from '../http/downstream-fault.ts';
import type { ExchangeRecord } from '../http/exchange-record.ts';
import { quotedText } from './log-text.ts';
import type { Redaction } from './redaction.ts';

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

/** Makes the lines, each with its line end. `now`: when the exchange was over, in milliseconds since the epoch. */
export function combinedLines(redaction: Redaction): (record: ExchangeRecord, now: number) => string {
  const showReferer = redaction.field('referer');
  const showAgent = redaction.field('user-agent');
  let second = 0;
  let time = '';
  return (record, now) => {
    if (Math.floor(now / 1_000) !== second) {
      second = Math.floor(now / 1_000);
      time = localTime(new Date(now));
    }
    const { client, responseBytes, headers } = record;
    const referer = shown(headers?.get('referer'), showReferer);
    const agent = shown(headers?.get('user-agent'), showAgent);
    return `${client.address} - - [${time}] "${requestLine(record, redaction)}" ${statusOf(record)} ${responseBytes} "${referer}" "${agent}"\n`;
  };
}

/** As received; `-` where there was none. */
function requestLine({ method, target, version }: ExchangeRecord, redaction: Redaction): string {
  return method === '' ? '-' : quotedText(`${method} ${redaction.url(target)} HTTP/${version}`);
}

/** nginx's 499: the client left before there was a response; its 000: there was none. */
function statusOf({ status, outcome }: ExchangeRecord): string {
  if (status !== 0) return String(status);
  return outcome === CLIENT_GONE ? '499' : '000';
}

function shown(value: string | null | undefined, show: (value: string) => string): string {
  return value === null || value === undefined || value === '' ? '-' : quotedText(show(value));
}

/** `29/Nov/2026:04:05:06 +0100` */
function localTime(at: Date): string {
  const two = (number: number): string => String(number).padStart(2, '0');
  const zone = -at.getTimezoneOffset();
  const offset = `${zone < 0 ? '-' : '+'}${two(Math.floor(Math.abs(zone) / 60))}${two(Math.abs(zone) % 60)}`;
  const day = `${two(at.getDate())}/${MONTHS[at.getMonth()]}/${at.getFullYear()}`;
  return `${day}:${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())} ${offset}`;
}
