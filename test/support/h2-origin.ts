// A scripted HTTP/2 upstream that records every frame, over TLS with ALPN h2 or over plain TCP with prior knowledge.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { END_HEADERS, type Frame, HEADERS, type Setting } from './h2-frames.ts';
import type { H2Message } from './h2-message.ts';
import { H2Peer, type Habits } from './h2-peer.ts';

/** Called when the head of a request has come whole, before any content. `connection` counts from 0. */
export type H2Script = (request: H2Message, peer: H2Peer, connection: number) => unknown;

export interface H2OriginOptions {
  /** `cert`, `key` and the like; left out: plain TCP. `ALPNProtocols` are h2 when nothing else is said. */
  readonly tls?: TlsOptions;
  /** What it begins with; default: an empty frame, null: none. */
  readonly settings?: readonly Setting[] | null;
  readonly habits?: Partial<Habits>;
  /** Whether the test fails when the other side breaks the RFC in frames of its own; default: true. */
  readonly isJudged?: boolean;
}

export interface H2Origin {
  readonly port: number;
  /** One for each connection accepted, in order. */
  readonly peers: readonly H2Peer[];
  /** Heads of all requests so far, of all connections. */
  readonly requests: readonly H2Message[];
  /** Resolves with the connection of that number once it has been accepted. */
  connection(index: number): Promise<H2Peer>;
  /** Resolves with the head of the request of that number once it has come. */
  request(index: number): Promise<H2Message>;
  stop(): Promise<void>;
}

/** Answers 200 with `hello`. */
export const answerHello: H2Script = (request, peer) => {
  peer.headers(request.stream, [
    [':status', '200'],
    ['content-length', '5'],
  ]);
  peer.data(request.stream, 'hello', 1);
};

export async function startH2Origin(
  t: Pick<TestContext, 'after'>,
  script: H2Script = answerHello,
  options: H2OriginOptions = {},
): Promise<H2Origin> {
  const peers: H2Peer[] = [];
  const requests: H2Message[] = [];
  const grown = new EventTarget();
  const accept = (socket: Socket): void => {
    const peer = new H2Peer(socket, 'origin', options.habits);
    const connection = peers.push(peer) - 1;
    if (options.settings !== null) peer.settings(...(options.settings ?? []));
    let at = 0;
    let opener: Frame | null = null;
    socket.on('data', () => {
      for (; at < peer.frames.length; at++) {
        const frame = peer.frames[at]!;
        if (frame.type === HEADERS) opener = frame;
        if (opener?.fields == null || !frame.has(END_HEADERS)) continue;
        const request = peer.stream(opener.stream);
        if (request.fields === opener.fields) {
          requests.push(request);
          script(request, peer, connection);
        }
        opener = null;
      }
      grown.dispatchEvent(new Event('change'));
    });
    grown.dispatchEvent(new Event('change'));
  };
  const tcp = { noDelay: true, allowHalfOpen: true };
  const server =
    options.tls === undefined
      ? createServer(tcp, accept)
      : createTlsServer({ ...tcp, ALPNProtocols: ['h2'], ...options.tls }, accept);
  server.on('tlsClientError', () => {});
  server.listen({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  const at = async <T>(list: readonly T[], index: number): Promise<T> => {
    const patience = AbortSignal.timeout(10_000);
    while (list.length <= index) await once(grown, 'change', { signal: patience });
    return list[index]!;
  };
  const stop = async (): Promise<void> => {
    for (const peer of peers) peer.destroy();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  };
  t.after(async () => {
    await stop();
    if (options.isJudged !== false)
      assert.deepEqual(
        peers.flatMap(({ referee }) => referee.complaints),
        [],
      );
  });
  return {
    port: (server.address() as AddressInfo).port,
    peers,
    requests,
    connection: (index) => at(peers, index),
    request: (index) => at(requests, index),
    stop,
  };
}
