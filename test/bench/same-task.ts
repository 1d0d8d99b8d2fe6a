// That a race is the same task for all: looked at before anything is measured.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BenchCase } from './bench-case.ts';
import type { UpstreamKind } from './contestants/contestant.ts';
import type { Http2Request } from './load/http2-request.ts';
import { askOverHttp2, getOnce, type Probe } from './load/probe.ts';
import { SUITE } from './load/secure-client.ts';

export interface TaskOptions {
  readonly port: number;
  /** SHA-256 of the certificate. */
  readonly fingerprint: string;
  /** Where the files of `Http2Request.upload` are. */
  readonly files: string;
}

/** How the origins name the protocol of a request. */
const SPOKEN: Readonly<Record<Exclude<UpstreamKind, 'none'>, string>> = {
  http1: 'HTTP/1.1',
  h2c: 'HTTP/2.0',
  grpc: 'HTTP/2.0',
};

/** What differs from how it must be, in words. */
export async function findDifferences(benchCase: BenchCase, options: TaskOptions): Promise<readonly string[]> {
  const { http2, origin } = benchCase;
  const { port, files } = options;
  const wrong: string[] = [];
  if (http2 !== null) {
    const content = http2.upload === null ? {} : { content: await readFile(join(files, http2.upload)) };
    const probe = await askOverHttp2(port, { ...http2, ...content });
    wrong.push(...connectionDifferences(probe, options), ...answerDifferences(probe, http2));
  }
  // The echo origin answers nothing but handshakes, and without an origin nobody sees what is forwarded.
  if (origin !== 'echo' && origin !== null) {
    const ask = (): Promise<Probe> =>
      http2 === null ? getOnce(port, '/headers') : askOverHttp2(port, { path: '/headers' });
    await ask();
    const probe = await ask();
    wrong.push(...connectionDifferences(probe, options), ...forwardingDifferences(probe, benchCase.upstream));
  }
  return wrong;
}

function connectionDifferences({ protocol, suite, fingerprint }: Probe, options: TaskOptions): string[] {
  const wrong: string[] = [];
  if (protocol !== 'TLSv1.3' || suite !== SUITE) wrong.push(`${protocol} with ${suite}`);
  if (fingerprint !== options.fingerprint) wrong.push('another certificate');
  return wrong;
}

function answerDifferences({ status, body, trailers }: Probe, asked: Http2Request): string[] {
  const wrong: string[] = [];
  if (status !== 200) wrong.push(`${asked.path} has status ${status}`);
  if (body.length !== asked.bytes) wrong.push(`${asked.path} has ${body.length} bytes`);
  for (const [name, value] of Object.entries(asked.trailers))
    if (trailers[name] !== value) wrong.push(`${asked.path} ends with ${name} "${trailers[name] ?? ''}"`);
  return wrong;
}

/** Of the origins' `/headers`. */
function forwardingDifferences({ status, body }: Probe, upstream: UpstreamKind): string[] {
  const [address, scheme, served, spoken] = body.split(' ');
  const wrong: string[] = [];
  if (status !== 200) wrong.push(`status ${status}`);
  if (address !== '127.0.0.1') wrong.push(`X-Forwarded-For "${address}"`);
  if (scheme !== 'https') wrong.push(`X-Forwarded-Proto "${scheme}"`);
  if (!(Number(served) > 1)) wrong.push('no kept upstream connection');
  if (upstream !== 'none' && spoken !== SPOKEN[upstream]) wrong.push(`"${spoken}" to the upstream`);
  return wrong;
}
