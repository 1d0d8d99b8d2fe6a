// What Perantara itself answers: redirects to https, routes without an upstream, error pages. Asked by curl.
import { doesNotMatch, match, strictEqual } from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { freePort } from '../support/free-port.ts';
import { needsTools } from '../support/needs-tools.ts';
import { type Perantara, startPerantara } from '../support/perantara.ts';
import { curl, type Run } from '../support/program.ts';
import { type SampleUpstream, startSampleUpstream } from '../support/sample-upstream.ts';

const NAME = 'app.localhost';

describe('Perantara’s own answers', await needsTools('curl'), () => {
  let upstream: SampleUpstream;
  let proxy: Perantara;
  let rootFile: string;

  before(async () => {
    upstream = await startSampleUpstream();
    const nobody = `http://127.0.0.1:${await freePort()}`;
    const routes = {
      '/old': { redirect: '/new?from=old' },
      '/moved': { redirect: { to: 'https://elsewhere.example/', status: 301 } },
      '/robots.txt': { respond: 'User-agent: *\nDisallow: /\n' },
      '/teapot': { respond: { status: 418, body: '<p>tea</p>', type: 'text/html' } },
      '/down': nobody,
      '/headers': upstream.url,
      '/late': upstream.url,
    };
    proxy = await startPerantara({ config: { timeouts: { responseHead: '300ms' }, sites: { [NAME]: { routes } } } });
    rootFile = join(proxy.storage, 'local-ca/root.pem');
    await proxy.obtained(NAME);
  });
  after(async () => {
    await proxy?.stop();
    await upstream?.close();
  });

  const ask = (path: string, args: readonly string[] = []): Promise<Run> => {
    const trust = ['--http1.1', '--cacert', rootFile, '--resolve', `${NAME}:${proxy.httpsPort}:127.0.0.1`];
    return curl([...trust, '-i', ...args, `https://${NAME}:${proxy.httpsPort}${path}`]);
  };
  const askPlain = (path: string, args: readonly string[] = []): Promise<Run> =>
    curl(['-i', ...args, `http://127.0.0.1:${proxy.httpPort}${path}`]);

  test('plain HTTP is redirected with 308 to https with host, path, query and port, and curl follows it', async () => {
    const { stdout } = await askPlain('/headers?a=1&b=%20', ['-H', `Host: ${NAME}:${proxy.httpPort}`]);
    match(stdout, /^HTTP\/1\.1 308 Permanent Redirect\r\n/);
    const location = `https://${NAME}:${proxy.httpsPort}/headers?a=1&b=%20`;
    strictEqual(/\r\nLocation: (.*)\r\n/.exec(stdout)?.[1], location);

    const resolve = ['--resolve', `*:${proxy.httpPort}:127.0.0.1`, '--resolve', `*:${proxy.httpsPort}:127.0.0.1`];
    const followed = await curl([
      ...['-L', '--http1.1', '--cacert', rootFile, ...resolve, '-d', 'kept'],
      `http://${NAME}:${proxy.httpPort}/headers?a=1&b=%20`,
    ]);
    strictEqual(followed.code, 0, followed.text);
    const seen = JSON.parse(followed.stdout) as { method: string; url: string };
    strictEqual(`${seen.method} ${seen.url}`, 'POST /headers?a=1&b=%20', '308 keeps the method');
  });

  for (const host of ['stranger.example', 'evil.example:80', '127.0.0.1']) {
    test(`plain HTTP for ${host}, which is not served, gets 404 and no redirect`, async () => {
      const { stdout } = await askPlain('/', ['-H', `Host: ${host}`]);
      match(stdout, /^HTTP\/1\.1 404 Not Found\r\n/);
      doesNotMatch(stdout, /\r\nlocation:/i);
      doesNotMatch(stdout, /stranger|evil/);
    });
  }

  test('the plain listener answers unknown challenge tokens with 404, never with a redirect', async () => {
    const { stdout } = await askPlain('/.well-known/acme-challenge/unknown', ['-H', `Host: ${NAME}`]);
    match(stdout, /^HTTP\/1\.1 404 /);
    doesNotMatch(stdout, /\r\nlocation:/i);
  });

  test('HTTPS with a Host that is not served gets 421', async () => {
    const { stdout } = await ask('/', ['-H', 'Host: stranger.example']);
    match(stdout, /^HTTP\/1\.1 421 Misdirected Request\r\n/);
    match(stdout, /This host is not served here\./);
  });

  test('redirect routes answer with their status and place', async () => {
    match((await ask('/old')).stdout, /^HTTP\/1\.1 302 Found\r\n(.*\r\n)*Location: \/new\?from=old\r\n/);
    match(
      (await ask('/moved')).stdout,
      /^HTTP\/1\.1 301 Moved Permanently\r\n(.*\r\n)*Location: https:\/\/elsewhere\.example\/\r\n/,
    );
  });

  test('respond routes answer with their text, status and type; HEAD without the text', async () => {
    const robots = await ask('/robots.txt');
    match(robots.stdout, /^HTTP\/1\.1 200 OK\r\n(.*\r\n)*Content-Type: text\/plain; charset=utf-8\r\n/);
    match(robots.stdout, /\r\n\r\nUser-agent: \*\nDisallow: \/\n$/);
    match(
      (await ask('/teapot')).stdout,
      /^HTTP\/1\.1 418 .*\r\n(.*\r\n)*Content-Type: text\/html\r\n(.*\r\n)*\r\n<p>tea<\/p>$/,
    );
    const head = await ask('/robots.txt', ['-I']);
    strictEqual(head.code, 0);
    match(head.stdout, /\r\nContent-Length: 26\r\n/);
  });

  test('a path without a route gets 404, as text or as HTML if the client prefers that', async () => {
    const text = await ask('/nowhere');
    match(text.stdout, /^HTTP\/1\.1 404 Not Found\r\n/);
    match(text.stdout, /\r\n\r\n404 Not Found\nThere is nothing here\.\nRequest id: [\w-]+\n$/);
    const html = await ask('/nowhere', ['-H', 'Accept: text/html,application/xhtml+xml']);
    match(html.stdout, /\r\nContent-Type: text\/html; charset=utf-8\r\n/);
    match(html.stdout, /<h1>404 Not Found<\/h1>.*Request id: [\w-]+</);
  });

  test('an upstream that is down gives 502 with a request id that the log knows', async () => {
    const { stdout } = await ask('/down');
    match(stdout, /^HTTP\/1\.1 502 Bad Gateway\r\n/);
    doesNotMatch(stdout, /\r\nserver:|perantara|127\.0\.0\.1|ECONN/i);
    const id = /Request id: (\S+)/.exec(stdout)?.[1];
    const line = await proxy.logged((entry) => entry.msg === 'upstream failed' && entry.id === id);
    match(String(line.reason), /ECONNREFUSED|refused/);
  });

  test('an upstream slower than timeouts.responseHead gives 504', async () => {
    const { stdout } = await ask('/late?ms=60000');
    match(stdout, /^HTTP\/1\.1 504 Gateway Timeout\r\n/);
    match(stdout, /did not answer in time/);
  });
});
