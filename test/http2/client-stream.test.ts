import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PerantaraError } from '../../src/core/errors.ts';
import { HeaderList } from '../../src/http/header-list.ts';
import type { ResponseHead } from '../../src/http/message.ts';
import type { OutgoingRequest } from '../../src/http/outgoing-request.ts';
import type { RequestCarrier } from '../../src/http/request-carrier.ts';
import type { ResponseObserver } from '../../src/http/response-observer.ts';
import { TIMEOUTS } from '../support/bare-proxy.ts';
import {
  data,
  ENABLE_CONNECT_PROTOCOL,
  END_STREAM,
  goAway,
  INITIAL_WINDOW_SIZE,
  MAX_CONCURRENT_STREAMS,
  rstStream,
  type Setting,
  settings,
  settingsAck,
  windowUpdate,
} from '../support/h2-frames.ts';
import { headers } from '../support/h2-headers.ts';
import { ClientWire } from '../support/h2-wire.ts';

const OK = [[':status', '200']] as const;

function request(more: Partial<OutgoingRequest> = {}): OutgoingRequest {
  const list = new HeaderList([
    'Host',
    'app.localhost',
    ...(more.upgradeTo ? ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='] : []),
  ]);
  return { method: 'GET', target: '/', headers: list, length: 0, upgradeTo: null, acceptsTrailers: false, ...more };
}

/** Remembers what it is told, a word for each; does what `reactions` say. */
class Teller implements ResponseObserver {
  readonly told: string[] = [];
  readonly carrier: RequestCarrier;
  readonly #reactions: Partial<Record<string, () => void>>;

  constructor(carrier: RequestCarrier, reactions: Partial<Record<string, () => void>> = {}) {
    this.carrier = carrier;
    this.#reactions = reactions;
  }

  #tell(what: string, word: string): void {
    this.told.push(what + word);
    this.#reactions[what]?.();
  }

  onConnect(): void {}
  onResponseIdle(): void {}

  onInformation({ status }: ResponseHead): void {
    this.#tell('information ', String(status));
  }

  onResponse({ status }: ResponseHead, length: number | null): void {
    this.#tell('head ', `${status} ${length}`);
  }

  onUpgrade({ headers: list }: ResponseHead, protocol: string): void {
    this.#tell('upgrade ', `${protocol} ${list.get('sec-websocket-accept')}`);
  }

  onResponseData(chunk: Buffer): void {
    this.#tell('data ', String(chunk.length));
  }

  onResponseEnd(): void {
    this.#tell('end', '');
  }

  onRequestDrain(): void {
    this.#tell('drain', '');
  }

  onResponseError({ code }: PerantaraError): void {
    this.#tell('error ', code);
  }
}

/** A session with a server that has begun. */
function begun(...list: readonly Setting[]): ClientWire {
  const wire = new ClientWire([]);
  wire.feed(Buffer.concat([settings(...list), settingsAck()]));
  return wire;
}

function ask(wire: ClientWire, asked: OutgoingRequest, reactions?: ConstructorParameters<typeof Teller>[1]): Teller {
  const teller = new Teller(wire.session.openStream(), reactions);
  teller.carrier.send(asked, teller);
  wire.settle();
  return teller;
}

test('an upgrade that a server does not take is an error, and leaves no stream behind', () => {
  const known = begun();
  const early = new ClientWire([]);
  for (const wire of [known, early]) {
    const teller = ask(wire, request({ upgradeTo: 'websocket' }));
    if (wire === early) {
      assert.deepEqual(teller.told, [], 'it waits for what the server says');
      early.feed(settings());
    }
    assert.deepEqual(teller.told, ['error upgrade_unsupported']);
    assert.equal(wire.session.streams, 0);
    assert.ok(wire.told.includes('idle'));
    wire.cut();
  }
});

