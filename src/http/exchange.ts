// One request and its response, whatever protocol carried it. Content is pushed both ways with back-pressure:
// no stream, no promise and no closure per chunk. A codec implements Exchange; a handler implements ExchangeObserver.
import type { PerantaraError } from '../core/errors.ts';
import type { ExchangeRecord } from './exchange-record.ts';
import type { HeaderList } from './header-list.ts';
import type { RequestHead, ResponseHead } from './message.ts';

/** What a TLS handshake agreed on. */
export interface TlsFacts {
  /** `TLSv1.2` or `TLSv1.3`. */
  readonly version: string;
  /** As IANA names it: `TLS_AES_128_GCM_SHA256`. */
  readonly cipher: string;
  /** Whether an earlier session was resumed. */
  readonly resumed: boolean;
}

/** The peer of a downstream connection. */
export interface Client {
  /** IP address in normal form. */
  readonly address: string;
  readonly port: number;
  /** The name the TLS handshake was for, '' without SNI, null on a plain connection. */
  readonly servername: string | null;
  /** null on a plain connection, and on one that began while nobody listened for records. */
  readonly tls: TlsFacts | null;
}

/** What the codec tells the handler. After onEnd or onAbort nothing more comes from the request. */
export interface ExchangeObserver {
  /** A piece of request content, lent for the call. */
  onData(chunk: Buffer): void;
  /** The request content is complete. */
  onEnd(trailers: HeaderList | null): void;
  /** `write` may be called again after it returned false. */
  onDrain(): void;
  /** The exchange is over: client gone, deadline passed, malformed content. Called at most once, never after `end`. */
  onAbort(error: PerantaraError): void;
}

export interface Exchange {
  /** For logs and error pages; made when first asked for. */
  readonly id: string;
  readonly client: Client;
  readonly request: RequestHead;
  /** Length of the request content in bytes; null when not known beforehand. */
  readonly requestLength: number | null;
  /** The client asks for this protocol to be spoken after 101 (RFC 9110 section 7.8), or null. */
  readonly upgradeTo: string | null;
  /** Whether the client says it reads trailers (`TE: trailers`, RFC 9110 section 10.1.4). */
  readonly acceptsTrailers: boolean;
  /** What is noted of it for whoever watches; null: nobody does, or it is over. */
  readonly record: ExchangeRecord | null;
  /** Whether the final response head has been given. */
  readonly responded: boolean;

  /** Names the observer. Content starts to flow at `receive`. */
  observe(observer: ExchangeObserver): void;
  /** Starts the flow of request content. */
  receive(): void;
  pause(): void;
  resume(): void;
  /** Refuses request content over this many bytes with `body_too_large`; before `receive`. */
  limitRequest(bytes: number): void;

  /** Sends an interim response (100, 103). Ignored where the client cannot take one. */
  inform(head: ResponseHead): void;
  /** Sends the final head. `length`: content bytes to follow, null when unknown. Framing fields are the codec's, never in `head`. */
  respond(head: ResponseHead, length: number | null): void;
  /** Sends 101 for `protocol`; from then on `write`/`end` and `onData`/`onEnd` carry that protocol's bytes. */
  upgrade(head: ResponseHead, protocol: string): void;
  /** Takes ownership of `chunk`, which may be overwritten once it has been sent. false: wait for onDrain. */
  write(chunk: Buffer): boolean;
  /** Lets go what has been given so far, which may otherwise wait for more. `end` and `inform` do it by themselves. */
  flush(): void;
  end(trailers: HeaderList | null): void;
  /** Breaks the response off so that the client can tell. Nothing is called afterwards. */
  abort(error: PerantaraError): void;
}

/** Answers one exchange; must end in `end`, `abort` or the observer's onAbort. */
export type Handler = (exchange: Exchange) => void;
