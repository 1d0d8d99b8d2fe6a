// Every hostile handshake against Perantara. The inputs: cases/handshakes.ts.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { handshakeCases } from './cases/handshakes.ts';
import { handshakeDeviations } from './handshake-case.ts';
import { Range } from './range.ts';
import { startPerantaraHere } from './subjects/perantara-here.ts';
import { PATIENCE_MS } from './theme-tests.ts';

describe('Handshakes', () => {
  let range: Range;
  before(async () => {
    range = await Range.open({ start: startPerantaraHere, setting: 'usual', patienceMs: PATIENCE_MS });
  });
  after(() => range.close());
  for (const hostile of handshakeCases) {
    it(`item ${hostile.item}: ${hostile.name} (${hostile.source})`, async () => {
      assert.deepEqual(handshakeDeviations(hostile, await range.shake(hostile)), []);
    });
  }
});
