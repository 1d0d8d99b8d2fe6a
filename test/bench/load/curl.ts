// curl: large bodies one after another on one connection, counted to the byte.
import { runPinned } from '../pinned-process.ts';
import type { Outcome } from './outcome.ts';
import type { LoadRig } from './rig.ts';

export interface TransferOptions {
  readonly path: string;
  readonly times: number;
  readonly bytes: number;
  /** Sent with PUT; the answer is its length. Default none: GET. */
  readonly file?: string;
}

const LIMIT_MS = 60_000;
const FORMAT = 'result %{http_code} %{size_download} %{size_upload} %{num_connects} %{time_total}\\n';

export async function runTransfers(rig: LoadRig, port: number, options: TransferOptions): Promise<Outcome> {
  const { path, times, bytes, file } = options;
  const url = `https://localhost:${port}${path}`;
  const transfers: string[] = [];
  for (let i = 0; i < times; i++) {
    transfers.push(...(file === undefined ? [] : ['-T', file]), '-o', '/dev/null', url);
  }
  const common = ['-q', '-s', '-k', '--http1.1', '-4', '--noproxy', '*', '-H', 'Expect:', '-w', FORMAT];
  const { code, output } = await runPinned(
    {
      command: rig.curl.command,
      args: [...rig.curl.args, ...common, ...transfers],
      core: rig.core,
      env: { OPENSSL_CONF: rig.opensslConf },
    },
    LIMIT_MS,
  );
  const results = Array.from(output.matchAll(/^result (.*)$/gm), ([, text]) => text!.split(' ').map(Number));
  const isWhole = ([status, down, up]: readonly number[]): boolean =>
    status === 200 && (file === undefined ? down === bytes : up === bytes && down === `${bytes}`.length);
  const count = results.filter(isWhole).length;
  const errors =
    code === 0 && count === times ? [] : [`${times - count} of ${times} not whole, curl ended with ${code}`];
  return {
    count,
    seconds: results.reduce((sum, result) => sum + result[4]!, 0),
    p50Us: null,
    p99Us: null,
    errors,
  };
}
