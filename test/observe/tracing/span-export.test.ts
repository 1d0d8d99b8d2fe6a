// What the log says of spans that were lost: how many, and not more often than anybody reads.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { systemClock } from '../../../src/core/clock.ts';
import { ExchangeFeed } from '../../../src/http/exchange-feed.ts';
import { SpanExport } from '../../../src/observe/tracing/span-export.ts';
import { capturedLog } from '../../support/captured-log.ts';
import { type ServiceReply, startService } from '../../support/fake-service.ts';
import { overRecord } from '../../support/over-record.ts';
import { retry } from '../../support/retry.ts';
import { spansOf } from '../../support/told-spans.ts';

/** Spans that are sent at once. */
const BATCH = 512;

async function exporting(t: TestContext, reply: () => ServiceReply) {
  const service = await startService(reply);
  t.after(() => service.stop());
  const { log, lines } = capturedLog();
  const feed = new ExchangeFeed();
  const spans = new SpanExport(
    { url: `${service.url}/v1/traces`, headers: [], serviceName: 'edge' },
    { clock: systemClock, log, records: feed },
  );
  await spans.open();
  spans.listen();
  const end = (count: number): void => {
    for (let i = 0; i < count; i++) overRecord({ feed });
  };
  return { service, lines, spans, end };
}

test('spans for which there is no room are counted among those that are lost', async (t) => {
  const { service, lines, spans, end } = await exporting(t, () => ({ body: {} }));
  end(3_000);
  await spans.close();
  const sent = service.requests.flatMap(spansOf).length;
  assert.deepEqual(
    lines.map(({ msg, lost, reason }) => [msg, lost, reason]),
    [
      ['spans are lost: the collector does not take them', 3_000 - sent, 'they come faster than it takes them'],
      ['spans are taken again', 3_000 - sent, undefined],
    ],
  );
  assert.ok(sent < 3_000);
});

test('a collector that takes every other batch is a line now and then, with all that was lost', async (t) => {
  let asked = 0;
  const { service, lines, spans, end } = await exporting(t, () => ({
    status: asked++ % 2 === 0 ? 400 : 200,
    body: {},
  }));
  for (let batches = 1; batches <= 6; batches++) {
    end(BATCH);
    await retry(async () => assert.equal(service.requests.length, batches), { deadlineMs: 10_000 });
  }
  await spans.close();
  assert.deepEqual(
    lines.map(({ msg, lost }) => [msg, lost]),
    [
      ['spans are lost: the collector does not take them', BATCH],
      ['spans are taken again', BATCH],
    ],
  );
});
