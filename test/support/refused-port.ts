// A port where connections are refused and that nobody else can come to listen on meanwhile: the near end of a connection
// that stays open. The port of a listener that was closed may be another program's a moment later.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import type { TestContext } from 'node:test';

/** Refuses until the test is over. */
export async function refusedPort(t: Pick<TestContext, 'after'>): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const holder = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [[accepted]] = await Promise.all([once(server, 'connection'), once(holder, 'connect')]);
  t.after(() => {
    holder.destroy();
    accepted.destroy();
    server.close();
  });
  return holder.localPort!;
}
