// What HEADERS on a server's connection mean: a new stream with its request, the trailers of one, or neither (RFC 9113 sections
// 5.1.1, 5.1.2 and 8.1).
import type { PerantaraError } from '../core/errors.ts';
import type { DownstreamOptions } from '../http/downstream-options.ts';
import type { Client } from '../http/exchange.ts';
import { sendError } from '../http/plain-response.ts';
import { ConnectionFault, StreamFault } from './fault.ts';
import { CONCURRENT_STREAMS, STREAM_WINDOW_BYTES } from './limits.ts';
import type { MessageFields } from './message-fields.ts';
import { parsePriority } from './priority.ts';
import { type IncomingRequest, type KnownAuthority, readRequest } from './request-fields.ts';
import { ServerStream, type ServerStreamServices } from './server-stream.ts';
import type { Session } from './session.ts';

export class StreamOpener {
  /** Whether no new stream is served any more. */
  closed = false;
  readonly #session: Session<ServerStream>;
  readonly #options: DownstreamOptions;
  readonly #services: ServerStreamServices;
  /** Of the last request; no more is kept of it, which may be as large as the limits allow. */
  #previous: KnownAuthority | null = null;

  constructor(session: Session<ServerStream>, client: Client, options: DownstreamOptions) {
    this.#session = session;
    this.#options = options;
    const { timeouts, sweep, records, onFault } = options;
    this.#services = { client, timeouts, sweep, records, onFault };
  }

  /** Throws ConnectionFault or StreamFault. */
  take(streamId: number, stream: ServerStream | undefined, fields: MessageFields, ends: boolean): void {
    if (stream !== undefined) {
      if (stream.remoteEnded) throw new StreamFault('STREAM_CLOSED', 'HEADERS after END_STREAM');
      stream.onRemoteEnd(fields.trailers(ends));
      return;
    }
    const { streams } = this.#session;
    if (streamId % 2 === 0) throw new ConnectionFault('PROTOCOL_ERROR', 'a stream that clients may not open');
    if (streamId <= streams.lastId) {
      this.#judgeLate(streamId);
      if (ends) streams.endLate(streamId);
      return;
    }
    streams.lastId = streamId;
    if (this.closed) {
      streams.end(streamId, 'reset-by-us'); // GOAWAY has said so
      this.#session.allowances.reset();
      this.#session.lateBytes += STREAM_WINDOW_BYTES;
      return;
    }
    const incoming = this.#read(fields, ends);
    const opened = new ServerStream(streamId, this.#session, incoming, this.#services);
    if (ends) opened.startEnded();
    if (fields.priority !== null) Object.assign(opened, parsePriority(fields.priority));
    streams.add(opened);
    this.#session.allowances.requested();
    this.#begin(opened, incoming.refusal);
    const { authority, host } = incoming.head;
    if (incoming.refusal === null && this.#previous?.authority !== authority) this.#previous = { authority, host };
  }

  /** Throws StreamFault, after that has been recorded: nobody else knows what was asked for. */
  #read(fields: MessageFields, ends: boolean): IncomingRequest {
    try {
      if (this.#session.streams.size >= CONCURRENT_STREAMS) throw new StreamFault('REFUSED_STREAM', 'too many streams');
      return readRequest(fields, this.#options.scheme, ends, this.#previous);
    } catch (error) {
      const { client, records } = this.#services;
      if (error instanceof StreamFault)
        records.begin(client, fields.method ?? '', fields.path ?? '', '2.0', null, null)?.over(error);
      throw error;
    }
  }

  #begin(stream: ServerStream, refusal: PerantaraError | null): void {
    try {
      if (refusal === null) this.#options.handler(stream);
      else sendError(stream, refusal);
    } catch (thrown) {
      stream.onThrown(thrown);
    }
  }

  /** HEADERS for a stream that is over, or was passed over (RFC 9113 section 5.1.1). */
  #judgeLate(streamId: number): void {
    switch (this.#session.streams.endingOf(streamId)) {
      case 'reset-by-us':
        this.#session.allowances.lateHeaders();
        return;
      case 'reset-by-peer':
        throw new StreamFault('STREAM_CLOSED', 'HEADERS on a closed stream');
      case 'ended':
        throw new ConnectionFault('STREAM_CLOSED', 'HEADERS on a closed stream');
      case null:
        throw new ConnectionFault('PROTOCOL_ERROR', 'a stream identifier that is not above the last');
    }
  }
}
