import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeaderList } from '../../src/http/header-list.ts';
import type { OutgoingRequest } from '../../src/http/outgoing-request.ts';
import { SETTINGS_ACK_MS } from '../../src/http2/limits.ts';
import { TIMEOUTS } from '../support/bare-proxy.ts';
import { data, END_STREAM, ping, settings, settingsAck } from '../support/h2-frames.ts';
import { headers } from '../support/h2-headers.ts';
import { ClientWire } from '../support/h2-wire.ts';

/** A server may be busy with its first request for as long as its answer may take. */
const ACKNOWLEDGED_MS = TIMEOUTS.responseHeadMs + SETTINGS_ACK_MS;

/** Taken piece by piece, so that no deadline of its own passes in between. */
const SLOW: OutgoingRequest = {
  ...{ method: 'GET', target: '/slow', length: 0, upgradeTo: null, acceptsTrailers: false },
  headers: new HeaderList(['Host', 'app.localhost']),
};

const goawayOf = (wire: ClientWire): string | null => wire.inbox.goaway?.code ?? null;

/** Half an answer, which is not taken on. */
function answerHalf(wire: ClientWire): void {
  wire.senders[0]!.carrier.pause();
  wire.feed(Buffer.concat([headers(1, [[':status', '200']]), data(1, 'half')]));
}

test('a server that never acknowledges our SETTINGS loses the connection, and its requests are told why', () => {
  const wire = new ClientWire([SLOW]);
  wire.feed(settings());
  answerHalf(wire);
  wire.passTime(ACKNOWLEDGED_MS - 1_000);
  wire.feed(ping());
  assert.equal(goawayOf(wire), null);
  wire.passTime(ACKNOWLEDGED_MS);
  assert.equal(goawayOf(wire), 'SETTINGS_TIMEOUT');
  assert.ok(wire.over);
  const [sender] = wire.senders;
  assert.equal(sender!.end, 'upstream_malformed');
  assert.match(sender!.reason, /SETTINGS are not acknowledged/);
  wire.feed(Buffer.concat([settingsAck(), data(1, 'the rest', END_STREAM)])); // too late
  wire.cut();
  assert.deepEqual(wire.referee.complaints, []);
});

test('a server that acknowledges, however late after its greeting or its first answer, loses nothing', () => {
  const [atOnce, afterwards, late] = [new ClientWire([SLOW]), new ClientWire([SLOW]), new ClientWire([SLOW])];
  atOnce.feed(Buffer.concat([settings(), settingsAck()]));
  answerHalf(atOnce);
  afterwards.feed(settings());
  answerHalf(afterwards);
  afterwards.feed(settingsAck());
  late.feed(settings());
  late.passTime(TIMEOUTS.responseHeadMs - 1_000); // it was busy
  late.feed(settingsAck());
  answerHalf(late);
  for (const wire of [atOnce, afterwards, late]) {
    for (let i = 0; i < 3; i++) wire.passTime(ACKNOWLEDGED_MS + 60_000);
    assert.equal(goawayOf(wire), null);
    wire.feed(data(1, '', END_STREAM));
    wire.senders[0]!.carrier.resume();
    wire.settle();
    assert.equal(wire.senders[0]!.end, 'whole');
    assert.ok(wire.session.usable);
    wire.cut();
  }
});

test('a connection that is never used is judged by its acknowledgement alone', () => {
  for (const acknowledges of [true, false]) {
    const wire = new ClientWire([]);
    wire.feed(acknowledges ? Buffer.concat([settings(), settingsAck()]) : settings());
    wire.passTime(ACKNOWLEDGED_MS);
    assert.equal(goawayOf(wire), acknowledges ? null : 'SETTINGS_TIMEOUT');
    assert.equal(wire.session.usable, acknowledges);
    wire.cut();
  }
});
