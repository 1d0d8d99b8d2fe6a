// One downstream HTTP/1.1 connection: reads requests one after another, gives each to the handler as an Exchange, keeps
// every phase to its deadline, and ends the connection cleanly. Pipelined requests wait their turn (RFC 9112 section 9.3).
// Hot: no timer, stream, promise or closure per request, and none per read.
import type { Socket } from 'node:net';
import type { Expiring } from '../core/deadlines.ts';
import { PerantaraError } from '../core/errors.ts';
import { readShared } from '../core/shared-read.ts';
import { CLIENT_GONE, clientGone, shuttingDown, tooSlow, tunnelIdle, unexpected } from '../http/downstream-fault.ts';
import type { DownstreamOptions } from '../http/downstream-options.ts';
import type { Client } from '../http/exchange.ts';
import type { ExchangeFeed } from '../http/exchange-feed.ts';
import { FIRST_REQUEST_MS, LINGER_MS, leastUpload, patienceMs, slowReaderMs } from '../http/grace.ts';
import { sendError } from '../http/plain-response.ts';
import type { ExchangeHost } from './exchange-host.ts';
import { HalfClosedWatch } from './half-closed.ts';
import { Input } from './input.ts';
import { PIPELINE_BYTES } from './limits.ts';
import { Output } from './output.ts';
import { refuseConnection } from './refusal.ts';
import type { IncomingRequest } from './request-reader.ts';
import { RequestSource } from './request-source.ts';
import { ServerExchange } from './server-exchange.ts';

export class ServerConnection implements ExchangeHost, Expiring {
  readonly client: Client;
  readonly output: Output;
  deadlineAt: number;
  readonly #socket: Socket;
  readonly #options: DownstreamOptions;
  readonly #requests: RequestSource;
  #exchange: ServerExchange | null = null;
  readonly #input = new Input();
  readonly #halfClosed: HalfClosedWatch;
  #consuming = false;
  #inputEnded = false;
  #lingering = false;
  #draining = false;
  #isUsed = false;

  /** The socket is connected and past its TLS handshake; allowHalfOpen is set. */
  constructor(socket: Socket, client: Client, options: DownstreamOptions) {
    this.#socket = socket;
    this.client = client;
    this.#options = options;
    this.output = new Output(socket, options);
    this.#requests = new RequestSource(options.scheme);
    this.#halfClosed = new HalfClosedWatch(socket);
    this.deadlineAt = options.sweep.after(options.timeouts.headMs);
  }

  get draining(): boolean {
    return this.#draining;
  }

  get records(): ExchangeFeed {
    return this.#options.records;
  }

  get inputPending(): boolean {
    return this.#input.bytes !== null;
  }

