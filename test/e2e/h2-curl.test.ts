// HTTP/2 by curl (nghttp2's library), and who speaks only HTTP/1.1 on the same listener.
import { deepStrictEqual, doesNotMatch, match, strictEqual } from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { needsTools } from '../support/needs-tools.ts';
import { type Perantara, startPerantara } from '../support/perantara.ts';
import { curl, openssl, type Run, type RunOptions } from '../support/program.ts';
import { type SampleUpstream, startSampleUpstream } from '../support/sample-upstream.ts';

const NAME = 'app.localhost';
const SMALL = 'small.localhost';
const MIB = 1024 * 1024;

const digest = (body: Buffer): string => createHash('sha256').update(body).digest('hex');

describe('HTTP/2 by curl', await needsTools('curl', 'openssl'), () => {
  let folder: string;
  let upstream: SampleUpstream;
  let proxy: Perantara;
  let rootFile: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'perantara-h2-'));
    upstream = await startSampleUpstream();
    const sites = { [NAME]: upstream.url, [SMALL]: { proxy: upstream.url, maxBody: '1KiB' } };
    proxy = await startPerantara({
      config: { sites },
    });
    rootFile = join(proxy.storage, 'local-ca/root.pem');
    await proxy.obtained(NAME, SMALL);
  });
  after(async () => {
    await proxy?.stop();
    await upstream?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const url = (path: string, host = NAME): string => `https://${host}:${proxy.httpsPort}${path}`;
  const ask = (args: readonly string[], options: RunOptions = {}): Promise<Run> => {
    const resolve = ['--resolve', `*:${proxy.httpsPort}:127.0.0.1`];
    return curl(['--http2', '--cacert', rootFile, ...resolve, ...args], options);
  };

  test('GET brings the page by HTTP/2, and the upstream, spoken to by HTTP/1.1, learns who asked and how', async () => {
    const page = await ask(['-i', '-w', '%{http_version}', url('/')]);
    match(page.stdout, /^HTTP\/2 200 \r\n/);
    match(page.stdout, /<h1>It works<\/h1>.*<\/html>\n2$/s);
    doesNotMatch(
      page.stdout.split('\r\n\r\n')[0]!,
      /perantara|\nserver:|\nconnection:|\ntransfer-encoding:|\nkeep-alive:/i,
    );

    const { stdout } = await ask(['-H', 'X-Mixed-Case: Kept', '-b', 'a=1; b=2', url('/headers?q=1')]);
    const seen = JSON.parse(stdout) as { method: string; url: string; httpVersion: string; rawHeaders: string[] };
    const values = (name: string): string[] =>
      seen.rawHeaders.filter((_, i) => i % 2 === 1 && seen.rawHeaders[i - 1]!.toLowerCase() === name);
    strictEqual(`${seen.method} ${seen.url} ${seen.httpVersion}`, 'GET /headers?q=1 1.1');
    deepStrictEqual(values('host'), [`${NAME}:${proxy.httpsPort}`]);
    deepStrictEqual(values('x-mixed-case'), ['Kept']);
    deepStrictEqual(values('cookie'), ['a=1; b=2']);
    deepStrictEqual(values('x-forwarded-for'), ['127.0.0.1']);
    deepStrictEqual(values('x-forwarded-proto'), ['https']);
    match(values('via').join(), /^2\.0 /);
  });

  for (const [how, args] of [
    ['--http1.1', ['--http1.1']],
    ['--no-alpn', ['--no-alpn']],
    ['--http1.0', ['--http1.0']],
  ] as const) {
    test(`curl ${how} is spoken to by HTTP/1 on the same listener`, async () => {
      const { stdout, code } = await ask([...args, '-i', '-w', '%{http_version}', url('/status/200')]);
      strictEqual(code, 0);
      match(stdout, /^HTTP\/1\.1 200 OK\r\n/);
      match(stdout, /status 200\n1(\.1)?$/);
    });
  }

  for (const [offered, chosen] of [
    ['h2,http/1.1', 'h2'],
    ['http/1.1,h2', 'h2'],
    ['http/1.1', 'http/1.1'],
    ['h2', 'h2'],
    ['http/1.0,http/1.1', 'http/1.1'],
  ] as const) {
    test(`of ${offered} the listener chooses ${chosen} by ALPN`, async () => {
      const address = ['-connect', `127.0.0.1:${proxy.httpsPort}`, '-servername', NAME];
      const { text } = await openssl(['s_client', ...address, '-alpn', offered]);
      match(text, new RegExp(`^ALPN protocol: ${chosen}$`, 'm'));
    });
  }

  test('HEAD brings the head of GET; 204 and 304 have no content; the connection serves them all', async () => {
    const head = await ask(['-I', url('/bytes/1000')]);
    strictEqual(head.code, 0, head.text);
    match(head.stdout, /^HTTP\/2 200 \r\n/);
    match(head.stdout, /\r\ncontent-length: 1000\r\n/);
    const urls = [204, 304, 200].map((status) => url(`/status/${status}`));
    const { stdout, code } = await ask(['-w', '%{http_code} %{num_connects}\n', ...urls]);
    strictEqual(code, 0);
    strictEqual(stdout, '204 1\n304 0\nstatus 200\n200 0\n');
  });

  test('an upload of 20 MiB arrives whole, with a length and without', async () => {
    const body = randomBytes(20 * MIB);
    const file = join(folder, 'upload');
    await writeFile(file, body);
    const wanted = { bytes: body.length, sha256: digest(body) };
    const told = await ask(['-v', '-T', file, url('/upload')]);
    strictEqual(told.code, 0, told.text);
    match(told.text, /> PUT \/upload HTTP\/2/);
    match(told.text, /> content-length: /i);
    deepStrictEqual(JSON.parse(told.stdout), wanted);
    const untold = await ask(['-v', '-T', '-', url('/upload')], { input: body });
    strictEqual(untold.code, 0, untold.text);
    doesNotMatch(untold.text, /> content-length: /i);
    deepStrictEqual(JSON.parse(untold.stdout), wanted);
  });

  for (const place of ['bytes', 'chunked']) {
    test(`a download of 20 MiB from /${place} arrives whole`, async () => {
      const [through, direct] = [join(folder, 'through'), join(folder, 'direct')];
      strictEqual((await ask(['-o', through, url(`/${place}/${20 * MIB}`)])).code, 0);
      strictEqual((await curl(['-o', direct, `${upstream.url}/${place}/${20 * MIB}`])).code, 0);
      strictEqual(digest(await readFile(through)), digest(await readFile(direct)));
    });
  }

  test('103 early hints arrive before the answer, trailers after it', async () => {
    const hints = await ask(['-i', url('/early-hints')]);
    match(hints.stdout, /^HTTP\/2 103 \r\nlink: <\/logo\.svg>; rel=preload; as=image\r\n\r\nHTTP\/2 200 \r\n/);
    const trailers = await ask(['-v', '-H', 'TE: trailers', url('/trailers')]);
    strictEqual(trailers.code, 0);
    match(trailers.text, new RegExp(`^< x-checksum: ${digest(Buffer.from('checked at the end\n'))}\\s*$`, 'm'));
  });

  test('a hundred downloads at once share one connection', async () => {
    const urls = Array.from({ length: 100 }, (_, i) => ['-o', '/dev/null', url(`/bytes/${20_000 + i}`)]).flat();
    const report = ['-w', '%{http_code} %{http_version} %{num_connects} %{size_download}\n'];
    const { stdout, code } = await ask(['--parallel', '--parallel-max', '100', ...report, ...urls]);
    strictEqual(code, 0);
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split(' '));
    strictEqual(
      lines.reduce((sum, [, , connects]) => sum + Number(connects), 0),
      1,
    );
    deepStrictEqual(new Set(lines.map(([status, version]) => `${status} ${version}`)), new Set(['200 2']));
    const sizes = lines.map(([, , , size]) => Number(size)).sort((a, b) => a - b);
    deepStrictEqual(
      sizes,
      Array.from({ length: 100 }, (_, i) => 20_000 + i),
    );
  });

  test('content over maxBody is refused with 413, announced or not; another stream of the connection goes on', async () => {
    const report = ['-o', join(folder, 'ignored'), '-w', '%{http_code} %{num_connects}\n'];
    const told = ['--data-binary', '@-', url('/upload', SMALL)];
    const after413 = ['--next', '-sS', '--cacert', rootFile, '--http2', '-o', join(folder, 'ignored')];
    const next = [...after413, '-w', '%{http_code} %{num_connects}\n', url('/status/200', SMALL)];
    const announced = await ask([...report, ...told, ...next], { input: 'x'.repeat(1_025) });
    strictEqual(announced.stdout, '413 1\n200 0\n', announced.text);
    const counted = await ask([...report, '-T', '-', url('/upload', SMALL), ...next], { input: 'x'.repeat(200_000) });
    strictEqual(counted.stdout, '413 1\n200 0\n', counted.text);
  });

  test('a host that is not served gets 421, a path without a route 404, by HTTP/2 too', async () => {
    const stranger = await ask(['-i', '-H', 'Host: stranger.example', url('/')]);
    match(stranger.stdout, /^HTTP\/2 421 \r\n/);
    match(stranger.stdout, /This host is not served here\./);
    match((await ask(['-i', url('/nowhere')])).stdout, /^HTTP\/2 404 \r\n.*no such path\n$/s);
  });
});
