// h2load over HTTP/1.1: a given number of requests per second, spread over its connections.
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { PeerProgram } from '../peer-program.ts';
import { runPinned } from '../pinned-process.ts';
import { type Outcome, percentile } from './outcome.ts';
import type { LoadRig } from './rig.ts';
import { GROUP, SUITE } from './secure-client.ts';

export interface PacedOptions {
  readonly path: string;
  readonly connections: number;
  readonly seconds: number;
  /** Of all connections together. */
  readonly perSecond: number;
}

export async function runH2load(
  rig: LoadRig,
  h2load: PeerProgram,
  port: number,
  options: PacedOptions,
): Promise<Outcome> {
  const { path, connections, seconds, perSecond } = options;
  const log = join(rig.folder, 'h2load.log');
  const perConnection = Math.max(1, Math.round(perSecond / connections));
  const load = ['--h1', '-t1', `-c${connections}`, '-m1', `-D${Math.ceil(seconds)}`, `--rps=${perConnection}`];
  const tls = [`--tls13-ciphers=${SUITE}`, `--groups=${GROUP}`];
  const { code, output } = await runPinned(
    {
      command: h2load.command,
      args: [
        ...h2load.args,
        ...load,
        ...tls,
        `--connect-to=127.0.0.1:${port}`,
        `--log-file=${log}`,
        `https://localhost:${port}${path}`,
      ],
      core: rig.core,
    },
    (seconds + 20) * 1_000,
  );
  if (code !== 0) throw new Error(`h2load failed with ${code}: ${output}`);
  const lines = (await readFile(log, 'latin1')).trimEnd().split('\n');
  await rm(log);
  const tookUs = Float64Array.from(lines, (line) => Number(line.split('\t')[2]));
  const others = lines.filter((line) => line.split('\t')[1] !== '200').length;
  const failed = /(\d+) failed, (\d+) errored, (\d+) timeout/.exec(output);
  const errors = others > 0 ? [`${others} responses other than 200`] : [];
  if (failed === null || failed[0] !== '0 failed, 0 errored, 0 timeout') errors.push(failed?.[0] ?? 'no summary');
  return {
    count: lines.length - others,
    seconds: Math.ceil(seconds),
    p50Us: percentile(tookUs, 0.5),
    p99Us: percentile(tookUs, 0.99),
    errors,
  };
}
