import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PerantaraError } from '../../src/core/errors.ts';
import { HeaderList } from '../../src/http/header-list.ts';
import type { OutgoingRequest } from '../../src/http/outgoing-request.ts';
import type { RequestCarrier } from '../../src/http/request-carrier.ts';
import type { ResponseObserver } from '../../src/http/response-observer.ts';
import { AwaitedCarrier } from '../../src/upstream/awaited-carrier.ts';

const REQUEST: OutgoingRequest = {
  method: 'PUT',
  target: '/',
  headers: new HeaderList([]),
  length: null,
  upgradeTo: null,
  acceptsTrailers: false,
};

/** Everything that happens, in order: `>` to the real carrier, `<` to the sender, `!` to the owner. */
function start(wantsMore = true) {
  const story: string[] = [];
  const say = (what: string): undefined => void story.push(what);
  const observer = {
    onConnect: () => say('< connect'),
    onRequestDrain: () => say('< drain'),
    onResponseError: (error: PerantaraError) => say(`< ${error.code}`),
  } as ResponseObserver;
  const carrier = {
    connected: true,
    reused: true,
    responseStarted: true,
    send: (request, to) => say(`> send ${request.method} ${to === observer}`),
    write: (chunk) => {
      say(`> write ${chunk}`);
      return wantsMore;
    },
    end: (trailers) => say(`> end ${trailers?.get('a')}`),
    pause: () => say('> pause'),
    resume: () => say('> resume'),
    destroy: () => say('> destroy'),
  } satisfies RequestCarrier as RequestCarrier & { connected: boolean };
  const awaited = new AwaitedCarrier({ onGivenUp: (given) => say(`! given up ${given === awaited}`) });
  return { story, observer, carrier, awaited };
}

test('what was sent goes to the real carrier, whose sender hears that it is connected', () => {
  const { story, observer, carrier, awaited } = start();
  awaited.send(REQUEST, observer);
  assert.deepEqual([awaited.connected, awaited.reused, awaited.responseStarted], [false, false, false]);
  awaited.passTo(carrier);
  assert.deepEqual([awaited.connected, awaited.reused, awaited.responseStarted], [true, true, true]);
  assert.equal(awaited.write(Buffer.from('a')), true);
  awaited.pause();
  awaited.resume();
  awaited.end(new HeaderList(['a', 'b']));
  awaited.destroy();
  assert.deepEqual(story, ['> send PUT true', '< connect', '> write a', '> pause', '> resume', '> end b', '> destroy']);
});

test('a real carrier that is still connecting says itself when it is', () => {
  const { story, observer, carrier, awaited } = start();
  carrier.connected = false;
  awaited.send(REQUEST, observer);
  awaited.passTo(carrier);
  assert.deepEqual(story, ['> send PUT true']);
});

test('what is sent after the real carrier is known goes straight to it', () => {
  const { story, observer, carrier, awaited } = start();
  awaited.passTo(carrier);
  awaited.send(REQUEST, observer);
  assert.deepEqual(story, ['> send PUT true']);
});

test('content that did not wait is kept, copied, and its sender asked for no more meanwhile', () => {
  for (const wantsMore of [true, false]) {
    const { story, observer, carrier, awaited } = start(wantsMore);
    awaited.send(REQUEST, observer);
    const lent = Buffer.from('a');
    assert.equal(awaited.write(lent), false);
    lent.fill('x');
    awaited.end(null);
    awaited.pause();
    awaited.passTo(carrier);
    const drain = wantsMore ? ['< drain'] : [];
    assert.deepEqual(story, ['> send PUT true', '> pause', '> write a', '> end undefined', '< connect', ...drain]);
  }
});

test('a sender that gives up hears nothing more, and its owner knows', () => {
  const { story, observer, awaited } = start();
  awaited.send(REQUEST, observer);
  awaited.destroy();
  awaited.fail(new PerantaraError('x', { code: 'connect_failed', source: 'upstream' }));
  assert.deepEqual(story, ['! given up true']);
});

test('a failure is told once', () => {
  const { story, observer, awaited } = start();
  awaited.send(REQUEST, observer);
  for (let i = 0; i < 2; i++) awaited.fail(new PerantaraError('x', { code: 'connect_failed', source: 'upstream' }));
  assert.deepEqual(story, ['< connect_failed']);
});
