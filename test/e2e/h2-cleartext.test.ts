// HTTP/2 without TLS on plain listeners that are told so, by clients that know beforehand (RFC 9113 section 3.3).
import { doesNotMatch, match, ok, strictEqual } from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { needsTools } from '../support/needs-tools.ts';
import { type Perantara, startPerantara } from '../support/perantara.ts';
import { curl, runProgram } from '../support/program.ts';
import { findTool } from '../support/tools.ts';

const NAME = 'localhost';
const PATH = '/status/200?a=1';

describe('HTTP/2 without TLS', await needsTools('curl', 'nghttp', 'h2load'), () => {
  let proxy: Perantara;
  before(async () => {
    const listen = { http: { address: '127.0.0.1:0', h2c: true }, https: '127.0.0.1:0' };
    proxy = await startPerantara({ config: { listen, sites: { [NAME]: 'http://127.0.0.1:1' } } });
  });
  after(() => proxy?.stop());

  const url = (): string => `http://${NAME}:${proxy.httpPort}${PATH}`;
  const redirected = (): string => `https://${NAME}:${proxy.httpsPort}${PATH}`;

  // One request for each connection: a second one fails with node:http2's server too (curl 7.88 with prior knowledge).
  for (const [args, version] of [
    [['--http2-prior-knowledge'], '2 308 '],
    [['--http1.1'], '1.1 308 Permanent Redirect'],
    [['--http1.0'], '1.1 308 Permanent Redirect'],
    // It offers an upgrade to h2c, which is nothing any more.
    [['--http2'], '1.1 308 Permanent Redirect'],
  ] as const) {
    test(`curl ${args.join(' ')} is answered by HTTP/${version.split(' ')[0]}`, async () => {
      const { stdout, text } = await curl([...args, '-i', url()]);
      strictEqual(/^HTTP\/(.*)\r\n/.exec(stdout)?.[1], version, text);
      strictEqual(/\r\nlocation: (.*)\r\n/i.exec(stdout)?.[1], redirected());
    });
  }

  test('nghttp’s requests share one connection, and its offer to upgrade passed over', async () => {
    const nghttp = await findTool('nghttp');
    const known = await runProgram(nghttp, ['-v', '-m', '10', url()]);
    strictEqual(known.code, 0, known.text);
    strictEqual(known.stdout.match(/:status: 308/g)?.length, 10);
    strictEqual(known.stdout.match(/\] Connected/g)?.length, 1);
    const upgrade = await runProgram(nghttp, ['-v', '-u', url()]);
    match(upgrade.text, /HTTP\/1\.1 308 /);
    doesNotMatch(upgrade.text, /101 Switching/);
  });

  test('all requests of h2load are answered', async () => {
    const { stdout } = await runProgram(await findTool('h2load'), ['-n', '2000', '-c', '4', '-m', '32', url()]);
    ok(
      stdout.includes('requests: 2000 total, 2000 started, 2000 done, 2000 succeeded, 0 failed, 0 errored, 0 timeout'),
    );
    ok(stdout.includes('status codes: 0 2xx, 2000 3xx, 0 4xx, 0 5xx'), stdout);
  });
});
