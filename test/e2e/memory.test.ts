// A gibibyte each way through a little memory: back-pressure from end to end. Read from /proc, so on Linux only.
import { deepStrictEqual, ok, strictEqual } from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { needsTools } from '../support/needs-tools.ts';
import { type Perantara, startPerantara } from '../support/perantara.ts';
import { curl, type Run } from '../support/program.ts';
import { retry } from '../support/retry.ts';
import { startSampleUpstream } from '../support/sample-upstream.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { findTool } from '../support/tools.ts';

const NAME = 'app.localhost';
const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
const MOST_EXTRA_BYTES = 64 * MIB;
const OPTIONS = existsSync('/proc/self/status')
  ? await needsTools('curl')
  : { skip: 'there is no /proc on this machine to read the memory of a process from' };

interface Site {
  readonly proxy: Perantara;
  readonly curlArguments: (path: string) => readonly string[];
  readonly ask: (path: string, ...args: readonly string[]) => Promise<Run>;
}

async function serve(t: TestContext): Promise<Site> {
  const upstream = await startSampleUpstream();
  t.after(() => upstream.close());
  const proxy = await startPerantara({ config: { sites: { [NAME]: upstream.url } } });
  t.after(() => proxy.stop());
  await proxy.obtained(NAME);
  const trust = ['--http1.1', '--cacert', join(proxy.storage, 'local-ca/root.pem')];
  const resolve = ['--resolve', `${NAME}:${proxy.httpsPort}:127.0.0.1`, '--max-time', '100'];
  const curlArguments = (path: string): readonly string[] => [
    ...trust,
    ...resolve,
    `https://${NAME}:${proxy.httpsPort}${path}`,
  ];
  const ask: Site['ask'] = (path, ...args) => curl([...curlArguments(path), ...args], { withinMs: 110_000 });
  return { proxy, ask, curlArguments };
}

/** The most memory the process ever had resident, in bytes. */
async function peakBytes(pid: number): Promise<number> {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}

/** Resolves when the value was the same at twenty looks in a row: nothing moves any more. */
async function standstill(look: () => Promise<number>): Promise<void> {
  let last = -1;
  let same = 0;
  const isStill = async (): Promise<void> => {
    const value = await look();
    same = value === last ? same + 1 : 0;
    last = value;
    ok(same >= 20);
  };
  await retry(isStill, { deadlineMs: 30_000, pauseMs: 50 });
}

async function sparseFile(t: TestContext, bytes: number): Promise<string> {
  const path = join(await temporaryFolder(t), 'zeros');
  const file = await open(path, 'w');
  await file.truncate(bytes);
  await file.close();
  return path;
}

test(
  'a download of 1 GiB by a client that stops reading for a while takes less than 64 MiB more memory',
  OPTIONS,
  async (t) => {
    const { proxy, ask, curlArguments } = await serve(t);
    strictEqual((await ask(`/bytes/${MIB}`, '-o', '/dev/null')).code, 0);
    const before = await peakBytes(proxy.pid);
    const client = spawn(await findTool('curl'), ['-q', '-sS', ...curlArguments(`/bytes/${GIB}`)]);
    t.after(() => client.kill('SIGKILL'));
    const ended = once(client, 'close');
    await once(client.stdout, 'readable'); // it has begun, and nobody reads its pipe
    await standstill(() => peakBytes(proxy.pid));
    let received = 0;
    client.stdout.on('data', (chunk: Buffer) => {
      received += chunk.length;
    });
    strictEqual((await ended)[0], 0);
    strictEqual(received, GIB);
    const extra = (await peakBytes(proxy.pid)) - before;
    t.diagnostic(`${Math.round(before / MIB)} MiB before, ${Math.round(extra / MIB)} MiB more at the peak`);
    ok(extra < MOST_EXTRA_BYTES, `${extra} bytes more`);
  },
);

test('an upload of 1 GiB takes less than 64 MiB of memory beyond that of a small one', OPTIONS, async (t) => {
  const { proxy, ask } = await serve(t);
  strictEqual((await ask('/upload', '-T', await sparseFile(t, MIB))).code, 0);
  const before = await peakBytes(proxy.pid);
  const { code, text, stdout } = await ask('/upload', '-T', await sparseFile(t, GIB));
  strictEqual(code, 0, text);
  deepStrictEqual(JSON.parse(stdout), { bytes: GIB, sha256: digestOfZeros(GIB) });
  const extra = (await peakBytes(proxy.pid)) - before;
  t.diagnostic(`${Math.round(before / MIB)} MiB before, ${Math.round(extra / MIB)} MiB more at the peak`);
  ok(extra < MOST_EXTRA_BYTES, `${extra} bytes more`);
});

function digestOfZeros(bytes: number): string {
  const hash = createHash('sha256');
  const zeros = Buffer.alloc(MIB);
  for (let done = 0; done < bytes; done += MIB) hash.update(zeros);
  return hash.digest('hex');
}
