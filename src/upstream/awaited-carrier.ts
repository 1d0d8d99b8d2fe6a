// Stands in for a carrier while a TLS handshake decides which protocol carries the request; then passes everything on to the
// real one, and answers come straight from there.
import type { PerantaraError } from '../core/errors.ts';
import type { HeaderList } from '../http/header-list.ts';
import type { OutgoingRequest } from '../http/outgoing-request.ts';
import type { RequestCarrier } from '../http/request-carrier.ts';
import type { ResponseObserver } from '../http/response-observer.ts';

/** Told when nobody waits any more for what it was going to carry. */
export interface AwaitedOwner {
  onGivenUp(carrier: AwaitedCarrier): void;
}

export class AwaitedCarrier implements RequestCarrier {
  readonly #owner: AwaitedOwner;
  #carrier: RequestCarrier | null = null;
  #request: OutgoingRequest | null = null;
  #observer: ResponseObserver | null = null;
  /** Content that did not wait for onConnect. */
  #early: Buffer[] = [];
  #endedEarly = false;
  #trailers: HeaderList | null = null;
  #paused = false;

  constructor(owner: AwaitedOwner) {
    this.#owner = owner;
  }

  get connected(): boolean {
    return this.#carrier?.connected ?? false;
  }

  get reused(): boolean {
    return this.#carrier?.reused ?? false;
  }

  get responseStarted(): boolean {
    return this.#carrier?.responseStarted ?? false;
  }

  send(request: OutgoingRequest, observer: ResponseObserver): void {
    if (this.#carrier !== null) {
      this.#carrier.send(request, observer);
      return;
    }
    this.#request = request;
    this.#observer = observer;
  }

  write(chunk: Buffer): boolean {
    if (this.#carrier !== null) return this.#carrier.write(chunk);
    this.#early.push(Buffer.from(chunk));
    return false;
  }

  end(trailers: HeaderList | null): void {
    if (this.#carrier !== null) {
      this.#carrier.end(trailers);
      return;
    }
    this.#endedEarly = true;
    this.#trailers = trailers;
  }

  pause(): void {
    if (this.#carrier === null) this.#paused = true;
    else this.#carrier.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#carrier?.resume();
  }

  destroy(): void {
    this.#observer = null;
    if (this.#carrier === null) this.#owner.onGivenUp(this);
    else this.#carrier.destroy();
  }

  // For the owner.

  /** Gives what has been sent to `carrier`, which may itself still be connecting. */
  passTo(carrier: RequestCarrier): void {
    const request = this.#request;
    const observer = this.#observer;
    this.#carrier = carrier;
    this.#request = null;
    this.#observer = null;
    if (request === null || observer === null) return; // it will be sent straight to the carrier
    const isOpen = carrier.connected;
    carrier.send(request, observer);
    if (this.#paused) carrier.pause();
    const early = this.#early;
    this.#early = [];
    let isFull = false;
    for (const chunk of early) isFull = !carrier.write(chunk);
    if (this.#endedEarly) carrier.end(this.#trailers);
    if (isOpen) observer.onConnect();
    if (early.length > 0 && !isFull) observer.onRequestDrain();
  }

  fail(error: PerantaraError): void {
    const observer = this.#observer;
    this.#observer = null;
    observer?.onResponseError(error);
  }
}
