// Node's own parser (llhttp) as node:http uses it, leniency off, fed in memory: the same readings as support/wire.ts.
// Trailers are given without those that must not be there, which Perantara drops.
import { ClientRequest, createServer, type IncomingMessage } from 'node:http';
import { Duplex } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { type Reading, ReadMessage } from './reading.ts';
import { withoutForbidden } from './strict-grammar.ts';
import type { Asked } from './wire.ts';

/** The wire end that node:http is given. */
class MemorySocket extends Duplex {
  written = '';

  constructor() {
    super({ highWaterMark: 1 << 20, allowHalfOpen: true });
    this.on('error', () => {});
  }

  feed(piece: string): void {
    if (!this.destroyed) this.push(Buffer.from(piece, 'latin1'));
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.written += chunk.toString('latin1');
    done();
  }

  setTimeout(): this {
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  destroySoon(): void {
    this.end();
  }
}

/** One message that is coming in. */
class Incoming {
  readonly message: ReadMessage;
  readonly #source: IncomingMessage;

  constructor(source: IncomingMessage, start: readonly string[], headEnd: number, onError: (error: Error) => void) {
    this.#source = source;
    this.message = new ReadMessage(start, source.rawHeaders, headEnd);
    source.on('error', onError);
    source.on('data', (chunk: Buffer) => {
      this.message.content += chunk.toString('latin1');
    });
  }

  /** `offset`: how much has been fed. */
  check(offset: number): void {
    if (this.message.end === null && this.#source.complete) this.message.end = offset;
  }

  close(): void {
    this.message.trailers = withoutForbidden(this.#source.rawTrailers);
  }
}

const MAX_HEADER_BYTES = 64 * 1024;

/**
 * Offsets are exact when the pieces are single bytes. Reads up to the head of a request with Upgrade: behind one that nobody
 * takes, node:http says nothing of what llhttp refuses.
 */
export async function readRequests(pieces: readonly string[]): Promise<Reading> {
  const server = createServer({ maxHeaderSize: MAX_HEADER_BYTES, insecureHTTPParser: false, requireHostHeader: false });
  server.maxHeadersCount = 0;
  const socket = new MemorySocket();
  const incoming: Incoming[] = [];
  let isUpgrade = false;
  let fed = 0;
  let refusal = '';
  const refuse = (error: NodeJS.ErrnoException): void => {
    refusal ||= `${error.code}: ${error.message}`;
  };
  const take = (request: IncomingMessage): void => {
    const { method = '', url = '', httpVersion, headers } = request;
    // What `requireHostHeader` does, but at once.
    if (httpVersion === '1.1' && headers.host === undefined) refusal ||= 'no Host';
    if (refusal !== '') return;
    isUpgrade ||= headers.upgrade !== undefined && /\bupgrade\b/i.test(headers.connection ?? '');
    incoming.push(new Incoming(request, [method, url, httpVersion], fed, refuse));
  };
  server.on('request', take);
  server.on('checkContinue', take);
  server.on('checkExpectation', () => {
    refusal ||= 'unknown expectation'; // what it answers with 417
  });
  server.on('connect', () => {
    refusal ||= 'CONNECT';
  });
  server.on('clientError', refuse);
  server.emit('connection', socket);
  await turn(); // it flows from then on
  for (const piece of pieces) {
    fed += piece.length;
    socket.feed(piece);
    for (const one of incoming) one.check(fed);
    if (refusal !== '' || isUpgrade) break;
  }
  await turn();
  for (const one of incoming) one.close();
  socket.destroy();
  return { ...reading(incoming, refusal), readTo: isUpgrade ? fed : pieces.join('').length };
}

export async function readResponse(pieces: readonly string[], { method, upgradeTo, ended }: Asked): Promise<Reading> {
  const socket = new MemorySocket();
  const incoming: Incoming[] = [];
  const interim: ReadMessage[] = [];
  let fed = 0;
  let refusal = '';
  const refuse = (error: NodeJS.ErrnoException): void => {
    refusal ||= `${error.code}: ${error.message}`;
  };
  const request = new ClientRequest({
    method,
    host: 'localhost',
    headers: upgradeTo === null ? {} : { Connection: 'Upgrade', Upgrade: upgradeTo },
    maxHeaderSize: MAX_HEADER_BYTES,
    insecureHTTPParser: false,
    createConnection: () => socket,
  } as ConstructorParameters<typeof ClientRequest>[0]);
  request.maxHeadersCount = 0;
  request.on('information', ({ httpVersion, statusCode, statusMessage, rawHeaders }) => {
    if (statusCode !== 100 && statusCode !== 103) return; // others are passed over, see support/wire.ts
    const message = new ReadMessage([httpVersion, String(statusCode), statusMessage], rawHeaders, fed);
    message.end = fed;
    interim.push(message);
  });
  const take = (response: IncomingMessage): void => {
    const { httpVersion, statusCode, statusMessage = '' } = response;
    incoming.push(new Incoming(response, [httpVersion, String(statusCode), statusMessage], fed, refuse));
  };
  request.on('response', take);
  request.on('upgrade', (response: IncomingMessage) => {
    take(response);
    incoming.at(-1)!.message.end = fed;
  });
  request.on('error', refuse);
  request.end();
  await turn();
  for (const piece of pieces) {
    fed += piece.length;
    socket.feed(piece);
    for (const one of incoming) one.check(fed);
    if (refusal !== '' || incoming.some((one) => one.message.end !== null)) break;
  }
  if (ended && incoming.every((one) => one.message.end === null)) {
    socket.push(null);
    await turn();
    for (const one of incoming) one.check(fed);
  }
  await turn();
  for (const one of incoming) one.close();
  request.destroy();
  socket.destroy();
  const { messages, outcome, reason } = reading(incoming, refusal);
  const isDone = messages.some((message) => message.end !== null);
  return { messages: [...interim, ...messages], outcome: isDone ? 'closed' : outcome, reason };
}

function reading(incoming: readonly Incoming[], refusal: string): Reading {
  const messages = incoming.map((one) => one.message);
  const isClosed = refusal.startsWith('HPE_CLOSED_CONNECTION');
  const outcome = refusal === '' ? 'waiting' : isClosed ? 'closed' : 'refused';
  return { messages, outcome, reason: refusal };
}
