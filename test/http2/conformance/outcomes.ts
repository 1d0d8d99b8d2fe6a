// What may follow a case: errors of a connection or of a stream with their codes, an answer, or nothing at all.
import assert from 'node:assert/strict';
import { ACK, type Code, END_STREAM, PING, windowUpdate } from '../../support/h2-frames.ts';
import type { H2Peer } from '../../support/h2-peer.ts';
import type { Fields, Outcome } from './section.ts';
import { BODY } from './subject.ts';

/** A stream that no case uses. */
const LATER_STREAM = 1_001;

/** GOAWAY with one of these codes, and then the end of the connection (RFC 9113 section 5.4.1). */
export function connectionError(...codes: readonly Code[]): Outcome {
  return async (peer) => {
    const { code, lastStream } = await peer.gone();
    assert.ok((codes as readonly string[]).includes(code), `GOAWAY with ${code}\n${peer.story}`);
    assert.ok(lastStream <= LATER_STREAM, `GOAWAY for ${lastStream}`);
    await peer.end();
  };
}

/** RST_STREAM with one of these codes, while the connection and other streams go on (RFC 9113 section 5.4.2). */
export function streamError(code: Code | readonly Code[], stream = 1): Outcome {
  return async (peer, fields) => {
    const got = await peer.resetOf(stream);
    assert.ok([code].flat().includes(got as Code), `RST_STREAM with ${got}\n${peer.story}`);
    await another(peer, fields);
  };
}

/** An error on either level: where the RFC allows both, or has changed its mind. */
export function anyError(...codes: readonly Code[]): Outcome {
  return async (peer) => {
    const isWrong = () => peer.goaway !== null || [1, 3, 5].some((stream) => peer.rst(stream) !== null);
    await peer.when(isWrong, 'an error');
    const got = peer.goaway?.code ?? [1, 3, 5].map((stream) => peer.rst(stream)).find((code) => code !== null);
    assert.ok(codes.includes(got as Code), `an error with ${got}\n${peer.story}`);
    if (peer.goaway !== null) await peer.end();
  };
}

/** 200 and the whole body on this stream, and a connection that goes on. */
export function answered(stream = 1): Outcome {
  return async (peer, fields) => {
    const { status, body } = await peer.response(stream);
    assert.equal(status, 200);
    if (body !== '') assert.equal(body, BODY);
    await another(peer, fields);
  };
}

/** A malformed request: RST_STREAM with PROTOCOL_ERROR, or, as RFC 9113 section 8.1.1 allows before it, an answer of 400. */
export const refused = (stream = 1): Outcome => {
  return async (peer, fields) => {
    const message = peer.stream(stream);
    await peer.when(() => message.reset !== null || message.ended, 'a refusal');
    if (message.reset === null) assert.equal(message.status, 400, peer.story);
    else if (message.fields === null) assert.equal(message.reset, 'PROTOCOL_ERROR', peer.story);
    await another(peer, fields);
  };
};

/** Nothing but that the connection goes on. */
export const alive: Outcome = async (peer, fields) => {
  await peer.roundTrip();
  assert.equal(peer.goaway, null, peer.story);
  await another(peer, fields);
};

/** The connection goes on, or ends; in between is nothing. */
export const aliveOrGone: Outcome = async (peer) => {
  await peer.roundTrip().catch(() => {});
  if (peer.goaway !== null) assert.equal(peer.goaway.code, 'NO_ERROR', peer.story);
};

/** The connection ends; GOAWAY may be left out where no HTTP/2 is spoken (RFC 9113 section 3.4). */
export const closed: Outcome = async (peer) => {
  await peer.end();
  if (peer.goaway !== null) assert.equal(peer.goaway.code, 'PROTOCOL_ERROR', peer.story);
};

/** PING with this payload is answered, and no other. */
export function pong(payload: string): Outcome {
  return async (peer) => {
    await peer.until(({ type }) => type === PING, 'PING');
    const all = peer.frames.filter(({ type }) => type === PING);
    const told = all.map((frame) => [frame.payload.toString('latin1'), frame.has(ACK)]);
    assert.deepEqual(told, [[payload, true]]);
  };
}

/** A request on a stream of its own is answered. */
async function another(peer: H2Peer, fields: Fields): Promise<void> {
  peer.headers(LATER_STREAM, fields(), END_STREAM);
  if (!peer.habits.returnWindow) peer.send(windowUpdate(0, BODY.length), windowUpdate(LATER_STREAM, BODY.length));
  const { status, body } = await peer.response(LATER_STREAM);
  assert.equal(status, 200);
  assert.equal(body, BODY);
}
