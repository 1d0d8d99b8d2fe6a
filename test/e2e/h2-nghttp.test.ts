// HTTP/2 by nghttp, which prints every frame: multiplexing, small windows, padding, priorities, CONTINUATION, trailers.
import { deepStrictEqual, doesNotMatch, match, ok, strictEqual } from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { needsTools } from '../support/needs-tools.ts';
import { type Perantara, startPerantara } from '../support/perantara.ts';
import { type Run, runProgram } from '../support/program.ts';
import { type SampleUpstream, startSampleUpstream } from '../support/sample-upstream.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { findTool } from '../support/tools.ts';

const MIB = 1024 * 1024;
/** What nghttp's second request has: its first five streams are only there to hang priorities on. */
const FIRST_STREAM = 13;

/** A name that nghttp finds by itself: it cannot be told where another one is. */
const NAME = 'localhost';

describe('HTTP/2 by nghttp', await needsTools('nghttp'), () => {
  let upstream: SampleUpstream;
  let proxy: Perantara;
  let nghttp: string;
  before(async () => {
    nghttp = await findTool('nghttp');
    upstream = await startSampleUpstream();
    proxy = await startPerantara({ config: { sites: { [NAME]: upstream.url } } });
    await proxy.obtained(NAME);
  });
  after(async () => {
    await proxy?.stop();
    await upstream?.close();
  });

  const url = (path: string): string => `https://${NAME}:${proxy.httpsPort}${path}`;
  const ask = async (...args: readonly string[]): Promise<Run> => {
    const run = await runProgram(nghttp, ['--no-verify-peer', '--timeout=20', ...args]);
    strictEqual(run.code, 0, run.text);
    return run;
  };

  /** Streams in the order in which they ended. */
  const ended = ({ stdout }: Run): number[] =>
    [...stdout.matchAll(/recv (?:DATA|HEADERS) frame <length=\d+, flags=0x\w+, stream_id=(\d+)>\n +; END_STREAM/g)].map(
      ([, id]) => Number(id),
    );
  const received = ({ stdout }: Run, type: string): string[] =>
    [...stdout.matchAll(new RegExp(`recv ${type} frame <length=\\d+, flags=0x\\w+, stream_id=(\\d+)>`, 'g'))].map(
      ([, id]) => id!,
    );

  test('streams of one connection are answered when their answers are there, not in the order of requests', async () => {
    const run = await ask('-v', '-n', url('/late?ms=300'), url('/bytes/10'), url('/status/204'), url('/bytes/20'));
    const ids = [FIRST_STREAM, FIRST_STREAM + 2, FIRST_STREAM + 4, FIRST_STREAM + 6];
    deepStrictEqual(
      [...ended(run)].sort((a, b) => a - b),
      ids,
    );
    strictEqual(ended(run).at(-1), FIRST_STREAM, 'the late one is the last');
    for (const [i, status] of [200, 200, 204, 200].entries())
      match(run.stdout, new RegExp(`recv \\(stream_id=${ids[i]}\\) :status: ${status}`));
    strictEqual(run.stdout.match(/The negotiated protocol: h2/g)?.length, 1, 'one connection');
    deepStrictEqual(received(run, 'RST_STREAM'), []);
  });

  test('the first frame is SETTINGS, the client’s are acknowledged, and nothing is pushed', async () => {
    const run = await ask('-v', '-n', url('/status/200'));
    match(/recv (\w+) frame/.exec(run.stdout)?.[1] ?? '', /^SETTINGS$/);
    match(run.stdout, /recv SETTINGS frame <length=0, flags=0x01, stream_id=0>\n +; ACK/);
    match(run.stdout, /SETTINGS_MAX_CONCURRENT_STREAMS\(0x03\):128/);
    doesNotMatch(run.stdout, /recv PUSH_PROMISE/);
    match(run.stdout, /send GOAWAY frame/);
  });

  test('many requests share the connection, also more than it may have streams at once', async () => {
    const run = await ask('-v', '-n', '-m', '300', '-M', '300', url('/bytes/100'));
    strictEqual(run.stdout.match(/:status: 200/g)?.length, 300);
    strictEqual(new Set(ended(run)).size, 300);
  });

  test('a download arrives whole through a window of 1,023 bytes, and through padded frames', async () => {
    const bytes = await ask(url(`/bytes/${300_000}`));
    strictEqual(bytes.stdout.length, 300_000);
    for (const args of [['-w', '10'], ['-w', '10', '-W', '16'], ['--padding=255'], ['--header-table-size=0']]) {
      const run = await ask(...args, url(`/bytes/${300_000}`));
      ok(run.stdout === bytes.stdout, args.join(' '));
    }
  });

  test('uploads arrive whole, with and without length, padded, and with trailers', async (t) => {
    const body = randomBytes(3 * MIB);
    const file = join(await temporaryFolder(t), 'body');
    await writeFile(file, body);
    const wanted = { bytes: body.length, sha256: createHash('sha256').update(body).digest('hex') };
    for (const args of [
      [],
      ['--no-content-length'],
      ['--padding=100'],
      ['--trailer=x-sum: abc'],
      ['--expect-continue'],
    ]) {
      const { stdout } = await ask(...args, '-d', file, url('/upload'));
      deepStrictEqual(JSON.parse(stdout), wanted, args.join(' '));
    }
  });

  test('100 Continue comes before the content is sent', async (t) => {
    const file = join(await temporaryFolder(t), 'body');
    await writeFile(file, 'hello');
    const run = await ask('-v', '--expect-continue', '-d', file, url('/expect'));
    const at = (pattern: RegExp): number => run.stdout.search(pattern);
    ok(at(/:status: 100/) > 0, run.stdout);
    ok(at(/:status: 100/) < at(/send DATA frame/) && at(/send DATA frame/) < at(/:status: 200/), run.stdout);
  });

  test('103, then the answer, then trailers come as three field sections of a stream', async () => {
    const hints = await ask('-v', '-n', url('/early-hints'));
    deepStrictEqual(hints.stdout.match(/:status: \d+/g), [':status: 103', ':status: 200']);
    const trailers = await ask('-v', '-n', '-H', 'te: trailers', url('/trailers'));
    match(
      trailers.stdout,
      /recv \(stream_id=13\) x-checksum: [0-9a-f]{64}\n[^\n]*recv HEADERS frame <.*>\n +; END_STREAM/,
    );
  });

  test('fields that need CONTINUATION frames arrive, and so do weights and dependencies of streams', async () => {
    const run = await ask('-v', '--continuation', '-p', '200', '-p', '1', url('/headers'), url('/headers?2'));
    // It prints the frames of a field section as one.
    ok(Number(/send HEADERS frame <length=(\d+)/.exec(run.stdout)?.[1]) > 16_384, run.stdout);
    ok(/send PRIORITY frame/.test(run.stdout), 'nghttp did send some');
    strictEqual(run.stdout.match(/:status: 200/g)?.length, 2, run.stdout);
    deepStrictEqual(run.stdout.match(/"continuation-test-\d"/gi)?.length, 12);
  });
});
