// Client → Perantara → origin, whole and in this process: the set-up of nearly every data-plane test.
import type { TestContext } from 'node:test';
import type { CreateCrew } from '../../src/server/crew.ts';
import { type Origin, type Script, startOrigin } from './origin.ts';
import { connectSecure, type Peer } from './peer.ts';
import { type ProxyRig, startProxy } from './proxy-rig.ts';

export interface Chain extends ProxyRig {
  readonly origin: Origin;
  /** A new TLS connection to the proxy for app.localhost, closed after the test. */
  connect(): Promise<Peer>;
  /** Sends one request on a connection of its own and waits for the end of that connection. */
  exchange(...pieces: readonly (string | Buffer)[]): Promise<Peer>;
}

export interface ChainOptions {
  readonly script?: Script;
  /** What the site app.localhost has besides the origin as its `proxy`. */
  readonly site?: Readonly<Record<string, unknown>>;
  readonly timeouts?: Readonly<Record<string, string>>;
  readonly config?: Readonly<Record<string, unknown>>;
  /** As startProxy has it. */
  readonly createCrew?: CreateCrew;
}

export async function startChain(t: TestContext, options: ChainOptions = {}): Promise<Chain> {
  const origin = await startOrigin(t, options.script);
  const value = {
    sites: { 'app.localhost': { proxy: `http://127.0.0.1:${origin.port}`, ...options.site } },
    ...(options.timeouts === undefined ? {} : { timeouts: options.timeouts }),
    ...options.config,
  };
  const rig = await startProxy(value, options.createCrew);
  t.after(() => rig.stop());
  const connect = async (): Promise<Peer> => {
    const client = await connectSecure(rig.httpsPort);
    t.after(() => client.destroy());
    return client;
  };
  const exchange = async (...pieces: readonly (string | Buffer)[]): Promise<Peer> => {
    const client = await connect();
    await client.send(...pieces);
    await client.end();
    return client;
  };
  return { ...rig, origin, connect, exchange };
}

/** A request head for app.localhost; `fields` are lines without CRLF. */
export function request(target = '/', fields: readonly string[] = [], method = 'GET', version = 'HTTP/1.1'): string {
  return [`${method} ${target} ${version}`, 'Host: app.localhost', ...fields, '', ''].join('\r\n');
}

/** A POST with this content. */
export function post(target: string, body: string, fields: readonly string[] = []): string {
  return request(target, [`Content-Length: ${body.length}`, ...fields], 'POST') + body;
}