test('a tunnel ends on each side on its own, and is told so once', () => {
  for (const serverFirst of [true, false]) {
    const wire = begun([ENABLE_CONNECT_PROTOCOL, 1]);
    const teller = ask(wire, request({ upgradeTo: 'websocket' }));
    wire.feed(headers(1, OK));
    assert.deepEqual(teller.told, ['upgrade websocket s3pPLMBiTxaQ9kYGzzhZRbK+xOo=']);
    teller.carrier.pause();
    wire.feed(data(1, 'abc'));
    if (!serverFirst) teller.carrier.end(null);
    wire.feed(data(1, 'de', END_STREAM));
    teller.carrier.write(Buffer.from('fgh'));
    wire.settle();
    assert.deepEqual(teller.told.slice(1), []);
    teller.carrier.resume();
    teller.carrier.pause();
    teller.carrier.resume();
    assert.deepEqual(teller.told.slice(1), ['data 5', 'end']);
    if (serverFirst) teller.carrier.end(null);
    wire.settle();
    assert.equal(wire.session.streams, 0);
    assert.equal(wire.inbox.stream(1).body, serverFirst ? 'fgh' : '');
    assert.ok(wire.inbox.stream(1).ended);
    wire.cut();
  }
});

test('a tunnel that breaks behind its server’s end is told so', () => {
  for (const breaks of [rstStream(1), null]) {
    const wire = begun([ENABLE_CONNECT_PROTOCOL, 1]);
    const teller = ask(wire, request({ upgradeTo: 'websocket' }));
    wire.feed(Buffer.concat([headers(1, OK), data(1, '', END_STREAM)]));
    if (breaks !== null) wire.feed(breaks);
    else wire.cut();
    assert.deepEqual(teller.told.slice(1), ['end', breaks === null ? 'error upstream_closed' : 'error upstream_reset']);
    wire.cut();
  }
});

test('a response that is complete reaches its taker whatever becomes of the stream and its connection', () => {
  const ends: ((wire: ClientWire) => void)[] = [
    (wire) => wire.feed(rstStream(1, 'NO_ERROR')),
    (wire) => wire.feed(rstStream(1, 'CANCEL')),
    (wire) => wire.feed(goAway(1, 'INTERNAL_ERROR')),
    (wire) => wire.passTime(TIMEOUTS.bodyIdleMs),
    (wire) => wire.cut(),
  ];
  for (const end of ends) {
    const wire = begun([INITIAL_WINDOW_SIZE, 10]);
    const teller = ask(wire, request({ method: 'POST', length: 100 }), { 'data ': () => teller.carrier.pause() });
    teller.carrier.write(Buffer.alloc(100)); // of which the server takes a part
    teller.carrier.end(null);
    wire.settle();
    wire.feed(Buffer.concat([headers(1, OK), data(1, 'a'), data(1, 'bcd', END_STREAM)]));
    end(wire);
    assert.deepEqual(teller.told, ['head 200 null', 'data 1']);
    teller.carrier.resume();
    teller.carrier.resume();
    assert.deepEqual(teller.told, ['head 200 null', 'data 1', 'data 3', 'end']);
    wire.cut();
  }
});

test('an upload that a server stops taking is given up after timeouts.bodyIdle, and one it takes slowly is not', () => {
  const wire = begun([INITIAL_WINDOW_SIZE, 10]);
  const teller = ask(wire, request({ method: 'POST', length: 100 }));
  teller.carrier.write(Buffer.alloc(100));
  teller.carrier.end(null);
  wire.settle();
  wire.passTime(TIMEOUTS.bodyIdleMs - 1_000);
  wire.feed(windowUpdate(1, 10));
  assert.equal(wire.inbox.stream(1).received, 20);
  assert.deepEqual(teller.told, []);
  wire.passTime(TIMEOUTS.bodyIdleMs);
  assert.deepEqual(teller.told, ['error upstream_stalled']);
  assert.equal(wire.inbox.stream(1).reset, 'CANCEL');
  wire.cut();
});

