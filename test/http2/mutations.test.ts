import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HeaderList } from '../../src/http/header-list.ts';
import type { OutgoingRequest } from '../../src/http/outgoing-request.ts';
import { clientConnection, serverConnection } from '../support/h2-messages.ts';
import { mutated } from '../support/h2-mutations.ts';
import { ClientWire, ServerWire } from '../support/h2-wire.ts';
import { runs } from '../support/property-runs.ts';

/** In pieces of this size. */
function feedAll(wire: ServerWire | ClientWire, bytes: Buffer, pieceBytes: number): void {
  for (let at = 0; at < bytes.length; at += pieceBytes) wire.feed(bytes.subarray(at, at + pieceBytes));
}

const pieceBytes = fc.constantFrom(1_000_000, 1_000, 17);

test('whatever a client sends, nothing but what is declared comes of it, and nothing stays behind', () => {
  fc.assert(
    fc.property(mutated(clientConnection), pieceBytes, fc.boolean(), (bytes, size, isCut) => {
      const wire = new ServerWire();
      feedAll(wire, bytes, size);
      assert.deepEqual(wire.referee.complaints, []);
      assert.deepEqual(wire.faults, []);
      assert.notEqual(wire.inbox.goaway?.code, 'INTERNAL_ERROR');
      if (!isCut) wire.passAllTime();
      wire.cut();
      assert.equal(wire.closed, 1);
      for (const { end, exchange } of wire.exchanges)
        assert.ok(end !== 'open' || exchange.responded, `${exchange.request.path} has come to an end`);
    }),
    runs(1_500),
  );
});

const REQUESTS: readonly OutgoingRequest[] = ['/1', '/2/slow', '/3'].map((target, i) => ({
  method: ['GET', 'POST', 'HEAD'][i]!,
  target,
  headers: new HeaderList(['Host', 'app.localhost']),
  length: [0, 70_000, 0][i]!,
  upgradeTo: null,
  acceptsTrailers: true,
}));

test('whatever an upstream sends, each request has one end, and nothing stays behind', () => {
  fc.assert(
    fc.property(mutated(serverConnection(REQUESTS.length)), pieceBytes, fc.boolean(), (bytes, size, isCut) => {
      const wire = new ClientWire(REQUESTS);
      feedAll(wire, bytes, size);
      assert.deepEqual(wire.referee.complaints, []);
      assert.notEqual(wire.inbox.goaway?.code, 'INTERNAL_ERROR');
      if (!isCut) wire.passAllTime();
      wire.cut();
      assert.equal(wire.told.filter((what) => what === 'closed').length, 1);
      for (const { end } of wire.senders) assert.notEqual(end, 'internal');
      for (const { end, carrier } of wire.senders) assert.ok(end !== 'open', `${carrier.responseStarted}`);
    }),
    runs(1_500),
  );
});
