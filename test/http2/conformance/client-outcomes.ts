// What may follow when an origin answers a request of the HTTP/2 client, rightly or not.
import assert from 'node:assert/strict';
import { type Code, data, END_STREAM } from '../../support/h2-frames.ts';
import { type FieldPair, headers } from '../../support/h2-headers.ts';
import type { H2Peer } from '../../support/h2-peer.ts';
import type { Asked, UpstreamRig } from './upstream-rig.ts';

const OK: readonly FieldPair[] = [[':status', '200']];

/** A request on stream 1 waits for its answer. */
export type Outcome = (rig: UpstreamRig, asked: Asked) => Promise<void>;
export type Case = readonly [name: string, act: (peer: H2Peer) => unknown, outcome: Outcome, method?: string];

/** GOAWAY with one of these codes and the end; the request has failed, unless it was over. */
export function ends(...codes: readonly Code[]): Outcome {
  return async ({ peer }, asked) => {
    const { code } = await peer.gone();
    assert.ok((codes as readonly string[]).includes(code), `GOAWAY with ${code}\n${peer.story}`);
    await peer.end();
    await asked.over;
    if (asked.error !== null) assert.equal(asked.error.source, 'upstream');
  };
}

/** RST_STREAM with this code, a failed request, and a connection that goes on. */
export function resets(code: Code): Outcome {
  return async (rig, asked) => {
    assert.equal(await rig.peer.resetOf(1), code);
    await asked.over;
    assert.equal(asked.error?.source, 'upstream');
    await another(rig);
  };
}

/** The response as it came, and a connection that goes on. */
export function takes(expected: Partial<Asked>): Outcome {
  return async (rig, asked) => {
    await asked.over;
    assert.equal(asked.error, null);
    const { status, informational, body, trailers } = asked;
    assert.deepEqual(
      { status, informational, body, trailers },
      { status: 200, informational: [], body: '', trailers: [], ...expected },
    );
    await another(rig);
  };
}

export const goesOn: Outcome = another;

export async function another({ peer, ask }: UpstreamRig): Promise<void> {
  const asked = ask();
  await peer.head(3);
  await peer.send(headers(3, OK), data(3, 'another', END_STREAM));
  await asked.over;
  assert.equal(asked.body, 'another', peer.story);
}
