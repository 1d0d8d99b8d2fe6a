// What h2load prints about a load over HTTP/2 at its end, and whether that was the load we meant.
import { microseconds } from './outcome.ts';
import { GROUP, SUITE } from './secure-client.ts';

export interface Summary {
  /** By ALPN; empty when no connection was made. */
  readonly protocol: string;
  readonly suite: string;
  readonly group: string;
  readonly seconds: number;
  /** Responses that ended as they should, with a status below 400. */
  readonly succeeded: number;
  readonly failed: number;
  readonly errored: number;
  readonly timedOut: number;
  /** Responses with a status outside of 200 to 299. */
  readonly otherStatuses: number;
  /** DATA of all responses, even those that did not end. */
  readonly bodyBytes: number;
  /** null in versions that do not say. */
  readonly p50Us: number | null;
  readonly p99Us: number | null;
}

/** Throws with all of `output` when there is no summary in it. */
export function readSummary(output: string): Summary {
  const find = (pattern: RegExp): readonly string[] => {
    const found = pattern.exec(output);
    if (found === null) throw new Error(`cannot read what h2load says: no ${pattern.source} in: ${output}`);
    return found;
  };
  const text = (name: string): string => new RegExp(`^${name}: (\\S+)`, 'm').exec(output)?.[1] ?? '';
  const [, took, unit] = find(/^finished in ([\d.]+)(us|ms|s|m)/m);
  const [, succeeded, failed, errored, timedOut] = find(
    /^requests: .* (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout/m,
  ).map(Number);
  const [, ...others] = find(/^status codes: \d+ 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx/m).map(Number);
  const [, bodyBytes] = find(/^traffic: .* \((\d+)\) data/m);
  return {
    protocol: text('Application protocol'),
    suite: text('Cipher'),
    group: text('Server Temp Key'),
    seconds: microseconds(took!, unit!) / 1_000_000,
    succeeded: succeeded!,
    failed: failed!,
    errored: errored!,
    timedOut: timedOut!,
    otherStatuses: others.reduce((sum, count) => sum + count, 0),
    bodyBytes: Number(bodyBytes),
    ...latencies(output),
  };
}

export interface Meant {
  /** Of one response's body. */
  readonly bytes: number;
  /** So many responses can have been under way when the time was over. */
  readonly atOnce: number;
}

/** What was not as it should have been, in words. */
export function judgeSummary(summary: Summary, { bytes, atOnce }: Meant): string[] {
  const { protocol, suite, group, succeeded, failed, errored, timedOut, otherStatuses, bodyBytes } = summary;
  const wrong: string[] = [];
  if (protocol !== 'h2') wrong.push(`"${protocol}" was spoken instead of h2`);
  if (suite !== SUITE || group !== GROUP) wrong.push(`encrypted with ${suite} and ${group}`);
  if (failed + errored + timedOut > 0) wrong.push(`${failed} failed, ${errored} errored, ${timedOut} timed out`);
  if (otherStatuses > 0) wrong.push(`${otherStatuses} responses other than 2xx`);
  if (bodyBytes < succeeded * bytes || bodyBytes > (succeeded + atOnce) * bytes)
    wrong.push(`${bodyBytes} bytes in ${succeeded} responses of ${bytes}`);
  return wrong;
}

/** The columns of a table that had fewer of them in older versions. */
function latencies(output: string): Pick<Summary, 'p50Us' | 'p99Us'> {
  const names = /^ +min +max .*$/m.exec(output)?.[0].trim().split(/ {2,}/) ?? [];
  const values = /^request +: +(.*)$/m.exec(output)?.[1]?.trim().split(/ +/) ?? [];
  const read = (name: string): number | null => {
    const found = /^([\d.]+)(us|ms|s|m)$/.exec(values[names.indexOf(name)] ?? '');
    return found === null ? null : microseconds(found[1]!, found[2]!);
  };
  return { p50Us: read('median'), p99Us: read('p99') };
}
