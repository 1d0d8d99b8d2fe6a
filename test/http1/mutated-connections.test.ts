import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import type { Exchange } from '../../src/http/exchange.ts';
import type { HeaderList } from '../../src/http/header-list.ts';
import { sendPlain } from '../../src/http/plain-response.ts';
import { startBareProxy } from '../support/bare-proxy.ts';
import { requests, response } from '../support/messages.ts';
import { mutated } from '../support/mutations.ts';
import { startOrigin } from '../support/origin.ts';
import { runs } from '../support/property-runs.ts';
import { messageEnd, splitMessage } from '../support/raw-message.ts';
import { readRequests, readResponse } from '../support/wire.ts';
import { REQUEST_CORPUS } from './differential/request-corpus.ts';
import { RESPONSE_CORPUS } from './differential/response-corpus.ts';

/** Method, content, trailers. */
type Executed = readonly [string, string, readonly string[]];

/** Sends texts as whole connections; resolves with the requests that were executed and the statuses answered. */
async function startRecorder(
  t: TestContext,
): Promise<(text: string) => Promise<{ executed: Executed[]; statuses: number[] }>> {
  let executed: Executed[] = [];
  const proxy = await startBareProxy(t, 1, (exchange: Exchange) => {
    let content = '';
    exchange.observe({
      onData: (chunk) => {
        content += chunk.toString('latin1');
      },
      onEnd: (trailers: HeaderList | null) => {
        executed.push([exchange.request.method, content, trailers?.flat ?? []]);
        sendPlain(exchange, 200, 'text/plain', 'ok');
      },
      onDrain: () => {},
      onAbort: () => {},
    });
    exchange.receive();
  });
  return async (text) => {
    executed = [];
    const client = await proxy.connect();
    await client.send(text);
    client.finish();
    const answers = await client.end();
    client.destroy();
    assert.deepEqual(proxy.faults, [], JSON.stringify(text));
    return { executed, statuses: [...answers.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1])) };
  };
}

/** A connection executes exactly the complete requests that the codec reads, answers each, and refuses what is refused. */
async function isAsRead(send: Awaited<ReturnType<typeof startRecorder>>, text: string): Promise<void> {
  const { messages, outcome } = readRequests([text]);
  const complete = messages.filter(({ end }) => end !== null);
  const { executed, statuses } = await send(text);
  const shown = JSON.stringify(text);
  const expected = complete.map(({ start, content, trailers }): Executed => [start[0]!, content, trailers]);
  // Behind a request with Upgrade nothing is taken for a request (CVE-2026-2833).
  const upgrade = complete.findIndex(({ fields }) => fields.some((field) => field.toLowerCase() === 'upgrade'));
  if (upgrade !== -1 && executed.length > upgrade)
    assert.deepEqual(executed, expected.slice(0, executed.length), shown);
  else {
    assert.deepEqual(executed, expected, shown);
    assert.equal(
      statuses.filter((status) => status >= 400).length,
      outcome === 'refused' ? 1 : 0,
      `${shown} ${statuses}`,
    );
  }
  assert.equal(statuses.filter((status) => status === 200).length, executed.length, shown);
  assert.ok(
    statuses.slice(0, executed.length).every((status) => status === 200),
    `${shown} ${statuses}`,
  );
}

test('connections execute and refuse just what the codec does: the corpus', async (t) => {
  const send = await startRecorder(t);
  for (const text of REQUEST_CORPUS) await isAsRead(send, text);
});

test('connections execute and refuse just what the codec does: mutated requests', async (t) => {
  const send = await startRecorder(t);
  const valid = requests.map((written) => written.map(({ text }) => text).join(''));
  const texts = mutated(fc.oneof(valid, fc.constantFrom(...REQUEST_CORPUS)));
  await fc.assert(
    fc.asyncProperty(texts, (text) => isAsRead(send, text)),
    runs(1_500),
  );
});

/** Has texts come from an upstream that closes behind them; checks what the client got of each. */
async function startRelay(t: TestContext): Promise<(text: string) => Promise<void>> {
  let answer = '';
  const origin = await startOrigin(t, async (_asked, peer) => {
    await peer.send(answer);
    peer.finish();
  });
  const proxy = await startBareProxy(t, origin.port);
  return async (text) => {
    answer = text;
    const client = await proxy.connect();
    await client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    const got = finalResponse(await client.end().catch(() => client.text));
    const { messages, outcome } = readResponse([text], { method: 'GET', upgradeTo: null, ended: true });
    const final = messages.findLast(({ start }) => Number(start[1]) >= 200);
    const shown = `${JSON.stringify(text)} gave ${JSON.stringify(got)}`;
    if (final === undefined) assert.match(got, /^HTTP\/1\.1 502 /, shown);
    else {
      const isBodyless = /^[23]04$/.test(final.start[1]!);
      const end = messageEnd(got, 0, isBodyless, false);
      assert.equal(end !== -1 && client.ended === 'fin', outcome === 'closed', shown);
      if (outcome === 'closed') {
        const { status, body } = splitMessage(got);
        assert.deepEqual([status, body], [Number(final.start[1]), final.content], shown);
      }
    }
    client.destroy();
    assert.deepEqual(proxy.faults, [], shown);
  };
}

/** Less the interim responses before it. */
function finalResponse(text: string): string {
  return text.replace(/^(?:HTTP\/1\.1 1\d\d [\s\S]*?\r\n\r\n)*/, '');
}

test('what an upstream sends gets to the client just as the codec reads it: the corpus', async (t) => {
  const relay = await startRelay(t);
  for (const { text, method, upgradeTo } of RESPONSE_CORPUS)
    if (method === 'GET' && upgradeTo === null) await relay(text);
});

test('what an upstream sends gets to the client just as the codec reads it: mutated responses', async (t) => {
  const relay = await startRelay(t);
  const texts = mutated(
    fc.oneof(
      response.map(({ text }) => text),
      fc.constantFrom(...RESPONSE_CORPUS.map(({ text }) => text)),
    ),
  );
  await fc.assert(fc.asyncProperty(texts, relay), runs(800));
});
