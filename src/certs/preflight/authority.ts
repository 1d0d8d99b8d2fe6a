// The authority's directory as it answers now: reachable, trusted, its demands met; and the clock here beside its own.
import { formatDuration } from '../../core/units.ts';
import { type Finding, finding } from './finding.ts';

export interface DirectoryFacts {
  /** For people: host and port. */
  readonly name: string;
  readonly answer:
    | {
        readonly kind: 'answered';
        /** Its Date field less our clock, milliseconds; null without one. */
        readonly aheadMs: number | null;
        /** `meta.caaIdentities` (RFC 8555 section 7.1.1), or null. */
        readonly caaIdentities: readonly string[] | null;
        readonly needsBinding: boolean;
        /** `meta.profiles`, or null. */
        readonly profiles: readonly string[] | null;
      }
    | { readonly kind: 'failed'; readonly reason: string };
  /** Whether an external account binding is configured. */
  readonly hasBinding: boolean;
  readonly profile: { readonly name: string; readonly required: boolean } | null;
}

/** Beyond the first, logs and renewals are off; beyond the second, new certificates seem not to be valid yet, or no longer. */
const CLOCK_MS = { warning: 60_000, problem: 3_600_000 } as const;

export function judgeDirectory({ name, answer, hasBinding, profile }: DirectoryFacts): readonly Finding[] {
  if (answer.kind === 'failed')
    return [
      finding(
        'directory',
        'problem',
        `${name} does not answer as an authority: ${answer.reason}`,
        'look at the address in "acme", at the firewall for outgoing connections, and at "trust" for a private authority',
      ),
    ];
  const { needsBinding, profiles } = answer;
  const judged = [
    needsBinding && !hasBinding
      ? finding('directory', 'problem', `${name} wants an external account binding`, 'set "eab" beside its directory')
      : finding('directory', 'ok', `${name} answers`),
  ];
  if (profile !== null && profiles?.includes(profile.name) !== true)
    judged.push(
      finding(
        'directory',
        profile.required ? 'problem' : 'warning',
        `${name} does not offer the profile "${profile.name}"`,
        profiles === null ? 'leave the profile out: it offers none' : `it offers ${profiles.join(', ')}`,
      ),
    );
  return judged;
}

/** By the first authority that tells the time. */
export function judgeClock(directories: readonly DirectoryFacts[]): Finding {
  for (const { name, answer } of directories) {
    if (answer.kind !== 'answered' || answer.aheadMs === null) continue;
    const off = Math.abs(answer.aheadMs);
    if (off <= CLOCK_MS.warning) return finding('clock', 'ok', `the clock agrees with that of ${name}`);
    const found = `the clock is ${formatDuration(off)} ${answer.aheadMs > 0 ? 'behind' : 'ahead of'} that of ${name}`;
    return finding('clock', off > CLOCK_MS.problem ? 'problem' : 'warning', found, 'set it, and keep it right by NTP');
  }
  return finding('clock', 'unknown', 'no authority told the time', null);
}
