// One hostile input as data: what is sent, how the origin behaves, and what Perantara makes of it on both sides.

import type { Peer } from '../support/peer.ts';
import type { ReceivedMessage } from '../support/raw-message.ts';
import type { Observation } from './observation.ts';

/** `public` gets every path but those under /admin/, which `guarded` gets. */
export type Route = 'public' | 'guarded';

/** Called at each request head. `whole`: the request with its content, once that has come. */
export type OriginScript = (asked: ReceivedMessage, peer: Peer, whole: Promise<ReceivedMessage>) => unknown;

/** What a case of several steps acts on. */
export interface Stage {
  readonly client: Peer;
  /** Waits until an origin has been asked; its end of that connection. */
  asked(): Promise<Peer>;
}

export interface Expectation {
  /** Statuses of all whole answers to what was sent, interim ones included. */
  readonly client: readonly number[];
  /** kept: the next request on the connection gets its own answer. cut: closed in the middle of an answer. */
  readonly ends: 'kept' | 'closed' | 'cut';
  /** Requests that reached an origin, `METHOD target`; with `guarded: ` before it where that origin got it. */
  readonly origin: readonly string[];
  /** An origin may have got the beginning of a request whose fault came later. */
  readonly begun?: true;
  /** Whether the upstream connection is used again. Default: either. */
  readonly upstream?: 'kept' | 'dropped';
  /** Throws an AssertionError for whatever else is wrong. */
  readonly check?: (seen: Observation) => void;
}

export interface HostileCase {
  /** Of the reference's list, section 3.2; null for what is not in it. */
  readonly item: number | null;
  /** A sentence, or a part of one, that says what is sent. */
  readonly name: string;
  /** The advisory it comes from or the rule that decides it. */
  readonly source: string;
  readonly send: string | Buffer | ((stage: Stage) => Promise<unknown>);
  /** Default: 200 once the request is whole. */
  readonly script?: OriginScript;
  /** The answer has no content, whatever it declares. */
  readonly head?: true;
  /** What was sent is no whole request, or a tunnel: nothing can follow on its connection. */
  readonly unfinished?: true;
  /** tls: after a handshake. tcp: bytes to the TLS port. redirect: the plain listener. Default tls. */
  readonly via?: 'tls' | 'tcp' | 'redirect';
  readonly expect: Expectation;
  /** No reading that RFC 9112 allows takes what is in it for a request of its own: executing that is an attack's success. */
  readonly smuggles?: true;
  /** What is dangerous about what was seen, besides what dangers.ts looks for; null when nothing is. */
  readonly danger?: (seen: Observation) => string | null;
}

/** What a case is run against when it needs more than the usual set-up. Others than Perantara know the usual one only. */
export type Setting = 'usual' | 'trusting' | 'impatient' | 'impatient behind TLS';

export interface Theme {
  readonly title: string;
  /** A sentence or two for the page. */
  readonly about: string;
  readonly setting: Setting;
  readonly cases: readonly HostileCase[];
}

/** Answered without asking an origin, and the connection closed. */
export function refused(status: number): Expectation {
  return { client: [status], ends: 'closed', origin: [] };
}

/** Answered without asking an origin; the connection is used on. */
export function answered(status: number): Expectation {
  return { client: [status], ends: 'kept', origin: [] };
}

/** Passed on as exactly these requests and answered with 200 each; both connections are used on. */
export function forwarded(...origin: readonly string[]): Expectation {
  return { client: origin.map(() => 200), ends: 'kept', origin };
}

/** Both, and what else must hold. */
export function also(expectation: Expectation, check: (seen: Observation) => void): Expectation {
  return { ...expectation, check };
}

/** Bytes in a case's name: what cannot be printed is escaped. */
export function show(text: string): string {
  const escaped = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll('\\\\', '\\');
  return escaped.replace(/[\u007f-\u00ff]/g, (char) => `\\x${char.charCodeAt(0).toString(16)}`);
}

/** The request that is hidden in a case, or comes behind what should have been refused. */
export const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: app.localhost\r\n\r\n';
