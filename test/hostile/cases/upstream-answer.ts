// What cases about upstreams have in common: an answer as bytes, how the upstream ends it, and what comes of it.
import assert from 'node:assert/strict';
import { request } from '../../support/chain.ts';
import { ok } from '../../support/origin.ts';
import { POISON } from '../dangers.ts';
import type { Expectation, HostileCase } from '../hostile-case.ts';

export const HEAD = 'HTTP/1.1 200 OK\r\n';
/** An answer that belongs to no request. */
export const STRAY = ok(POISON);

export const badGateway = (origin = 'GET /', before: readonly number[] = []): Expectation => ({
  client: [...before, 502],
  ends: 'kept',
  origin: [origin],
  upstream: 'dropped',
});
export const passedOn = (status: number, origin = 'GET /'): Expectation => ({
  client: [status],
  ends: 'kept',
  origin: [origin],
  upstream: 'dropped',
});
export const cutOff: Expectation = {
  client: [],
  ends: 'cut',
  origin: ['GET /'],
  upstream: 'dropped',
  check: ({ stray }) => assert.doesNotMatch(stray, /\r\n0\r\n\r\n$/),
};

/** Bytes of an answer, and how the upstream ends it. */
export const answer = (
  item: number | null,
  name: string,
  source: string,
  bytes: string | readonly string[],
  expect: Expectation,
  end: 'open' | 'fin' | 'reset' = 'open',
): HostileCase => ({
  item,
  name,
  source,
  send: request(),
  script: async (_asked, peer) => {
    await peer.send(...[bytes].flat()).catch(() => {});
    if (end === 'fin') peer.finish();
    else if (end === 'reset') peer.reset();
  },
  expect,
});
