// A bare proxy before an h2c origin, and many clients that ask at once: how requests share the connections to a target.
import type { TestContext } from 'node:test';
import type { TargetAddress } from '../../src/config/config.ts';
import { type BareProxy, startBareProxy } from './bare-proxy.ts';
import { request } from './chain.ts';
import { answerHello, type H2Origin, type H2OriginOptions, type H2Script, startH2Origin } from './h2-origin.ts';
import type { Peer } from './peer.ts';

export interface H2cProxy extends BareProxy {
  readonly origin: H2Origin;
  /** Sends a request on each of so many connections of clients. */
  readonly ask: (count: number, message?: string) => Promise<Peer[]>;
  readonly statuses: (clients: readonly Peer[]) => Promise<number[]>;
}

export async function startH2cProxy(
  t: TestContext,
  script: H2Script = answerHello,
  options: H2OriginOptions = {},
): Promise<H2cProxy> {
  const origin = await startH2Origin(t, script, options);
  const target: TargetAddress = { kind: 'tcp', host: '127.0.0.1', port: origin.port, protocol: 'h2c' };
  const proxy = await startBareProxy(t, target);
  const ask = async (count: number, message = request('/')): Promise<Peer[]> => {
    const clients = await Promise.all(Array.from({ length: count }, proxy.connect));
    for (const client of clients) void client.send(message);
    return clients;
  };
  const statuses = async (clients: readonly Peer[]): Promise<number[]> =>
    Promise.all(clients.map(async (client) => (await client.message()).status));
  return { ...proxy, origin, ask, statuses };
}
