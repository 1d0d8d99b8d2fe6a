// Requests in traces, over real sockets: what the upstream is told, what a collector is sent, what the access log says.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { parseTraceparent } from '../../src/http/trace-context.ts';
import { accessLines } from '../support/access-lines.ts';
import { type Chain, request, startChain } from '../support/chain.ts';
import { type FakeService, type ServiceReply, startService } from '../support/fake-service.ts';
import { openH2 } from '../support/h2-client.ts';
import { END_STREAM } from '../support/h2-frames.ts';
import { requestFields } from '../support/h2-headers.ts';
import { ok, type Script } from '../support/origin.ts';
import { connectPlain } from '../support/peer.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { spansOf } from '../support/told-spans.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';
const VALID = `00-${TRACE}-${SPAN}-01`;
const SCRIPT: Script = async ({ startLine }, peer) => {
  switch (startLine.split(/[ ?]/)[1]) {
    case '/nothing':
      return peer.cut();
    case '/busy':
      return peer.send('HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n');
    case '/missing':
      return peer.send('HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n');
    default:
      return peer.send(ok());
  }
};

async function traced(t: TestContext, tracing: unknown, more: Readonly<Record<string, unknown>> = {}): Promise<Chain> {
  const config = { ...(tracing === null ? {} : { tracing }), timeouts: { drain: '100ms' }, ...more };
  return startChain(t, { script: SCRIPT, config });
}

async function collector(
  t: TestContext,
  reply: () => ServiceReply | null = () => ({ body: {} }),
): Promise<FakeService> {
  const service = await startService(reply);
  t.after(() => service.stop());
  return service;
}

/** What the upstream gets of a request with these fields. */
async function told(
  chain: Chain,
  ...fields: readonly string[]
): Promise<[traceparent: readonly string[], tracestate: readonly string[]]> {
  const client = await chain.connect();
  await client.send(request('/', fields));
  await client.message();
  client.destroy();
  const last = chain.origin.requests.at(-1)!;
  return [last.fields('traceparent'), last.fields('tracestate')];
}

test('without tracing, fields about traces pass as they are', async (t) => {
  const chain = await traced(t, null);
  assert.deepEqual(await told(chain), [[], []]);
  assert.deepEqual(await told(chain, 'traceparent: nonsense', 'tracestate: a=b'), [['nonsense'], ['a=b']]);
  assert.deepEqual(await told(chain, `traceparent: ${VALID}`, `traceparent: ${VALID}`), [[VALID, VALID], []]);
});

test('without export, a trace passes as it is, and begins where there is none', async (t) => {
  const chain = await traced(t, {});
  assert.deepEqual(await told(chain, `traceparent: ${VALID}`, 'tracestate: a=b'), [[VALID], ['a=b']]);
  const [[begun], state] = await told(chain, 'traceparent: nonsense', 'tracestate: a=b');
  assert.deepEqual([parseTraceparent(begun!)?.sampled, state], [true, []]);
});

test('with export, the collector is sent a span for each exchange, in the trace that the upstream is told', async (t) => {
  const service = await collector(t);
  const chain = await traced(t, { endpoint: service.url, headers: { 'X-Api-Key': 'secret' }, serviceName: 'edge' });
  const [[sent], state] = await told(chain, `traceparent: ${VALID}`, 'tracestate: a=b');
  assert.deepEqual(state, ['a=b']);
  await chain.server.close();
  const [first] = service.requests.flatMap(spansOf);
  const { startMs, endMs, attributes, resource, ...span } = first!;
  assert.deepEqual(span, {
    ...{ traceId: TRACE, spanId: parseTraceparent(sent!)!.parentId, parentId: SPAN },
    ...{ name: 'GET /*', kind: 2, status: 0 },
  });
  assert.ok(Math.abs(startMs - Date.now()) < 60_000 && startMs <= endMs);
  assert.deepEqual(attributes, {
    'http.request.method': 'GET',
    'http.response.status_code': 200,
    'http.route': '/*',
    'url.scheme': 'https',
    'url.path': '/',
    'server.address': 'app.localhost',
    'client.address': '127.0.0.1',
    'network.protocol.version': '1.1',
    'perantara.site': 'app.localhost',
    'perantara.upstream': `http://127.0.0.1:${chain.origin.port}`,
    'perantara.outcome': 'complete',
  });
  assert.equal(resource['service.name'], 'edge');
  const [{ method, path, headers }] = service.requests as [(typeof service.requests)[0]];
  assert.deepEqual([method, path, headers['x-api-key']], ['POST', '/v1/traces', 'secret']);
});

