import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { loadConfigValue } from '../../src/config/load.ts';
import { HeaderList } from '../../src/http/header-list.ts';
import { type AskedRequest, explain } from '../../src/server/explanation.ts';
import { startChain } from '../support/chain.ts';
import { ask, openSession } from '../support/node-h2-client.ts';

const FILE = {
  listen: { http: '127.0.0.1:80', https: ['127.0.0.1:443', '127.0.0.1:8443'] },
  sites: {
    'app.localhost': 'http://127.0.0.1:3000',
    '*.localhost': 'http://127.0.0.1:3001',
    'shop.localhost': {
      routes: {
        '/api/*': { proxy: ['http://10.0.0.5:80', 'http://10.0.0.6:80'], maxBody: '1KiB' },
        '/old': { redirect: '/new' },
        '/ping': { respond: { body: 'pong' } },
      },
    },
  },
};

function asked(host: string, path: string, others: Partial<AskedRequest> = {}): AskedRequest {
  const usual = { scheme: 'https', port: 443, method: 'GET', query: '', from: '192.0.2.1' } as const;
  return { ...usual, host, path, headers: new HeaderList(), ...others };
}

function explained(request: AskedRequest, drained: readonly string[] = []): Record<string, string> {
  const loaded = loadConfigValue(FILE, { folder: '/', places: { values: {}, keys: {} }, now: 0 });
  assert.ok(loaded.ok);
  const { decisions } = explain(loaded.config, request, new Set(drained));
  return Object.fromEntries(decisions.map(({ about, outcome, reasons }) => [about, [outcome, ...reasons].join('; ')]));
}

suite('an explanation', () => {
  test('names the exact site before the wildcard, and the wildcard for others', () => {
    assert.match(explained(asked('app.localhost', '/')).site!, /^app\.localhost;.*"\*\.localhost" covers it too/);
    assert.match(
      explained(asked('b.localhost', '/')).site!,
      /^\*\.localhost;.*no site is called "b\.localhost" itself/,
    );
    assert.match(explained(asked('b.example', '/')).site!, /^none: the handshake is refused.*; no site/);
  });

  test('names the route, those that lost and those that do not match', () => {
    const { route, answer } = explained(asked('shop.localhost', '/api/x'));
    assert.equal(route, '/api/*; not for this path: /old, /ping');
    assert.match(
      answer!,
      /^from http:\/\/10\.0\.0\.5:80, http:\/\/10\.0\.0\.6:80; .*in turn.*; content over 1024 bytes/,
    );
    assert.match(explained(asked('shop.localhost', '/old')).answer!, /^302 to \/new$/);
    assert.match(explained(asked('shop.localhost', '/ping')).answer!, /^200, text\/plain/);
    assert.match(explained(asked('shop.localhost', '/none')).answer!, /^404/);
  });

  test('tells which targets are drained', () => {
    const [a, b] = ['http://10.0.0.5:80', 'http://10.0.0.6:80'];
    const { answer } = explained(asked('shop.localhost', '/api/x'), [a]);
    assert.match(answer!, /^from http:\/\/10\.0\.0\.6:80; http:\/\/10\.0\.0\.5:80 is drained/);
    const none = explained(asked('shop.localhost', '/api/x'), [a, b]);
    assert.match(none.answer!, /^503 Service Unavailable; all targets of the route are drained: .*5:80, .*6:80;/);
    assert.equal(none.request, undefined);
  });

  test('tells of listeners, of those that speak something else, and of plain requests', () => {
    assert.match(explained(asked('app.localhost', '/', { port: 8443 })).listener!, /^https 127\.0\.0\.1:8443/);
    assert.match(explained(asked('app.localhost', '/', { port: 80 })).listener!, /^none for https: .* speaks http/);
    assert.match(
      explained(asked('app.localhost', '/', { port: 1 })).listener!,
      /^none: nobody listens on port 1; listened on: http 127/,
    );
    const plain = { scheme: 'http', port: 80 } as const;
    assert.match(explained(asked('app.localhost', '/a', plain)).answer!, /^308 to https:\/\/app\.localhost\/a/);
    assert.match(explained(asked('b.example', '/a', plain)).answer!, /^404/);
    assert.match(explained(asked('b.example', '/.well-known/acme-challenge/x', plain)).answer!, /^by Perantara/);
  });

  test('shows the request as the upstream really gets it', async (t) => {
    const { origin, httpsPort, server } = await startChain(t);
    const place = { port: httpsPort, name: 'app.localhost', ca: '' };
    const session = await openSession(t, place, { rejectUnauthorized: false });
    await ask(session, { ':path': '/a?b=c', 'user-agent': 'test', 'x-forwarded-for': '192.0.2.9', x_y: 'dropped' });
    const { head } = await origin.request(0);
    const request = asked('app.localhost', '/a', {
      port: httpsPort,
      query: '?b=c',
      from: '127.0.0.1',
      headers: new HeaderList(['user-agent', 'test', 'x-forwarded-for', '192.0.2.9', 'x_y', 'dropped']),
    });
    const { decisions } = explain(server.config, request);
    const shown = decisions.find(({ about }) => about === 'request')!.reasons;
    assert.deepEqual([...shown].sort(), head.trimEnd().split('\r\n').sort());
  });
});