test('who is told something may end or pause the request in the same breath', () => {
  const frames = [
    headers(1, [[':status', '103']]),
    headers(1, OK),
    data(1, 'abc'),
    data(1, 'def'),
    headers(1, [['x-trailer', 'x']], END_STREAM),
  ];
  for (const what of ['information ', 'head ', 'data ', 'end']) {
    const wire = begun();
    const teller = ask(wire, request({ method: 'POST', length: null }), { [what]: () => teller.carrier.destroy() });
    wire.feed(Buffer.concat(frames));
    assert.equal(teller.told.filter((word) => word.startsWith(what)).length, 1, `${what}: ${teller.told}`);
    assert.ok(teller.told.at(-1)!.startsWith(what), 'and nothing more');
    assert.equal(wire.inbox.stream(1).reset, 'CANCEL');
    assert.equal(wire.inbox.goaway, null);
    wire.cut();
  }
});

test('a session takes as many requests at once as its server says, and tells when it takes more', () => {
  const wire = new ClientWire([]);
  assert.equal(wire.session.capacity, 100);
  wire.feed(settings([MAX_CONCURRENT_STREAMS, 2]));
  assert.equal(wire.session.capacity, 2);
  const [first] = [ask(wire, request()), ask(wire, request())];
  assert.equal(wire.session.capacity, 0);
  wire.feed(settings([MAX_CONCURRENT_STREAMS, 1]));
  assert.equal(wire.session.capacity, 0);
  wire.feed(headers(1, OK, END_STREAM));
  assert.deepEqual(first!.told, ['head 200 0', 'end']);
  assert.equal(wire.session.capacity, 0);
  wire.feed(headers(3, OK, END_STREAM));
  assert.equal(wire.session.capacity, 1);
  wire.cut();
});

test('requests that a server says it has not processed are told so, those it has go on', () => {
  const wire = begun();
  const tellers = [1, 3, 5].map(() => ask(wire, request()));
  wire.feed(rstStream(3, 'REFUSED_STREAM'));
  wire.feed(goAway(2 ** 31 - 1));
  assert.ok(!wire.session.usable);
  wire.feed(goAway(1));
  wire.feed(Buffer.concat([headers(1, OK), data(1, 'abc', END_STREAM)]));
  assert.deepEqual(
    tellers.map(({ told }) => told.join()),
    ['head 200 null,data 3,end', 'error upstream_refused', 'error upstream_refused'],
  );
  assert.ok(wire.over, 'it ends with its last stream');
  wire.cut();
});

test('a response whose content is not as long as declared is an error, never an end', () => {
  const declared = [...OK, ['content-length', '5']] as const;
  const wrong: Record<string, readonly Buffer[]> = {
    more: [headers(1, declared), data(1, 'abcdef')],
    'more, in pieces': [headers(1, declared), data(1, 'abcde'), data(1, 'f', END_STREAM)],
    less: [headers(1, declared), data(1, 'abcd', END_STREAM)],
    'less, with trailers': [headers(1, declared), data(1, 'abcd'), headers(1, [['x-trailer', 'x']], END_STREAM)],
    'none at all': [headers(1, declared, END_STREAM)],
  };
  for (const [what, frames] of Object.entries(wrong)) {
    const wire = begun();
    const teller = ask(wire, request());
    for (const sent of frames) wire.feed(sent);
    assert.equal(teller.told.at(-1), 'error upstream_malformed', what);
    assert.equal(teller.told.includes('end'), false, what);
    assert.equal(wire.inbox.stream(1).reset, 'PROTOCOL_ERROR', what);
    assert.equal(wire.inbox.goaway, null, what);
    wire.cut();
  }
});

test('content that waited for its taker is given back to the server when it is taken', () => {
  const wire = begun();
  const teller = ask(wire, request());
  wire.feed(headers(1, OK));
  teller.carrier.pause();
  for (let sent = 0; sent < 4; sent++) wire.feed(data(1, Buffer.alloc(16_384)));
  assert.equal(wire.windows.own(1), 64 * 1024, 'nothing more than the first window while nobody takes it');
  teller.carrier.resume();
  wire.settle();
  assert.equal(wire.windows.own(1), 128 * 1024);
  wire.cut();
});
