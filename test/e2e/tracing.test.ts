// Spans of the real program, with workers and without OpenTelemetry's packages.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { startService } from '../support/fake-service.ts';
import { startPerantara } from '../support/perantara.ts';
import { curl } from '../support/program.ts';
import { spansOf } from '../support/told-spans.ts';

const SITES = { 'app.localhost': { respond: 'hello' } };
const WITHOUT = join(import.meta.dirname, '../support/without-opentelemetry.ts');

test('workers send what they have before they end', async (t) => {
  const service = await startService(() => ({ body: {} }));
  t.after(() => service.stop());
  const proxy = await startPerantara({ config: { workers: 2, tracing: service.url, sites: SITES } });
  t.after(() => proxy.stop());
  await proxy.obtained('app.localhost');
  const url = `https://app.localhost:${proxy.httpsPort}/`;
  for (let i = 0; i < 4; i++)
    await curl(['--insecure', '--resolve', `app.localhost:${proxy.httpsPort}:127.0.0.1`, url, url]);
  proxy.signal('SIGTERM');
  assert.equal(await proxy.exited, 0);
  const spans = service.requests.flatMap(spansOf);
  assert.equal(spans.length, 8);
  assert.equal(new Set(spans.map(({ traceId }) => traceId)).size, 8);
});

test('without the packages everything works but the export of spans, which says what to do', async (t) => {
  const proxy = await startPerantara({ main: WITHOUT, config: { workers: 1, tracing: {}, sites: SITES } });
  t.after(() => proxy.stop());
  await proxy.obtained('app.localhost');
  const config = { workers: 1, tracing: 'http://127.0.0.1:9', sites: SITES };
  await assert.rejects(startPerantara({ main: WITHOUT, config }), (error: Error) => {
    assert.match(
      error.message,
      /^cannot export spans \(tracing\.endpoint\): the packages of OpenTelemetry are not installed; /m,
    );
    return true;
  });
});
