// A normal client beside an attack: asks again and again, over HTTP/2 on a connection of its own, and must be answered.
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { type H2Options, openH2 } from '../../support/h2-client.ts';
import { END_STREAM } from '../../support/h2-frames.ts';
import { requestFields } from '../../support/h2-headers.ts';

/** What it asks for; to be answered with `hello`. */
export const BYSTANDER_PATH = '/bystander';
/** Between an answer and the next request: it is a client, not a load. */
const PAUSE_MS = 2;

export interface Bystander {
  /** Ends it; rejects when any of its requests was not answered. Tells how many there were and how long they took. */
  leave(t: Pick<TestContext, 'diagnostic'>): Promise<void>;
}

export async function startBystander(
  t: Pick<TestContext, 'after'>,
  port: number,
  options: H2Options = {},
): Promise<Bystander> {
  const client = await openH2(t, port, options);
  const tookMs: number[] = [];
  let isLeaving = false;
  const ask = async (): Promise<void> => {
    for (let id = 1; !isLeaving || tookMs.length < 3; id += 2) {
      const start = performance.now();
      client.headers(id, requestFields(BYSTANDER_PATH), END_STREAM);
      const { status, body } = await client.response(id);
      assert.deepEqual([status, body], [200, 'hello']);
      tookMs.push(performance.now() - start);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  };
  const asking = ask();
  asking.catch(() => {}); // told by `leave`
  return {
    leave: async (at) => {
      isLeaving = true;
      await asking;
      client.finish();
      const sorted = tookMs.sort((a, b) => a - b);
      const of = (ratio: number): string => sorted[Math.floor((sorted.length - 1) * ratio)]!.toFixed(1);
      at.diagnostic(`a normal client: ${sorted.length} requests, p50 ${of(0.5)}, p99 ${of(0.99)}, longest ${of(1)} ms`);
    },
  };
}
