// What a new configuration changes, for the operator; and what of it a running process cannot follow.
import { isDeepStrictEqual } from 'node:util';
import type { Config } from '../config/config.ts';
import type { ReloadChanges } from './reload-result.ts';

/** Sites by host. One is changed when it forwards elsewhere, or its TLS is other; where it stands in the file does not matter. */
export function siteChanges(
  before: Config,
  after: Config,
): Pick<ReloadChanges, 'sitesAdded' | 'sitesRemoved' | 'sitesChanged'> {
  const known = new Map(before.sites.map((site) => [site.host, site]));
  const sitesAdded: string[] = [];
  const sitesChanged: string[] = [];
  for (const { host, tls, routes } of after.sites) {
    const last = known.get(host);
    known.delete(host);
    if (last === undefined) sitesAdded.push(host);
    else if (!isDeepStrictEqual([last.tls, last.routes], [tls, routes])) sitesChanged.push(host);
  }
  return { sitesAdded, sitesRemoved: [...known.keys()], sitesChanged };
}

/** Why a process that serves `before` cannot go on with `after`, or null. */
export function obstacleTo(before: Config, after: Config): string | null {
  if (before.storage !== after.storage)
    return `cannot use the new configuration: "storage" is "${before.storage}" as long as this process runs, not "${after.storage}"; restart it`;
  if (before.user?.uid !== after.user?.uid || before.user?.gid !== after.user?.gid)
    return 'cannot use the new configuration: "user" and "group" cannot change while this process runs; restart it';
  if (before.workers !== after.workers)
    return 'cannot use the new configuration: "workers" cannot change while this process runs; restart it';
  return null;
}
