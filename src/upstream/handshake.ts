// One TLS connection in the making, from the first packet to the protocol agreed on, and the requests that wait for it. The
// deadline for connecting covers all of it.
import type { OnReadOpts } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { monotonicMs } from '../core/clock.ts';
import type { DeadlineSweep, Expiring } from '../core/deadlines.ts';
import type { PerantaraError } from '../core/errors.ts';
import { connectSecure, type SecurePlace } from '../core/secure-upstream-socket.ts';
import { socketFailure } from '../core/socket-failure.ts';
import type { SocketOpener } from '../core/upstream-socket.ts';
import { upstreamFault } from '../http/upstream-fault.ts';
import { AwaitedCarrier, type AwaitedOwner } from './awaited-carrier.ts';

/** As ALPN names them (RFC 7301, RFC 9113 section 3.2). */
export type Protocol = 'h2' | 'http/1.1';

/** What is left of it is read into the next one. */
const FIRST_READ_BYTES = 1024;

export interface HandshakeOptions {
  readonly connectMs: number;
  readonly sweep: DeadlineSweep;
}

export interface HandshakeOwner {
  /** The connection is up: whoever speaks `protocol` on it takes it by `open` now, and those that wait are passed on. */
  onAgreed(handshake: Handshake, protocol: Protocol): void;
  /** It came to nothing. Those that wait are told afterwards. */
  onFailed(handshake: Handshake): void;
}

export class Handshake implements Expiring, AwaitedOwner {
  readonly deadlineAt: number;
  /** Monotonic. */
  readonly begunAtMs = monotonicMs();
  readonly offered: readonly Protocol[];
  readonly waiting = new Set<AwaitedCarrier>();
  readonly #owner: HandshakeOwner;
  readonly #options: HandshakeOptions;
  readonly #socket: TLSSocket;
  readonly #firstRead = Buffer.allocUnsafe(FIRST_READ_BYTES);
  #reader: OnReadOpts | null = null;
  #reached = false;
  #over = false;

  constructor(place: SecurePlace, offered: readonly Protocol[], owner: HandshakeOwner, options: HandshakeOptions) {
    this.offered = offered;
    this.#owner = owner;
    this.#options = options;
    this.deadlineAt = options.sweep.after(options.connectMs);
    this.#socket = connectSecure(place, offered, {
      buffer: () => this.#nextBuffer(),
      callback: (bytes, buffer) => this.#onRead(bytes, buffer),
    });
    this.#socket.once('connect', this.#onReached);
    this.#socket.once('secureConnect', this.#onSecure);
    this.#socket.on('error', this.#onError);
    this.#socket.on('close', this.#onClose);
    options.sweep.add(this);
  }

  join(): AwaitedCarrier {
    const carrier = new AwaitedCarrier(this);
    this.waiting.add(carrier);
    return carrier;
  }

  /** Hands the connection over, once. */
  readonly open: SocketOpener = (onread) => {
    this.#reader = onread;
    return this.#socket;
  };

  onGivenUp(carrier: AwaitedCarrier): void {
    this.waiting.delete(carrier);
    if (this.waiting.size === 0) this.destroy();
  }

  onDeadline(): void {
    const what = this.#reached ? 'the TLS handshake' : 'connecting';
    this.#fail(upstreamFault('connect_timeout', `${what} took too long`));
  }

  /** Whoever waits is told. */
  destroy(error = upstreamFault('connect_failed', 'cannot connect: it was given up')): void {
    this.#fail(error);
  }

  readonly #onReached = (): void => {
    this.#reached = true;
  };

  readonly #onSecure = (): void => {
    const agreed = this.#socket.alpnProtocol;
    const protocol = agreed === 'h2' ? 'h2' : 'http/1.1';
    if (!this.offered.includes(protocol)) {
      this.#fail(upstreamFault('connect_failed', 'cannot connect: it does not speak HTTP/2 over TLS (ALPN)'));
      return;
    }
    this.#end();
    this.#owner.onAgreed(this, protocol);
    this.waiting.clear(); // this lives as long as the connection
    this.#socket.off('error', this.#onError);
    this.#socket.off('close', this.#onClose);
  };

  readonly #onError = (error: Error): void => {
    this.#fail(upstreamFault('connect_failed', `cannot connect: ${socketFailure(error)}`, error));
  };

  readonly #onClose = (): void => {
    this.#fail(upstreamFault('connect_failed', 'cannot connect: it closed the connection'));
  };

  #fail(error: PerantaraError): void {
    if (this.#over) return;
    this.#end();
    this.#socket.destroy();
    this.#owner.onFailed(this);
    for (const carrier of this.waiting) carrier.fail(error);
  }

  #end(): void {
    this.#over = true;
    this.#options.sweep.delete(this);
  }

  // Whoever takes the connection has no buffer yet when Node asks for the first.

  #nextBuffer(): Uint8Array {
    return this.#reader === null ? this.#firstRead : bufferOf(this.#reader);
  }

  #onRead(bytes: number, buffer: Uint8Array): boolean {
    if (this.#reader === null) return true;
    if (buffer !== this.#firstRead) return this.#reader.callback(bytes, buffer);
    const own = bufferOf(this.#reader);
    own.set(buffer.subarray(0, bytes));
    return this.#reader.callback(bytes, own);
  }
}

function bufferOf({ buffer }: OnReadOpts): Uint8Array {
  return typeof buffer === 'function' ? buffer() : buffer;
}