  #after(ms: number): number {
    return this.#options.sweep.after(ms);
  }

  start(): void {
    const socket = this.#socket;
    socket.on('error', () => {}); // 'close' follows and says it all
    socket.on('close', () => this.#onClose());
    const onData = (chunk: Buffer): void => this.#onData(chunk);
    if (!readShared(socket, this.#options.buffers.shared, onData)) socket.on('data', onData);
    socket.on('end', () => this.#onEnd());
    socket.on('drain', () => this.#onDrain());
    socket.on('finish', () => this.#onFinish()).resume(); // the gate may have paused it
    this.#options.sweep.add(this);
  }

  /** Finishes the exchange under way, then closes; at once when idle, but for a client that has yet to ask for the first time. */
  drain(): void {
    this.#draining = true;
    if (this.#exchange !== null || this.#requests.started || this.inputPending) return;
    if (this.#isUsed) this.#endSocket();
    else this.deadlineAt = Math.min(this.deadlineAt, this.#after(FIRST_REQUEST_MS));
  }

  destroy(): void {
    this.#giveUp(shuttingDown());
  }

  // What the exchange tells.

  onActivity(): void {
    this.#consume();
    this.#updateDeadline();
  }

  onResponseEnd(): void {
    const exchange = this.#exchange!;
    if (exchange.tunnelling) {
      this.output.flush();
      this.#socket.end();
      if (this.#inputEnded) this.#socket.destroySoon();
      return;
    }
    if (!exchange.keepAlive) this.#endSocket();
    else if (exchange.requestDone) this.#nextRequest();
    this.#consume();
    this.#updateFlow();
  }

  breakOff(_error: PerantaraError): void {
    // The upstream of a tunnel may go once it has said all: what it said is still delivered.
    if (this.#exchange?.responseEnded) this.#socket.destroySoon();
    else this.#break();
  }

  // What the socket tells.

  #onData(chunk: Buffer): void {
    if (this.#lingering) return;
    this.#input.push(chunk);
    try {
      this.#consume();
    } finally {
      this.#input.keep(chunk); // whatever happened: the bytes are lent
    }
    if (this.#exchange?.earnsTime(chunk.length, leastUpload(this.#options.timeouts))) this.#updateDeadline();
    else this.#updateFlow();
  }

  #onEnd(): void {
    this.#inputEnded = true;
    const exchange = this.#exchange;
    if (exchange === null && this.inputPending) return; // answers to pipelined requests wait for room
    if (exchange === null || this.#lingering) this.#endSocket();
    else if (exchange.tunnelling) this.#consume();
    else if (!exchange.requestDone)
      exchange.responseEnded ? this.#endSocket() : this.#fail(clientGone('in the middle of its request'));
    else this.#watchHalfClosed();
  }

  #onDrain(): void {
    this.output.drained();
    if (this.#exchange === null) this.deadlineAt = this.#after(this.#options.timeouts.keepAliveMs);
    else this.#exchange.drained();
    this.#consume();
    this.#updateDeadline();
  }

  #onFinish(): void {
    if (this.#lingering) this.deadlineAt = this.#after(LINGER_MS);
  }

  #onClose(): void {
    this.#options.sweep.delete(this);
    const exchange = this.#exchange;
    this.#exchange = null;
    this.#input.clear();
    exchange?.giveUp(clientGone('before its response was complete'));
    this.#options.onClose();
  }

  onDeadline(): void {
    const exchange = this.#exchange;
    if (this.#lingering || (exchange === null && !this.#requests.started)) {
      if (this.#lingering || this.output.blocked) this.#socket.destroy();
      else this.#endSocket();
    } else if (exchange === null) this.#fail(tooSlow('request head'));
    else if (this.#inputEnded && !exchange.tunnelling && this.#halfClosed.isStillThere(exchange)) {
      this.#watchHalfClosed();
    } else if (this.output.blocked) this.#giveUp(clientGone('or does not take its response'));
    else if (exchange.tunnelling) this.#giveUp(tunnelIdle());
    else if (this.#inputEnded) this.#giveUp(clientGone('before its response was complete'));
    else this.#fail(tooSlow('request content'));
  }

  // The flow of input.

  /** Uses up input: heads start exchanges, content goes to the exchange; stops where somebody must act first. */
  #consume(): void {
    if (this.#consuming) return;
    this.#consuming = true;
    try {
      const input = this.#input;
      while (input.bytes !== null && !this.#lingering) {
        const exchange = this.#exchange;
        if (exchange === null) {
          if (this.output.blocked) break; // answers are not piled up for a client that does not take them
          // A head is to be whole within one deadline from its first byte: it is not moved by more bytes.
          if (!this.#requests.started) this.deadlineAt = this.#after(this.#options.timeouts.headMs);
          const incoming = this.#requests.take(input);
          if (incoming !== null) this.#begin(incoming);
        } else if (exchange.wantsInput) {
          input.advance(exchange.feed(input.bytes, input.at, input.bytes.length));
          if (exchange.responseEnded && exchange.requestDone && exchange === this.#exchange) this.#nextRequest();
        } else {
          if (exchange.responseEnded && !exchange.requestDone) this.#endSocket(); // too much left to read and drop
          break;
        }
      }
      if (this.#inputEnded && !this.inputPending) this.#passOnEnd();
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#consuming = false;
    }
  }

  #passOnEnd(): void {
    const exchange = this.#exchange;
    if (exchange === null) this.#endSocket();
    else if (exchange.tunnelling && !exchange.requestDone) exchange.inputEnd();
  }

  #begin(incoming: IncomingRequest): void {
    const exchange = new ServerExchange(this, incoming);
    this.#exchange = exchange;
    this.#isUsed = true;
    if (this.#inputEnded) this.#watchHalfClosed();
    else this.deadlineAt = Number.POSITIVE_INFINITY;
    this.#options.handler(exchange);
  }

  #nextRequest(): void {
    this.#exchange = null;
    const { timeouts } = this.#options;
    this.deadlineAt = this.#after(this.output.blocked ? slowReaderMs(timeouts) : timeouts.keepAliveMs);
    if (this.#draining && !this.inputPending) this.#endSocket();
  }

  /** Reads while somebody takes the bytes, and otherwise only as much as notices a client that leaves. */
  #updateFlow(): void {
    const exchange = this.#exchange;
    let stop = exchange === null ? this.output.blocked : !exchange.wantsInput;
    if (exchange?.requestDone) stop = this.#input.length >= PIPELINE_BYTES;
    if (stop && !this.#lingering) this.#socket.pause();
    else if (this.#socket.isPaused()) this.#socket.resume();
  }

  #updateDeadline(): void {
    const exchange = this.#exchange;
    if (this.#lingering) return;
    if (exchange !== null && (exchange.tunnelling || !this.#inputEnded))
      this.deadlineAt = this.#after(patienceMs(exchange, this.output.blocked, this.#options.timeouts));
    this.#updateFlow();
  }

  #watchHalfClosed(): void {
    if (!this.inputPending) this.#exchange?.forceClose();
    this.#halfClosed.start();
    this.deadlineAt = this.#after(this.output.blocked ? slowReaderMs(this.#options.timeouts) : this.#halfClosed.waitMs);
  }

  // The ends.

  /** Answers what can still be answered, tells the handler, and closes. */
  #fail(thrown: unknown): void {
    const error = thrown instanceof PerantaraError ? thrown : unexpected(thrown);
    const exchange = this.#exchange;
    if (exchange !== null) {
      exchange.fail(error);
      exchange.forceClose();
      if (exchange.responded || error.code === CLIENT_GONE) {
        this.#break();
        exchange.giveUp(error);
      } else sendError(exchange, error);
    } else {
      refuseConnection(this.output, error, this.#requests.recordRefused(this.records, this.client));
      this.#endSocket();
    }
    if (error.source === 'internal') this.#options.onFault(error);
  }

  /** Without another word, or any that waits. */
  #giveUp(error: PerantaraError): void {
    this.#exchange?.giveUp(error);
    this.#socket.destroy();
  }

  /** Ends the connection so that the client can tell: RST, or under TLS no close_notify. */
  #break(): void {
    this.output.flush();
    if (this.#options.scheme === 'https') this.#socket.destroy();
    else this.#socket.resetAndDestroy();
  }

  /** Sends what is queued and FIN, as slowly as the client takes it, then reads on so that nothing is lost to a reset. */
  #endSocket(): void {
    if (this.#lingering) return;
    this.#lingering = true;
    this.#input.clear();
    this.output.flush();
    this.#socket.end();
    if (this.#inputEnded) this.#socket.destroySoon();
    else this.#socket.resume();
    this.deadlineAt = this.#after(slowReaderMs(this.#options.timeouts)); // LINGER_MS from #onFinish
  }
}
