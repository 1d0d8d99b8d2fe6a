// gRPC clients → Perantara → two gRPC servers that do the same, one spoken to in the clear (h2c://), one by TLS (https://).
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { ClientOptions } from '@grpc/grpc-js';
import { GrpcClient } from './grpc-client.ts';
import { type Methods, startGrpcServer } from './grpc-server.ts';
import { makeAuthority, mint } from './minted.ts';
import { type Perantara, startPerantara } from './perantara.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** The site whose server is spoken to in the clear, and the one whose server is spoken to by TLS. */
export const CLEAR = 'clear.localhost';
export const SEALED = 'sealed.localhost';

/** Longer than any message, for servers and clients. */
export const ANY_LENGTH = { 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 };

export interface GrpcRig {
  readonly proxy: Perantara;
  /** PEM of the authority that certified the sites. */
  readonly root: Buffer;
  /** What both servers do from now on. */
  serve(methods: Methods): void;
  /** Closed after the test. */
  client(t: Pick<TestContext, 'after'>, name?: string, options?: ClientOptions): GrpcClient;
  stop(): Promise<void>;
}

/** `sites`: further ones. */
export async function startGrpcRig(sites: Readonly<Record<string, unknown>> = {}): Promise<GrpcRig> {
  const started: (() => unknown)[] = [];
  const t = { after: (stop: () => unknown) => void started.push(stop) } as Pick<TestContext, 'after'>;
  const stop = async (): Promise<void> => {
    for (const each of started.splice(0).reverse()) await each();
  };
  try {
    return { ...(await start(t, sites)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(
  t: Pick<TestContext, 'after'>,
  sites: Readonly<Record<string, unknown>>,
): Promise<Omit<GrpcRig, 'stop'>> {
  let served: Methods = {};
  const methods: Methods = {
    say: (call, answer) => served.say?.(call, answer),
    gather: (call, answer) => served.gather?.(call, answer),
    spread: (call) => served.spread?.(call),
    talk: (call) => served.talk?.(call),
  };
  const authority = makeAuthority();
  const certificate = mint(['localhost'], authority);
  const trust = join(await temporaryFolder(t), 'authority.pem');
  await writeFile(trust, authority.certPem);
  const clear = await startGrpcServer(t, { methods, options: ANY_LENGTH });
  const sealed = await startGrpcServer(t, { methods, certificate, options: ANY_LENGTH });
  const names = [CLEAR, SEALED, ...Object.keys(sites)];
  const proxy = await startPerantara({
    config: {
      sites: {
        [CLEAR]: `h2c://127.0.0.1:${clear.port}`,
        [SEALED]: sealedSite(sealed.port, trust),
        ...sites,
      },
    },
  });
  t.after(() => proxy.stop());
  await proxy.obtained(...names);
  const root = await readFile(join(proxy.storage, 'local-ca/root.pem'));
  return {
    proxy,
    root,
    serve: (given) => {
      served = given;
    },
    client: (test, name = CLEAR, options = {}) => new GrpcClient(test, { port: proxy.httpsPort, name, root }, options),
  };
}

function sealedSite(port: number, trust: string): unknown {
  return { proxy: { to: `https://localhost:${port}`, trust } };
}
