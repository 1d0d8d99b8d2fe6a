// Requests and answers of every framing through the proxy, by curl over HTTPS.
import { deepStrictEqual, doesNotMatch, match, strictEqual } from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { needsTools } from '../support/needs-tools.ts';
import { type Perantara, startPerantara } from '../support/perantara.ts';
import { curl, type Run, type RunOptions } from '../support/program.ts';
import { type SampleUpstream, startSampleUpstream } from '../support/sample-upstream.ts';

const MIB = 1024 * 1024;

describe('an HTTPS site, asked by curl', await needsTools('curl'), () => {
  let folder: string;
  let upstream: SampleUpstream;
  let proxy: Perantara;
  let rootFile: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'perantara-requests-'));
    upstream = await startSampleUpstream();
    const sites = {
      'app.localhost': upstream.url,
      'small.localhost': { proxy: upstream.url, maxBody: '1KiB' },
    };
    proxy = await startPerantara({ config: { sites } });
    rootFile = join(proxy.storage, 'local-ca/root.pem');
    await proxy.obtained('app.localhost', 'small.localhost');
  });
  after(async () => {
    await proxy?.stop();
    await upstream?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const url = (path: string, host = 'app'): string => `https://${host}.localhost:${proxy.httpsPort}${path}`;
  const fetchPath = (path: string, args: readonly string[] = [], options: RunOptions = {}): Promise<Run> => {
    const resolve = `*:${proxy.httpsPort}:127.0.0.1`;
    return curl(['--http1.1', '--cacert', rootFile, '--resolve', resolve, ...args, url(path)], options);
  };

  test('GET brings the page, and no Server field of ours', async () => {
    const { stdout, code } = await fetchPath('/', ['-i']);
    strictEqual(code, 0);
    match(stdout, /^HTTP\/1\.1 200 OK\r\n/);
    match(stdout, /<h1>It works<\/h1>/);
    doesNotMatch(stdout.split('\r\n\r\n')[0]!, /perantara|\nserver:/i);
  });

  test('the upstream learns who asked, for which host and how; what the client claims about that is dropped', async () => {
    const claims = [
      'X-Forwarded-For: 6.6.6.6',
      'X-Forwarded-Proto: ftp',
      'Forwarded: for=6.6.6.6',
      'Connection: x-gone',
      'X-Gone: 1',
    ];
    const { stdout } = await fetchPath(
      '/headers?q=1',
      claims.flatMap((claim) => ['-H', claim]),
    );
    const { url: target, rawHeaders } = JSON.parse(stdout) as { url: string; rawHeaders: string[] };
    const values = (name: string): string[] =>
      rawHeaders.filter((_, i) => i % 2 === 1 && rawHeaders[i - 1]!.toLowerCase() === name);
    strictEqual(target, '/headers?q=1');
    deepStrictEqual(values('host'), [`app.localhost:${proxy.httpsPort}`]);
    deepStrictEqual(values('x-forwarded-for'), ['127.0.0.1']);
    deepStrictEqual(values('x-forwarded-proto'), ['https']);
    deepStrictEqual(values('x-forwarded-host'), [`app.localhost:${proxy.httpsPort}`]);
    match(values('forwarded').join(), /^for="?127\.0\.0\.1"?;.*proto=https/);
    match(values('via').join(), /^1\.1 /);
    deepStrictEqual(values('x-gone'), []);
  });

  test('HEAD brings the head of GET and no content', async () => {
    const { stdout, code } = await fetchPath('/bytes/1000', ['-I']);
    strictEqual(code, 0);
    match(stdout, /^HTTP\/1\.1 200 OK\r\n/);
    match(stdout, /\r\ncontent-length: 1000\r\n/i);
  });

  for (const status of [204, 304]) {
    test(`${status} has no content and the connection goes on`, async () => {
      const { stdout, code } = await fetchPath('/status/200', [
        '-w',
        '%{http_code} %{num_connects}\n',
        url(`/status/${status}`),
      ]);
      strictEqual(code, 0);
      strictEqual(stdout, `${status} 1\nstatus 200\n200 0\n`);
    });
  }

  test('POST with Expect: 100-continue sends its content only after the upstream’s 100', async () => {
    const body = randomBytes(2 * MIB);
    const file = join(folder, 'two-mib');
    await writeFile(file, body);
    const { text, code } = await fetchPath('/expect', [
      '-v',
      '-H',
      'Expect: 100-continue',
      '--expect100-timeout',
      '25',
      '--data-binary',
      `@${file}`,
    ]);
    strictEqual(code, 0, text);
    match(text, /< HTTP\/1\.1 100 Continue/);
    doesNotMatch(text, /Done waiting for 100-continue/);
    match(text, new RegExp(createHash('sha256').update(body).digest('hex')));
  });

  test('an upstream that refuses the expectation answers at once and gets no content', async () => {
    const file = join(folder, 'refused');
    await writeFile(file, Buffer.alloc(2 * MIB));
    const { text, code } = await fetchPath('/expect?refuse', [
      '-v',
      '-H',
      'Expect: 100-continue',
      '--expect100-timeout',
      '25',
      '--data-binary',
      `@${file}`,
      '-w',
      '%{http_code} %{size_upload}\n',
    ]);
    strictEqual(code, 0, text);
    doesNotMatch(text, /100 Continue/);
    match(text, /no, thank you/);
  });

  test('an upload of 50 MiB with a length arrives whole', async () => {
    const body = randomBytes(50 * MIB);
    const file = join(folder, 'fifty');
    await writeFile(file, body);
    const { stdout, code } = await fetchPath('/upload', ['-T', file]);
    strictEqual(code, 0);
    deepStrictEqual(JSON.parse(stdout), {
      bytes: body.length,
      sha256: createHash('sha256').update(body).digest('hex'),
    });
  });

  test('a chunked upload from standard input arrives whole', async () => {
    const body = randomBytes(3 * MIB + 17);
    const { stdout, text, code } = await fetchPath('/upload', ['-v', '-T', '-'], { input: body });
    strictEqual(code, 0, text);
    match(text, /> Transfer-Encoding: chunked/i);
    deepStrictEqual(JSON.parse(stdout), {
      bytes: body.length,
      sha256: createHash('sha256').update(body).digest('hex'),
    });
  });

  for (const place of ['bytes', 'chunked']) {
    test(`a download of 50 MiB from /${place} arrives whole`, async () => {
      const [through, direct] = [join(folder, 'through'), join(folder, 'direct')];
      strictEqual((await fetchPath(`/${place}/${50 * MIB}`, ['-o', through])).code, 0);
      strictEqual((await curl(['-o', direct, `${upstream.url}/${place}/${50 * MIB}`])).code, 0);
      strictEqual(await digest(through), await digest(direct));
    });
  }

  test('an HTTP/1.0 client gets a chunked answer without chunks, ended by the close', async () => {
    const { text, stdout, code } = await fetchPath('/chunked/100000', ['--http1.0', '-v', '--raw']);
    strictEqual(code, 0, text);
    strictEqual(stdout.length, 100_000);
    doesNotMatch(text, /< transfer-encoding/i);
    match(text, /< connection: close/i);
  });

  test('trailers reach the client', async () => {
    const checksum = createHash('sha256').update('checked at the end\n').digest('hex');
    const asked = await fetchPath('/trailers', ['--raw', '-H', 'TE: trailers']);
    match(asked.stdout, new RegExp(`\\r\\n0\\r\\nx-checksum: ${checksum}\\r\\n\\r\\n$`, 'i'));
  });

  test('103 early hints arrive before the answer', async () => {
    const { stdout, code } = await fetchPath('/early-hints', ['-i']);
    strictEqual(code, 0);
    match(
      stdout,
      /^HTTP\/1\.1 103 Early Hints\r\nlink: <\/logo\.svg>; rel=preload; as=image\r\n\r\nHTTP\/1\.1 200 OK\r\n/i,
    );
  });

  test('a body over maxBody is refused with 413, announced or not; one within passes', async () => {
    const post = async (args: readonly string[], input: string): Promise<string> => {
      const resolve = `*:${proxy.httpsPort}:127.0.0.1`;
      const report = ['-s', '-o', join(folder, 'ignored'), '-w', '%{http_code}'];
      const all = [
        '--http1.1',
        '--cacert',
        rootFile,
        '--resolve',
        resolve,
        ...report,
        ...args,
        url('/upload', 'small'),
      ];
      return (await curl(all, { input })).stdout;
    };
    strictEqual(await post(['--data-binary', '@-'], 'x'.repeat(1_025)), '413');
    strictEqual(await post(['-X', 'POST', '-T', '-'], 'x'.repeat(200_000)), '413');
    strictEqual(await post(['--data-binary', '@-'], 'x'.repeat(1_024)), '200');
    strictEqual(await post(['-X', 'POST', '-T', '-'], 'x'.repeat(1_024)), '200');
  });

  test('one connection serves many requests', async () => {
    const more = Array.from({ length: 9 }, () => url('/bytes/10'));
    const { stdout } = await fetchPath('/bytes/10', [
      '-o',
      '/dev/null',
      '-w',
      '%{num_connects}',
      ...more.flatMap((one) => ['-o', '/dev/null', one]),
    ]);
    strictEqual(stdout, '1000000000');
  });
});

async function digest(file: string): Promise<string> {
  const hash = createHash('sha256');
  await once(
    createReadStream(file).on('data', (chunk) => hash.update(chunk)),
    'end',
  );
  return hash.digest('hex');
}
