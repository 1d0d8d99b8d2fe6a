// A request on its way to an upstream, and what its sender is told about the response.
import type { PerantaraError } from '../core/errors.ts';
import type { HeaderList } from '../http/header-list.ts';
import type { ResponseParts } from './response-reader.ts';

/**
 * What one request's sender is told. A chunk is lent for the call, but belongs to the sender from KEPT_BYTES on. After
 * onResponseEnd or onResponseError nothing more comes.
 */
export interface ResponseObserver extends ResponseParts {
  /** The connection is up; only now is request content worth reading. Not called on a reused connection. */
  onConnect(): void;
  /** What has come in so far has been told, and the response is not complete. */
  onResponseIdle(): void;
  /** The response is complete; after onUpgrade: the upstream will send no more. */
  onResponseEnd(trailers: HeaderList | null): void;
  /** `write` may be called again after it returned false. */
  onRequestDrain(): void;
  onResponseError(error: PerantaraError): void;
}

export interface OutgoingRequest {
  readonly method: string;
  readonly target: string;
  /** Without hop-by-hop and framing fields. */
  readonly headers: HeaderList;
  /** Content bytes to follow, null when unknown. */
  readonly length: number | null;
  readonly upgradeTo: string | null;
  readonly acceptsTrailers: boolean;
}
