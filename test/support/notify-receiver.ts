// Hears what a service tells its manager (sd_notify(3)): a datagram socket of the unix family, which Node does not have.
import { spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { retry } from './retry.ts';

const PROGRAM = `
import json, os, socket, sys
name = sys.argv[1]
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("\\0" + name[1:] if name.startswith("@") else name)
print(json.dumps("bound"), flush=True)
while True:
    print(json.dumps(s.recv(65536).decode()), flush=True)
`;

export interface NotifyReceiver {
  /** Datagrams so far, each with its lines as a mapping. */
  readonly heard: readonly Readonly<Record<string, string>>[];
  /** The first, after those counted by `from`, that fits. */
  until(
    fits: (message: Readonly<Record<string, string>>) => boolean,
    from?: number,
  ): Promise<Readonly<Record<string, string>>>;
}

/** Why there can be none, for `skip`; null when there can. */
export function notifyObstacle(): string | null {
  for (const program of ['python3', 'systemd-notify'])
    if (spawnSync(program, ['--version']).status !== 0) return `${program} is not on PATH`;
  return null;
}

/** `name`: a path, or an abstract name that begins with @. */
export async function startNotifyReceiver(t: TestContext, name: string): Promise<NotifyReceiver> {
  const child = spawn('python3', ['-c', PROGRAM, name], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  const heard: Record<string, string>[] = [];
  let isBound = false;
  createInterface({ input: child.stdout }).on('line', (line) => {
    const text = JSON.parse(line) as string;
    if (isBound && !text.startsWith('BARRIER'))
      heard.push(Object.fromEntries(text.split('\n').map((each) => each.split(/=(.*)/s, 2))));
    isBound = true;
  });
  const sooner = { deadlineMs: 20_000 };
  await retry(async () => {
    if (!isBound) throw new Error('the receiver has not begun');
  }, sooner);
  const until: NotifyReceiver['until'] = (fits, from = 0) =>
    retry(async () => {
      const found = heard.slice(from).find(fits);
      if (found === undefined) throw new Error(`heard only ${JSON.stringify(heard)}`);
      return found;
    }, sooner);
  return { heard, until };
}
