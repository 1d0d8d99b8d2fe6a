// One hostile input over HTTP/2 as data: what is sent on a connection that has been greeted, how the origin behaves, and what
// Perantara makes of it on both sides.
import type { H2Options } from '../../support/h2-client.ts';
import { type Code, END_STREAM } from '../../support/h2-frames.ts';
import { type FieldPair, headers, requestFields } from '../../support/h2-headers.ts';
import type { H2Peer } from '../../support/h2-peer.ts';
import type { Peer } from '../../support/peer.ts';
import type { OriginScript, Setting } from '../hostile-case.ts';
import type { Observation } from '../observation.ts';
import type { H2Observation } from './h2-observation.ts';

/** What a case of several steps acts on. */
export interface H2Stage {
  readonly client: H2Peer;
  /** Waits until an origin has been asked; its end of that connection. */
  asked(): Promise<Peer>;
}

export interface H2Expectation {
  /** What comes of each stream: a status, the code of RST_STREAM, `200 CANCEL` for an answer that is cut off, '' for nothing. */
  readonly streams: Readonly<Record<number, string>>;
  /** kept: the next request gets its own answer. closed: without GOAWAY. Else its code, and the connection is closed. */
  readonly ends: 'kept' | 'closed' | Code;
  /** Requests that reached an origin whole, `METHOD target`. */
  readonly origin: readonly string[] | 'any';
  /** An origin may have got the beginning of a request whose fault came later. */
  readonly begun?: true;
  /** Whether the upstream connection is used again. Default: either. */
  readonly upstream?: Observation['upstream'];
  /** Throws an AssertionError for whatever else is wrong. */
  readonly check?: (seen: H2Observation) => void;
}

export interface H2Case {
  /** Of the reference's list, section 3.2; null for what is not in it. */
  readonly item: number | null;
  /** A sentence, or a part of one, that says what is sent. */
  readonly name: string;
  /** The advisory it comes from or the rule that decides it. */
  readonly source: string;
  readonly send: Buffer | ((stage: H2Stage) => unknown);
  /** How the client greets, when it is not as usual. */
  readonly options?: Pick<H2Options, 'preface' | 'settings' | 'handshake' | 'habits'>;
  /** Default: 200 once the request is whole. */
  readonly script?: OriginScript;
  /** Nothing can follow on its connection. */
  readonly unfinished?: true;
  readonly expect: H2Expectation;
  /** What is dangerous about what was seen, besides what h2-dangers.ts looks for; null when nothing is. */
  readonly danger?: (seen: H2Observation) => string | null;
}

export interface H2Theme {
  readonly title: string;
  /** A sentence or two for the page. */
  readonly about: string;
  readonly setting: Setting;
  readonly cases: readonly H2Case[];
}

/** Stream 1 is answered so without asking an origin, or reset; the connection is used on. */
export function refused(outcome: string | number): H2Expectation {
  return { streams: { 1: `${outcome}` }, ends: 'kept', origin: [] };
}

/** The connection is over. */
export function goneWith(code: Code | 'closed', streams: H2Expectation['streams'] = {}): H2Expectation {
  return { streams, ends: code, origin: [] };
}

/** Passed on as this request and answered with 200. */
export function forwarded(origin = 'GET /', check?: H2Expectation['check']): H2Expectation {
  return { streams: { 1: '200' }, ends: 'kept', origin: [origin], ...(check === undefined ? {} : { check }) };
}

/** A whole request without content on stream 1. */
export function ask(more: readonly FieldPair[] = [], path = '/', method = 'GET'): Buffer {
  return headers(1, requestFields(path, method, more), END_STREAM);
}

/** A whole request on stream 1 that consists of these fields. */
export function askWith(fields: readonly FieldPair[]): Buffer {
  return headers(1, fields, END_STREAM);
}

/** The usual pseudo-fields, some of them changed; null takes one out. */
export function pseudo(changed: Readonly<Record<string, string | null>> = {}): FieldPair[] {
  return requestFields()
    .map(([name, value]): [string, string | null] => [name, changed[name] === undefined ? value : changed[name]])
    .filter((field): field is [string, string] => field[1] !== null);
}
