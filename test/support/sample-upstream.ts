// An internal service for the demo and the tests: a page for people and one path per thing a proxy must pass on unharmed.
// Built on node:http and `ws`, so that it shares no code with Perantara.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { type WebSocket, WebSocketServer } from 'ws';
import { SAMPLE_LOGO, SAMPLE_PAGE } from './sample-page.ts';

const CLOCK_MS = 1_000;
/** More than what a proxy lets through, so that the proxy's limit is the one that is met. */
const MAX_HEAD_BYTES = 64 * 1024;
const CHUNK = Buffer.alloc(64 * 1024, 'perantara\n');

export interface SampleUpstreamOptions {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: any. */
  readonly port?: number;
  /** Answers what the sample's own paths do not; returns false to leave it at 404. Default none. */
  readonly handle?: (request: IncomingMessage, response: ServerResponse) => boolean;
}

export interface SampleUpstream {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  readonly port: number;
  /** Requests begun so far, upgrades included. */
  requests(): number;
  /** Connections open now. */
  connections(): Promise<number>;
  /** Ends every connection, stream and WebSocket, then resolves. Idempotent. */
  close(): Promise<void>;
}

/**
 * | path | answer |
 * |---|---|
 * | `/` | HTML page with image, event stream and WebSocket; `/logo.svg` its image |
 * | `/headers` | JSON `{ method, url, httpVersion, rawHeaders }` of the request |
 * | `/events` | server-sent events: the time, at once and then each second |
 * | `/echo` | WebSocket that sends every message back |
 * | `/bytes/N` | N bytes with Content-Length; `/chunked/N` without |
 * | `/upload` | JSON `{ bytes, sha256 }` of the request body |
 * | `/slow?ms=N` | head at once, the body after N ms (default 1000); `/late?ms=N` the head too |
 * | `/status/N` | that status |
 * | `/early-hints` | 103 with a Link, then 200 |
 * | `/trailers` | chunked body with the trailer `x-checksum` |
 * | `/expect` | 100 Continue, then as `/upload`; with `?refuse`: 417 without 100 |
 */
export async function startSampleUpstream(options: SampleUpstreamOptions = {}): Promise<SampleUpstream> {
  let requests = 0;
  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    const url = new URL(request.url ?? '/', 'http://upstream');
    const [, place = '', argument = ''] = url.pathname.split('/');
    response.on('error', () => {});
    const answer = ANSWERS[place];
    if (answer !== undefined) answer({ request, response, url, argument });
    else if (options.handle?.(request, response) !== true) response.writeHead(404).end('no such path\n');
  };

  const server = createServer({ maxHeaderSize: MAX_HEAD_BYTES }, (request, response) => {
    requests++;
    serve(request, response);
  });
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    requests++;
    if (request.url === '/expect?refuse') {
      response.writeHead(417).end('no, thank you\n');
    } else {
      response.writeContinue();
      serve(request, response);
    }
  });
  const sockets = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    requests++;
    socket.on('error', () => {});
    if (request.url === '/echo') sockets.handleUpgrade(request, socket, head, echo);
    else socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n');
  });

  server.listen(options.port ?? 0, options.host ?? '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    requests: () => requests,
    connections: promisify(server.getConnections.bind(server)),
    close: async () => {
      for (const webSocket of sockets.clients) webSocket.terminate();
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

interface Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  /** The path's second segment. */
  readonly argument: string;
}

const ANSWERS: Readonly<Record<string, (call: Call) => void>> = {
  '': ({ response }) => reply(response, 'text/html; charset=utf-8', SAMPLE_PAGE),
  'logo.svg': ({ response }) => reply(response, 'image/svg+xml', SAMPLE_LOGO),
  headers: ({ request, response }) => reply(response, 'application/json', describe(request)),
  events: ({ response }) => sendClock(response),
  bytes: ({ response, argument }) => {
    response.setHeader('content-length', argument);
    sendBytes(response, Number(argument));
  },
  chunked: ({ response, argument }) => sendBytes(response, Number(argument)),
  upload: ({ request, response }) => receive(request, response),
  expect: ({ request, response }) => receive(request, response),
  slow: (call) => {
    call.response.writeHead(200, { 'content-type': 'text/plain' }).flushHeaders();
    later(call, () => call.response.end('slow\n'));
  },
  late: (call) => later(call, () => reply(call.response, 'text/plain', 'late\n')),
  status: ({ response, argument }) => {
    const bodiless = argument === '204' || argument === '304';
    response.writeHead(Number(argument)).end(bodiless ? '' : `status ${argument}\n`);
  },
  'early-hints': ({ response }) => {
    const link = '</logo.svg>; rel=preload; as=image';
    response.writeEarlyHints({ link }, () => reply(response, 'text/plain', 'after the hints\n'));
  },
  trailers: ({ response }) => sendTrailers(response),
};

function reply(response: ServerResponse, contentType: string, body: string): void {
  response
    .writeHead(200, {
      'content-type': contentType,
      'content-length': Buffer.byteLength(body),
    })
    .end(body);
}

function describe(request: IncomingMessage): string {
  const { method, url, httpVersion, rawHeaders } = request;
  return `${JSON.stringify({ method, url, httpVersion, rawHeaders }, null, 2)}\n`;
}

function echo(webSocket: WebSocket): void {
  webSocket.on('error', () => {});
  webSocket.on('message', (data, isBinary) => webSocket.send(data, { binary: isBinary }));
}

function sendClock(response: ServerResponse): void {
  response.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
  });
  const tick = (): void => void response.write(`data: ${new Date().toISOString()}\n\n`);
  tick();
  const timer = setInterval(tick, CLOCK_MS);
  response.on('close', () => clearInterval(timer));
}

function later({ url, response }: Call, act: () => void): void {
  const timer = setTimeout(act, Number(url.searchParams.get('ms') ?? 1_000));
  response.on('close', () => clearTimeout(timer));
}

/** At the receiver's pace: never more than one chunk beyond what the socket takes. */
function sendBytes(response: ServerResponse, count: number): void {
  response.setHeader('content-type', 'application/octet-stream');
  let left = count;
  const pump = (): void => {
    while (left > 0) {
      const chunk = left < CHUNK.length ? CHUNK.subarray(0, left) : CHUNK;
      left -= chunk.length;
      if (!response.write(chunk)) {
        response.once('drain', pump);
        return;
      }
    }
    response.end();
  };
  pump();
}

function receive(request: IncomingMessage, response: ServerResponse): void {
  const hash = createHash('sha256');
  let bytes = 0;
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    hash.update(chunk);
  });
  request.on('error', () => {});
  request.on('end', () => {
    reply(response, 'application/json', `${JSON.stringify({ bytes, sha256: hash.digest('hex') })}\n`);
  });
}

function sendTrailers(response: ServerResponse): void {
  const body = 'checked at the end\n';
  response.writeHead(200, {
    'content-type': 'text/plain',
    trailer: 'x-checksum',
  });
  response.write(body);
  response.addTrailers({
    'x-checksum': createHash('sha256').update(body).digest('hex'),
  });
  response.end();
}
