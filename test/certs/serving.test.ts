import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Holding } from '../../src/certs/holding.ts';
import { Serving } from '../../src/certs/serving.ts';
import { RecordingPublisher } from '../support/fake-issuer.ts';
import { makeAuthority, mint } from '../support/minted.ts';

test('a key that is compromised goes out of use for every name, also those that the next best certificate is not for', () => {
  const authority = makeAuthority();
  const holding = (names: readonly string[], since: number) => ({
    certificate: mint(names, authority),
    since,
    compromised: false,
    refused: false,
    usable: () => true,
    refuse: () => {},
  });
  const [both, one] = [holding(['a.example', 'b.example'], 2), holding(['a.example'], 1)];
  const publisher = new RecordingPublisher();
  const serving = new Serving(publisher, ['a.example', 'b.example'], 0);
  const holdings = [both, one] as unknown as readonly Holding[];
  serving.renew(holdings, 0, assert.ifError);
  assert.deepEqual(publisher.names(), ['a.example', 'b.example']);
  both.compromised = true;
  serving.renew(holdings, 0, assert.ifError);
  assert.deepEqual(publisher.withdrawn, ['a.example', 'b.example']);
  assert.equal(publisher.published.at(-1)?.certificate.fingerprint, one.certificate.fingerprint);
  assert.equal(serving.served, one);
});
