// A scripted upstream that records every byte: what it was asked, on which connection, and how that connection ended.
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import type { TestContext } from 'node:test';
import { createSecureContext, TLSSocket, type TlsOptions } from 'node:tls';
import { Peer } from './peer.ts';
import { messageEnd, type ReceivedMessage, splitMessage } from './raw-message.ts';

/** Called at each request head, before any content. `connection` counts from 0. It may wait in vain: that is no failure. */
export type Script = (request: ReceivedMessage, peer: Peer, connection: number) => unknown;

export interface Origin {
  readonly port: number;
  /** One for each connection accepted, in order. */
  readonly peers: readonly Peer[];
  /** Heads of all requests so far. */
  readonly requests: readonly ReceivedMessage[];
  /** Resolves with the connection of that number once it has been accepted. */
  connection(index: number): Promise<Peer>;
  /** Resolves with the head of the request of that number once it has come. */
  request(index: number): Promise<ReceivedMessage>;
  stop(): Promise<void>;
}

export const ok = (body = 'hello'): string => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

export interface OriginOptions {
  /** A unix socket to listen on instead of a port. */
  readonly path?: string;
  /** Speaks TLS, by these. `Peer.cut` ends a connection without ending TLS. */
  readonly tls?: TlsOptions;
}

export async function startOrigin(
  t: Pick<TestContext, 'after'>,
  script: Script = (_request, peer) => void peer.send(ok()),
  { path, tls }: OriginOptions = {},
): Promise<Origin> {
  const secureContext = tls === undefined ? null : createSecureContext(tls);
  const peers: Peer[] = [];
  const requests: ReceivedMessage[] = [];
  const grown = new EventTarget();
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (raw) => {
    const options = { ...tls, isServer: true, secureContext, allowHalfOpen: true } as object;
    const socket =
      secureContext === null
        ? raw
        : new TLSSocket(
            raw.on('error', () => {}),
            options,
          );
    const peer = new Peer(socket, () => raw.resetAndDestroy(), raw);
    const connection = peers.push(peer) - 1;
    let at = 0;
    let isAnswered = false;
    /** Fewer bytes are no whole message. */
    let least = 0;
    socket.on('data', () => {
      while (peer.received >= least) {
        const empty = peer.text.indexOf('\r\n\r\n', at);
        if (empty === -1 || !/^\S+ .+ HTTP\/1\.\d\r\n/.test(peer.text.slice(at))) break;
        if (!isAnswered) {
          isAnswered = true;
          const request = splitMessage(peer.text.slice(at, empty + 4));
          requests.push(request);
          least = empty + 4 + Number(request.fields('content-length')[0] ?? 0);
          Promise.resolve(script(request, peer, connection)).catch(() => {});
        }
        const end = messageEnd(peer.text, at, false, false);
        if (end === -1) break;
        at = end;
        isAnswered = false;
      }
      grown.dispatchEvent(new Event('change'));
    });
    grown.dispatchEvent(new Event('change'));
  });
  server.listen(path === undefined ? { port: 0, host: '127.0.0.1' } : { path });
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
  t.after(stop);
  return {
    port: path === undefined ? (server.address() as AddressInfo).port : 0,
    peers,
    requests,
    connection: (index) => at(peers, index),
    request: (index) => at(requests, index),
    stop,
  };
}
