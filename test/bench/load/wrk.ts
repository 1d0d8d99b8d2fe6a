// wrk: HTTP/1.1 over kept connections, as fast as it goes.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runPinned } from '../pinned-process.ts';
import { microseconds, type Outcome } from './outcome.ts';
import { coresOf, type LoadRig } from './rig.ts';

export interface WrkOptions {
  readonly path: string;
  readonly connections: number;
  readonly seconds: number;
  /** Sends this many bytes with POST. Default none: GET. */
  readonly bodyBytes?: number;
  /** Host fields to ask for in turn, at random. Default the address alone. */
  readonly hosts?: readonly string[];
}

/** wrk takes whole seconds; others are rounded up. */
export async function runWrk(rig: LoadRig, port: number, options: WrkOptions): Promise<Outcome> {
  const { path, connections, bodyBytes, hosts } = options;
  const seconds = Math.ceil(options.seconds);
  const script: string[] = [];
  if (bodyBytes !== undefined) {
    const file = join(rig.folder, `post-${bodyBytes}.lua`);
    await writeFile(file, `wrk.method = "POST"\nwrk.body = string.rep("x", ${bodyBytes})\n`);
    script.push('-s', file);
  }
  if (hosts !== undefined) {
    const file = join(rig.folder, 'hosts.lua');
    await writeFile(file, hostScript(hosts, path));
    script.push('-s', file);
  }
  const args = [
    ...rig.wrk.args,
    '-t1',
    `-c${connections}`,
    `-d${seconds}s`,
    '--latency',
    '--timeout',
    '10s',
    ...script,
  ];
  const { code, output } = await runPinned(
    {
      command: rig.wrk.command,
      args: [...args, `https://localhost:${port}${path}`],
      ...coresOf(rig),
      env: { OPENSSL_CONF: rig.opensslConf },
    },
    (seconds + 20) * 1_000,
  );
  return readWrk(code, output);
}

/** All requests are written before the first is sent, so that the client's work does not grow with their number. */
function hostScript(hosts: readonly string[], path: string): string {
  return `local hosts = { ${hosts.map((host) => `"${host}"`).join(', ')} }
local requests = {}
function init()
  for i, host in ipairs(hosts) do requests[i] = wrk.format("GET", "${path}", { Host = host }) end
end
function request() return requests[math.random(#requests)] end
`;
}

function readWrk(code: number, output: string): Outcome {
  const total = /(\d+) requests in ([\d.]+)(us|ms|s|m)/.exec(output);
  if (code !== 0 || total === null) throw new Error(`wrk failed with ${code}: ${output}`);
  const errors: string[] = [];
  const sockets = /Socket errors: (.*)/.exec(output)?.[1];
  if (sockets !== undefined) errors.push(`socket errors: ${sockets}`);
  const statuses = /Non-2xx or 3xx responses: (\d+)/.exec(output)?.[1];
  if (statuses !== undefined) errors.push(`${statuses} responses other than 2xx`);
  return {
    count: Number(total[1]),
    seconds: microseconds(total[2]!, total[3]!) / 1_000_000,
    p50Us: latency(output, 50),
    p99Us: latency(output, 99),
    errors,
  };
}

function latency(output: string, percent: number): number | null {
  const found = new RegExp(`^\\s+${percent}%\\s+([\\d.]+)(us|ms|s|m)$`, 'm').exec(output);
  return found === null ? null : microseconds(found[1]!, found[2]!);
}