test('errors, refusals, redirects and HTTP/2 have their spans too', async (t) => {
  const service = await collector(t);
  const chain = await traced(t, service.url);
  const client = await openH2(t, chain.httpsPort);
  let stream = 1;
  for (const path of ['/busy?secret=1', '/missing', '/nothing', '/..%2f']) {
    await client.headers(stream, requestFields(path, path === '/nothing' ? 'POST' : 'GET'), END_STREAM);
    await client.message(stream);
    stream += 2;
  }
  const odd = await chain.connect();
  await odd.send('BREW /pot HTTP/1.1\r\nHost: other.example\r\n\r\n');
  await odd.message();
  const plain = await connectPlain(chain.httpPort);
  t.after(() => plain.destroy());
  await plain.send(request('/x?y'));
  await plain.message();
  await chain.server.close();
  const spans = service.requests.flatMap(spansOf);
  const words = spans.map(({ name, status, attributes }) => {
    const of = (key: string): string => String(attributes[key] ?? '-');
    const keys = ['http.response.status_code', 'error.type', 'url.path', 'network.protocol.version', 'url.scheme'];
    return [name, status, ...keys.map(of)].join(' ');
  });
  assert.deepEqual(
    words.toSorted(),
    [
      'GET 0 308 - /x 1.1 http',
      'GET /* 0 404 - /missing 2 https',
      'GET /* 2 503 503 /busy 2 https',
      'HTTP 0 421 misdirected /pot 1.1 https',
      'POST /* 2 502 upstream_closed /nothing 2 https',
      'GET 0 400 bad_request /..%2f 2 https',
    ].toSorted(),
  );
  assert.equal(spans.find(({ name }) => name === 'HTTP')!.attributes['http.request.method_original'], 'BREW');
  assert.equal(new Set(spans.map(({ traceId }) => traceId)).size, 6);
});

test('whoever began a trace has decided whether it is recorded; of the others as many are as is wanted', async (t) => {
  const service = await collector(t);
  const chain = await traced(t, { endpoint: service.url, sampleRatio: 0 });
  const [[begun]] = await told(chain);
  assert.equal(parseTraceparent(begun!)?.sampled, false);
  const [[unwanted]] = await told(chain, `traceparent: ${VALID.replace(/01$/, '00')}`);
  assert.equal(parseTraceparent(unwanted!)?.sampled, false);
  const [[wanted]] = await told(chain, `traceparent: ${VALID}`);
  assert.equal(parseTraceparent(wanted!)?.sampled, true);
  await chain.server.close();
  const spans = service.requests.flatMap(spansOf);
  assert.deepEqual(
    spans.map(({ spanId }) => spanId),
    [parseTraceparent(wanted!)!.parentId],
  );
});

test('a collector that refuses or hangs costs spans and one line of the log, and no request', async (t) => {
  for (const reply of [() => ({ status: 401, body: {} }), () => null]) {
    const service = await collector(t, reply);
    const chain = await traced(t, service.url);
    const client = await chain.connect();
    for (let i = 0; i < 600; i++) {
      const before = client.received;
      await client.send(request());
      await client.when(() => client.received > before);
    }
    assert.ok(client.text.split('HTTP/1.1 200').length === 601);
    await chain.server.close();
    assert.ok(service.requests.length > 0);
    const said = chain.logged.filter((line) => line.includes('spans are lost'));
    if (reply() === null) continue; // given up at the end
    assert.equal(said.length, 1);
    assert.match(said[0]!, /"lost":\d+,"reason":"[^"]+"/);
    assert.ok(!said[0]!.includes('/v1/traces'));
  }
});

test('another configuration: spans go to the new collector, and the last ones to the old', async (t) => {
  const [old, next] = [await collector(t), await collector(t)];
  const chain = await traced(t, old.url);
  const site = { proxy: `http://127.0.0.1:${chain.origin.port}` };
  await told(chain);
  assert.ok((await chain.reload({ sites: { 'app.localhost': site }, tracing: next.url })).accepted);
  await told(chain);
  assert.ok((await chain.reload({ sites: { 'app.localhost': site } })).accepted);
  assert.deepEqual(await told(chain), [[], []]);
  await chain.server.close();
  assert.deepEqual(
    [old, next].map(({ requests }) => requests.flatMap(spansOf).length),
    [1, 1],
  );
});

test('the access log says which trace a request belongs to', async (t) => {
  const output = join(await temporaryFolder(t), 'access.log');
  const log = { access: { output, fields: ['status', 'traceId'] } };
  const chain = await traced(t, {}, { log });
  await told(chain, `traceparent: ${VALID}`);
  const client = await chain.connect();
  await client.send(request('/', [`traceparent: ${VALID}`]).replace('app.localhost', 'other.example'));
  await client.message();
  await chain.server.close();
  assert.deepEqual(accessLines(output), [
    { status: 200, traceId: TRACE },
    { status: 421, traceId: TRACE },
  ]);
});
