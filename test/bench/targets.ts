// What issues 3 and 5 ask of the figures: Perantara's over the peer's, in one run, on one core each.
import type { CaseName } from './cases.ts';
import type { ContestantName } from './contestants/contestant.ts';
import { type Figure, figureOf, type Results } from './results.ts';

interface Target {
  readonly case: CaseName;
  readonly figure: Figure;
  readonly wording: string;
  /** null: the limit is a figure, not a ratio. */
  readonly peer: ContestantName | null;
  readonly limit: number;
}

export const TARGETS: readonly Target[] = [
  { case: 'small', figure: 'cpuUs', wording: 'CPU, small responses', peer: 'haproxy', limit: 1 },
  { case: 'small', figure: 'cpuUs', wording: 'CPU, small responses', peer: 'nginx', limit: 1.2 },
  { case: 'small', figure: 'cpuUs', wording: 'CPU, small responses', peer: 'caddy', limit: 0.33 },
  { case: 'small', figure: 'cpuUs', wording: 'CPU, small responses', peer: 'http-proxy', limit: 0.2 },
  { case: '1m', figure: 'cpuUs', wording: 'CPU, 1 MiB responses', peer: 'nginx', limit: 1 },
  { case: 'handshake', figure: 'cpuUs', wording: 'CPU, full handshake', peer: 'nginx', limit: 1.2 },
  { case: 'h2-small', figure: 'cpuUs', wording: 'CPU, HTTP/2 small responses 16 × 16', peer: 'nginx', limit: 0.7 },
  { case: 'h2-small', figure: 'cpuUs', wording: 'CPU, HTTP/2 small responses 16 × 16', peer: 'haproxy', limit: 0.7 },
  { case: 'h2-small', figure: 'cpuUs', wording: 'CPU, HTTP/2 small responses 16 × 16', peer: 'caddy', limit: 0.15 },
  { case: 'h2-64x1', figure: 'cpuUs', wording: 'CPU, HTTP/2 small responses 64 × 1', peer: 'nginx', limit: 1.2 },
  { case: 'h2-1m', figure: 'cpuUs', wording: 'CPU, HTTP/2 1 MiB responses', peer: 'nginx', limit: 1 },
  { case: 'idle', figure: 'bytesPerConnection', wording: 'memory, idle TLS connection', peer: null, limit: 48 * 1024 },
  { case: 'half', figure: 'p99Us', wording: 'p99 at half of saturation', peer: 'caddy', limit: 1 },
];

export interface Verdict extends Target {
  /** Ratio of medians, or the median itself. */
  readonly value: number;
  readonly reached: boolean;
}

/** Of the targets whose figures were measured. */
export function judge(results: Results): readonly Verdict[] {
  return TARGETS.flatMap((target) => {
    const own = figureOf(results, target.case, 'perantara', target.figure);
    if (own === null) return [];
    const peer = target.peer === null ? null : figureOf(results, target.case, target.peer, target.figure);
    if (target.peer !== null && peer === null) return [];
    const value = peer === null ? own.median : own.median / peer.median;
    return [{ ...target, value, reached: value <= target.limit }];
  });
}
