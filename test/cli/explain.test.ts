// `perantara explain`: what it prints, and how it ends.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { type Outcome, runHere } from './command.ts';

const FILE = `listen: { http: "off", https: "127.0.0.1:8443" }
sites:
  app.localhost: http://127.0.0.1:3000
  none.localhost: http://127.0.0.1:3000
`;

test('explain prints each decision with its place and reasons, and ends with how the request would', async (t) => {
  const folder = await temporaryFolder(t);
  writeFileSync(join(folder, 'perantara.yaml'), FILE);
  const explain = (...args: readonly string[]): Promise<Outcome> => runHere(['explain', ...args], folder);

  const { code, out, err } = await explain('https://app.localhost:8443/x', '--from', '::ffff:192.0.2.7');
  assert.deepEqual([code, err], [0, '']);
  assert.match(out, /^listener {5}https 127\.0\.0\.1:8443\n {15}perantara\.yaml:1:/);
  assert.match(out, /^certificate {2}app\.localhost: missing, local, p256$/m);
  assert.match(out, /^site {9}app\.localhost\n {15}perantara\.yaml:3:3$/m);
  assert.match(out, /^ {15}X-Forwarded-For: 192\.0\.2\.7$/m);

  assert.equal((await explain('app.localhost')).code, 1, 'nobody listens on 443');
  assert.equal((await explain('none.localhost:8443')).code, 0);
  assert.equal((await explain('other.localhost:8443')).code, 1);
  const { decisions } = JSON.parse((await explain('app.localhost:8443', '--json')).out) as {
    decisions: { about: string }[];
  };
  assert.deepEqual(
    decisions.map(({ about }) => about),
    ['listener', 'certificate', 'site', 'route', 'answer', 'request'],
  );
  for (const [args, expected] of [
    [['ftp://x'], /it is no http:\/\/ or https:\/\/ URL/],
    [['https://a b/'], /no host name and no address/],
    [['https://a/%00'], /path is refused with 400/],
    [['https://a/', '--from', 'me'], /it is no IP address/],
    [['https://a/', '--method', 'G T'], /cannot use the method/],
  ] as const) {
    const refused = await explain(...args);
    assert.equal(refused.code, 2);
    assert.match(refused.err, expected);
  }
});
