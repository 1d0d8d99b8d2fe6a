// What is measured, in the order of the page.
import type { BenchCase } from './bench-case.ts';
import { HTTP1_CASE_NAMES, HTTP1_CASES } from './http1-cases.ts';
import { HTTP2_CASE_NAMES, HTTP2_CASES } from './http2-cases.ts';

export const CASE_NAMES = [...HTTP1_CASE_NAMES, ...HTTP2_CASE_NAMES] as const;
export type CaseName = (typeof CASE_NAMES)[number];
export const SHORT_CASES: readonly CaseName[] = ['small', '1m', 'handshake', 'h2-small'];
/** Names for many. */
export const CASE_GROUPS: Readonly<Record<string, readonly CaseName[]>> = {
  h1: HTTP1_CASE_NAMES,
  h2: HTTP2_CASE_NAMES,
  own: CASE_NAMES.filter((name) => /-(log|workers|reload|unwatched)$/.test(name)),
};

export const CASES: Readonly<Record<CaseName, BenchCase>> = { ...HTTP1_CASES, ...HTTP2_CASES };
