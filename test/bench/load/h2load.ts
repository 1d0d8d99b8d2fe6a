// h2load: over HTTP/2 as fast as it goes, or over HTTP/1.1 with a given number of requests per second.
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { runPinned } from '../pinned-process.ts';
import { judgeSummary, readSummary } from './h2load-summary.ts';
import type { Http2Request } from './http2-request.ts';
import { type Outcome, percentile } from './outcome.ts';
import { coresOf, type LoadRig } from './rig.ts';
import { GROUP, SUITE } from './secure-client.ts';

export interface PacedOptions {
  readonly path: string;
  readonly connections: number;
  readonly seconds: number;
  /** Of all connections together. */
  readonly perSecond: number;
}

export interface MultiplexedOptions {
  readonly request: Http2Request;
  readonly connections: number;
  /** At once on each connection. */
  readonly streams: number;
  readonly seconds: number;
  /** Flow-control windows of 2^n - 1 bytes. Default what h2load takes, a GiB each: nothing ever waits for them. */
  readonly windows?: { readonly streamBits: number; readonly connectionBits: number };
}

/** HTTP/1.1, spread over its connections. */
export async function runPaced(rig: LoadRig, port: number, options: PacedOptions): Promise<Outcome> {
  const { path, connections, perSecond } = options;
  const seconds = Math.ceil(options.seconds);
  const log = join(rig.folder, 'h2load.log');
  const perConnection = Math.max(1, Math.round(perSecond / connections));
  const load = ['--h1', `-c${connections}`, '-m1', `-D${seconds}`, `--rps=${perConnection}`, `--log-file=${log}`];
  const output = await run(rig, port, path, load, seconds);
  const lines = (await readFile(log, 'latin1')).trimEnd().split('\n');
  await rm(log);
  const tookUs = Float64Array.from(lines, (line) => Number(line.split('\t')[2]));
  const others = lines.filter((line) => line.split('\t')[1] !== '200').length;
  const failed = /(\d+) failed, (\d+) errored, (\d+) timeout/.exec(output);
  const errors = others > 0 ? [`${others} responses other than 200`] : [];
  if (failed === null || failed[0] !== '0 failed, 0 errored, 0 timeout') errors.push(failed?.[0] ?? 'no summary');
  return {
    count: lines.length - others,
    seconds,
    p50Us: percentile(tookUs, 0.5),
    p99Us: percentile(tookUs, 0.99),
    errors,
  };
}

/** HTTP/2. h2load takes whole seconds; others are rounded up. */
export async function runMultiplexed(rig: LoadRig, port: number, options: MultiplexedOptions): Promise<Outcome> {
  const { request, connections, streams, windows } = options;
  const seconds = Math.ceil(options.seconds);
  const load = [`-c${connections}`, `-m${streams}`, `-D${seconds}`];
  if (windows !== undefined) load.push(`-w${windows.streamBits}`, `-W${windows.connectionBits}`);
  if (request.upload !== null) load.push('-d', join(rig.folder, 'files', request.upload));
  for (const [name, value] of Object.entries(request.headers)) load.push('-H', `${name}: ${value}`);
  const summary = readSummary(await run(rig, port, request.path, load, seconds));
  const { succeeded, p50Us, p99Us } = summary;
  const errors = judgeSummary(summary, { bytes: request.bytes, atOnce: connections * streams });
  return { count: succeeded, seconds: summary.seconds, p50Us, p99Us, errors };
}

async function run(
  rig: LoadRig,
  port: number,
  path: string,
  load: readonly string[],
  seconds: number,
): Promise<string> {
  if (rig.h2load === null) throw new Error('cannot load the proxy: h2load was not found');
  const { command, args } = rig.h2load;
  const tls = [`--tls13-ciphers=${SUITE}`, `--groups=${GROUP}`];
  const where = [`--connect-to=127.0.0.1:${port}`, `https://localhost:${port}${path}`];
  const { code, output } = await runPinned(
    { command, args: [...args, '-t1', ...load, ...tls, ...where], ...coresOf(rig) },
    (seconds + 20) * 1_000,
  );
  if (code !== 0) throw new Error(`h2load failed with ${code}: ${output}`);
  return output;
}
