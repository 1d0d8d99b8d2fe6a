// A client of the admin endpoint for its tests: one request on a connection of its own, and raw bytes.
import { once } from 'node:events';
import { type IncomingHttpHeaders, request } from 'node:http';
import { connect, type NetConnectOpts } from 'node:net';
import { buffer } from 'node:stream/consumers';

export interface AdminAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the test says it is
  readonly json: any;
}

export interface AdminAsk {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string;
}

/** `place`: a socket's path or a port of 127.0.0.1. */
export async function askAdmin(place: string | number, path: string, ask: AdminAsk = {}): Promise<AdminAnswer> {
  const where = typeof place === 'string' ? { socketPath: place } : { host: '127.0.0.1', port: place };
  const { method = 'GET', headers = {}, body = '' } = ask;
  const sent = request({ ...where, path, method, headers, agent: false, timeout: 10_000 });
  sent.on('timeout', () => sent.destroy(new Error(`no answer to ${method} ${path}`)));
  sent.end(body);
  const [response] = (await once(sent, 'response')) as [import('node:http').IncomingMessage];
  const text = (await response.setEncoding('utf8').toArray()).join('');
  const isJson = response.headers['content-type']?.startsWith('application/json') === true;
  const json: unknown = text === '' || !isJson ? null : JSON.parse(text);
  return { status: response.statusCode!, headers: response.headers, text, json };
}

/** Sends bytes as they are and resolves with everything that comes back until the other side closes. */
export async function askRaw(place: string, bytes: string): Promise<string> {
  const where: NetConnectOpts = { path: place };
  const socket = connect(where);
  socket.write(bytes);
  return String(await buffer(socket));
}
