import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { normalizePath, parseRequestTarget } from '../../src/http/request-target.ts';
import { request } from '../support/chain.ts';
import { startOrigin } from '../support/origin.ts';
import { connectSecure } from '../support/peer.ts';
import { runs } from '../support/property-runs.ts';
import { startProxy } from '../support/proxy-rig.ts';

const segment = fc.oneof(
  fc.constantFrom(
    '.',
    '..',
    '',
    '%2e',
    '%2E%2e',
    '.%2E',
    '...',
    '..;',
    ';',
    'guarded',
    'GUARDED',
    '%67uarded',
    'g%75arded',
  ),
  fc.constantFrom(
    '%2f',
    '%5C',
    '%25',
    '%252e',
    '%252f',
    '%c0%ae',
    '%00',
    '\\',
    '#',
    '%',
    '%zz',
    '%u002e',
    'a;b=c',
    '%61',
    '%7e',
  ),
  fc.stringMatching(/^[!-~]{0,4}$/),
  fc
    .tuple(fc.constantFrom('..', '.', '%2e', 'a'), fc.constantFrom('%2f', '%5c', '%2F..', '%5C.'))
    .map((parts) => parts.join('')),
);
const path = fc.array(segment, { minLength: 1, maxLength: 6 }).map((segments) => `/${segments.join('/')}`);

/** RFC 3986 section 5.2.4, word for word: an input buffer, an output buffer, and the rules A to E. */
function removeDotSegments(text: string): string {
  let input = text;
  let output = '';
  while (input !== '') {
    if (/^\.\.?\//.test(input)) input = input.replace(/^\.\.?\//, '');
    else if (/^\/\.(?:\/|$)/.test(input)) input = input.replace(/^\/\.(?:\/|$)/, '/');
    else if (/^\/\.\.(?:\/|$)/.test(input)) {
      input = input.replace(/^\/\.\.(?:\/|$)/, '/');
      output = output.replace(/\/?[^/]*$/, '');
    } else if (/^\.\.?$/.test(input)) input = '';
    else {
      const next = /^\/?[^/]*/.exec(input)![0];
      output += next;
      input = input.slice(next.length);
    }
  }
  return output;
}

/** One layer of escapes taken off, as an origin does that knows no better. */
const decode = (text: string): string =>
  text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));

test('the normal form is that of RFC 3986: unreserved escapes decoded, the others in upper case, no dot segments', () => {
  fc.assert(
    fc.property(path, (raw) => {
      const normal = normalizePath(raw);
      if (normal === null) return;
      const unescaped = raw.replace(/%[0-9A-Fa-f]{2}/g, (triplet) =>
        /[\w.~-]/.test(decode(triplet)) ? decode(triplet) : triplet.toUpperCase(),
      );
      assert.equal(normal, removeDotSegments(unescaped), raw);
      assert.equal(normalizePath(normal), normal, `${raw} is not settled`);
    }),
    runs(10_000),
  );
});

test('whoever decodes a normal path once finds no dot segment and no NUL in it, backslashes taken for slashes or not', () => {
  fc.assert(
    fc.property(path, (raw) => {
      const normal = normalizePath(raw);
      if (normal === null) return;
      for (const seen of [normal, decode(normal), decode(normal).replaceAll('\\', '/')]) {
        assert.ok(!seen.split('/').some((part) => part === '.' || part === '..'), `${raw} is seen as ${seen}`);
        assert.ok(!seen.includes('\0'), raw);
      }
    }),
    runs(10_000),
  );
});

test('only doubtful paths are refused', () => {
  fc.assert(
    fc.property(path, (raw) => {
      if (normalizePath(raw) !== null) return;
      const isDoubtful = /[\\#?]|%00|%(?![0-9A-Fa-f]{2})/.test(raw);
      const hidesDots = /%2f|%5c/i.test(raw) && /\.|%2e/i.test(raw);
      assert.ok(isDoubtful || hidesDots, raw);
    }),
    runs(10_000),
  );
});

test('a target in absolute form has the path that it has in origin form, and the query stays as it is', () => {
  fc.assert(
    fc.property(path, fc.stringMatching(/^[!-"$-~]{0,8}$/), (raw, query) => {
      fc.pre(!raw.includes('?'));
      const origin = parseRequestTarget('GET', `${raw}?${query}`);
      const absolute = parseRequestTarget('GET', `http://a.example${raw}?${query}`);
      assert.deepEqual(absolute, origin === null ? null : { ...origin, authority: 'a.example' });
      if (origin !== null) assert.equal(origin.query, `?${query}`);
    }),
    runs(3_000),
  );
});

test('no path that the router takes for another gets to the origin as one that is guarded', async (t) => {
  const origin = await startOrigin(t, (_asked, peer) => {
    void peer.send('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
  });
  const guarded = { respond: { status: 403 } };
  const routes = { '/guarded': guarded, '/guarded/*': guarded, '/*': `http://127.0.0.1:${origin.port}` };
  const { httpsPort, stop } = await startProxy({ sites: { 'app.localhost': { routes } } });
  t.after(stop);
  const isGuarded = (seen: string): boolean => /^\/guarded(?:\/|$)/.test(seen);
  await fc.assert(
    fc.asyncProperty(fc.array(path, { minLength: 1, maxLength: 20 }), async (paths) => {
      const client = await connectSecure(httpsPort);
      for (const raw of paths) {
        const target = parseRequestTarget('GET', raw);
        if (target === null) continue;
        const asked = origin.requests.length;
        await client.send(request(raw));
        const { status } = await client.message();
        assert.equal(status, isGuarded(target.path) ? 403 : 200, raw);
        assert.equal(origin.requests.length, isGuarded(target.path) ? asked : asked + 1);
        if (status === 403) continue;
        const seen = origin.requests.at(-1)!.startLine.split(' ')[1]!;
        assert.equal(seen, target.path + target.query, 'the router and the origin see the same');
        const resolved = removeDotSegments(decode(seen.replace(/\?.*/, '')).replaceAll('\\', '/'));
        assert.ok(!isGuarded(resolved), raw);
      }
      client.destroy();
    }),
    runs(60),
  );
});
