// What the sender of a request is told about the response, whatever protocol carries it.
import type { PerantaraError } from '../core/errors.ts';
import type { HeaderList } from './header-list.ts';
import type { ResponseHead } from './message.ts';

/** The parts of a response, in order. */
export interface ResponseParts {
  onInformation(head: ResponseHead): void;
  /** `length`: content bytes to follow (or, without content, as declared); null when unknown. */
  onResponse(head: ResponseHead, length: number | null): void;
  /** 101: what follows is `protocol`. */
  onUpgrade(head: ResponseHead, protocol: string): void;
  /** A piece of content. */
  onResponseData(chunk: Buffer): void;
}

/**
 * What one request's sender is told. A chunk is lent for the call, but belongs to the sender from KEPT_BYTES (core/buffer-pool) on. After
 * onResponseEnd or onResponseError nothing more comes.
 */
export interface ResponseObserver extends ResponseParts {
  /** The connection is up, and has room for the request; only now is its content worth reading. Not called on a reused one. */
  onConnect(): void;
  /** What has come in so far has been told, and the response is not complete. */
  onResponseIdle(): void;
  /** The response is complete; after onUpgrade: the upstream will send no more. */
  onResponseEnd(trailers: HeaderList | null): void;
  /** `write` may be called again after it returned false. */
  onRequestDrain(): void;
  onResponseError(error: PerantaraError): void;
}
