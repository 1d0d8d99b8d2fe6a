// What one hostile input over HTTP/2 led to, on both sides of a proxy.
import type { Code } from '../../support/h2-frames.ts';
import type { H2Message } from '../../support/h2-message.ts';
import type { Observation } from '../observation.ts';

export interface H2Observation
  extends Pick<Observation, 'requests' | 'leftover' | 'upstream' | 'alive' | 'aliveGot' | 'died'> {
  /** By stream, as H2Expectation says it: those that are expected to be answered, and stream 1. */
  readonly streams: Readonly<Record<number, string>>;
  /** What the further request got on the connection when that was not its own answer. */
  readonly nextGot: string;
  /** Whether the case got to its end within patience. */
  readonly wasSent: boolean;
  /** What came on a stream. */
  message(stream: number): H2Message;
  readonly goaway: Code | `0x${string}` | null;
  /** kept: a further request on the connection got its own answer. open: neither that nor closed, within patience. */
  readonly end: 'kept' | 'closed' | 'open';
  /** What the proxy did against the RFC in frames of its own. */
  readonly complaints: readonly string[];
}

/** A status, the code of RST_STREAM, both, or ''. */
export function outcomeOf(message: H2Message): string {
  const { fields, ended, reset } = message;
  const head = message.value(':status') ?? '';
  if (reset !== null && !ended) return `${head} ${reset}`.trim();
  return fields === null || ended ? head : `${head} unended`;
}
