// HTTP/2 by h2load: every one of many requests is answered, once, and the upstream has seen as many.
import { deepStrictEqual, match, strictEqual } from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { needsTools } from '../support/needs-tools.ts';
import { type Perantara, startPerantara } from '../support/perantara.ts';
import { runProgram } from '../support/program.ts';
import { type SampleUpstream, startSampleUpstream } from '../support/sample-upstream.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { findTool } from '../support/tools.ts';

/** A name that h2load finds by itself. */
const NAME = 'localhost';

interface Shape {
  readonly requests: number;
  readonly connections: number;
  /** Of each connection. */
  readonly streams: number;
  readonly path: string;
  /** Content bytes of each answer, where they are known. */
  readonly bytes?: number;
  /** Content bytes of each request. Default none. */
  readonly upload?: number;
  readonly args?: readonly string[];
  readonly protocol?: 'h2' | 'http/1.1';
}

const SHAPES: readonly Shape[] = [
  { requests: 1_600, connections: 16, streams: 16, path: '/bytes/64', bytes: 64 },
  { requests: 1_000, connections: 1, streams: 100, path: '/bytes/64', bytes: 64 },
  { requests: 640, connections: 64, streams: 1, path: '/bytes/64', bytes: 64 },
  // More than may be open at once: what comes over it waits or is refused, h2load keeps to what it was told.
  { requests: 1_000, connections: 2, streams: 500, path: '/chunked/10', bytes: 10 },
  { requests: 32, connections: 4, streams: 8, path: '/bytes/1048576', bytes: 1_048_576 },
  { requests: 32, connections: 2, streams: 16, path: '/bytes/100000', bytes: 100_000, args: ['-w', '12', '-W', '14'] },
  { requests: 100, connections: 4, streams: 20, path: '/upload', upload: 200_000 },
  { requests: 400, connections: 8, streams: 1, path: '/bytes/64', bytes: 64, args: ['--h1'], protocol: 'http/1.1' },
];

describe('HTTP/2 by h2load', await needsTools('h2load'), () => {
  let upstream: SampleUpstream;
  let proxy: Perantara;
  let h2load: string;
  before(async () => {
    h2load = await findTool('h2load');
    upstream = await startSampleUpstream();
    proxy = await startPerantara({ config: { sites: { [NAME]: upstream.url } } });
    await proxy.obtained(NAME);
  });
  after(async () => {
    await proxy?.stop();
    await upstream?.close();
  });

  for (const { requests, connections, streams, path, bytes, upload, args = [], protocol = 'h2' } of SHAPES) {
    const name = `${connections} × ${streams} ${upload === undefined ? 'for' : 'to'} ${path} ${args.join(' ')}`.trim();
    test(`${name}: all ${requests} requests succeed, and no more reach the upstream`, async (t) => {
      const file = join(await temporaryFolder(t), 'body');
      await writeFile(file, randomBytes(upload ?? 0));
      const before = upstream.requests();
      const { stdout, code, text } = await runProgram(h2load, [
        ...['-n', String(requests), '-c', String(connections), '-m', String(streams)],
        ...(upload === undefined ? [] : ['-d', file]),
        ...args,
        `https://${NAME}:${proxy.httpsPort}${path}`,
      ]);
      strictEqual(code, 0, text);
      match(stdout, new RegExp(`^Application protocol: ${protocol.replace('.', '\\.')}$`, 'm'));
      const counts = `requests: ${requests} total, ${requests} started, ${requests} done, ${requests} succeeded, 0 failed, 0 errored, 0 timeout`;
      strictEqual(/^requests: .*$/m.exec(stdout)?.[0], counts);
      strictEqual(/^status codes: .*$/m.exec(stdout)?.[0], `status codes: ${requests} 2xx, 0 3xx, 0 4xx, 0 5xx`);
      if (bytes !== undefined) strictEqual(Number(/\((\d+)\) data$/m.exec(stdout)?.[1]), requests * bytes);
      deepStrictEqual(upstream.requests() - before, requests);
    });
  }
});
