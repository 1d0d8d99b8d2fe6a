// The client side of the codec on its own, connected to a raw HTTP/2 origin: what it asks, and what it makes of the answers.
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import type { TestContext } from 'node:test';
import { BufferPool } from '../../../src/core/buffer-pool.ts';
import { DeadlineSweep } from '../../../src/core/deadlines.ts';
import { EndOfTurn } from '../../../src/core/end-of-turn.ts';
import type { PerantaraError } from '../../../src/core/errors.ts';
import { plainOpener } from '../../../src/core/upstream-socket.ts';
import { HeaderList } from '../../../src/http/header-list.ts';
import type { ResponseObserver } from '../../../src/http/response-observer.ts';
import { ClientSession } from '../../../src/http2/client-session.ts';
import { H2Peer } from '../../support/h2-peer.ts';

const TIMEOUTS = { connectMs: 60_000, responseHeadMs: 60_000, bodyIdleMs: 60_000 };

/** What became of a request. */
export interface Asked {
  status: number;
  informational: number[];
  body: string;
  trailers: readonly string[] | null;
  error: PerantaraError | null;
  /** Resolves when the response is complete, or will never be. */
  readonly over: Promise<void>;
}

export interface UpstreamRig {
  readonly session: ClientSession;
  /** The origin's end; its SETTINGS have not been sent. */
  readonly peer: H2Peer;
  /** Sends a request: of POST the head, of others all. */
  ask(method?: string): Asked;
}

export async function startUpstreamRig(t: TestContext): Promise<UpstreamRig> {
  const server = createServer({ noDelay: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const services = { sweep: new DeadlineSweep(), turn: new EndOfTurn(), buffers: new BufferPool() };
  const owner = { onCapacity: () => {}, onIdle: () => {}, onClosed: () => {} };
  const session = new ClientSession(plainOpener({ host: '127.0.0.1', port }), owner, {
    ...services,
    scheme: 'http',
    timeouts: TIMEOUTS,
  });
  const [socket] = await once(server, 'connection');
  const peer = new H2Peer(socket, 'origin');
  t.after(() => {
    session.destroy();
    peer.destroy();
    server.close();
  });
  return { session, peer, ask: (method = 'GET') => ask(session, method) };
}

function ask(session: ClientSession, method: string): Asked {
  const { promise, resolve } = Promise.withResolvers<void>();
  const asked: Asked = { status: 0, informational: [], body: '', trailers: null, error: null, over: promise };
  const observer: ResponseObserver = {
    onConnect: () => {},
    onInformation: ({ status }) => void asked.informational.push(status),
    onResponse: ({ status }) => {
      asked.status = status;
    },
    onUpgrade: () => {},
    onResponseData: (chunk) => {
      asked.body += chunk.toString('latin1');
    },
    onResponseIdle: () => {},
    onResponseEnd: (trailers) => {
      asked.trailers = trailers?.flat ?? [];
      resolve();
    },
    onRequestDrain: () => {},
    onResponseError: (error) => {
      asked.error = error;
      resolve();
    },
  };
  const headers = new HeaderList(['Host', 'app.localhost']);
  const request = {
    method,
    target: '/',
    headers,
    length: method === 'POST' ? null : 0,
    upgradeTo: null,
    acceptsTrailers: true,
  };
  session.openStream().send(request, observer);
  return asked;
}
