// A reverse proxy with two routes as a Node user would write it around the http-proxy package.
// usage: node http-proxy.ts PORT PUBLIC-PORT GUARDED-PORT TIMEOUT-SECONDS CERT-FILE KEY-FILE
import { readFileSync } from 'node:fs';
import { Agent, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { createRequire } from 'node:module';
import type { Duplex } from 'node:stream';

/** The package has no types of its own. */
interface ProxyServer {
  web(request: IncomingMessage, response: ServerResponse, options: object): void;
  ws(request: IncomingMessage, socket: Duplex, head: Buffer, options: object): void;
  on(event: 'error', listener: (error: Error, request: IncomingMessage, to: ServerResponse | Duplex) => void): void;
}
const { createProxyServer } = createRequire(import.meta.url)('http-proxy') as {
  createProxyServer(options: object): ProxyServer;
};

const [port, publicPort, guardedPort, seconds] = process.argv.slice(2, 6).map(Number) as [
  number,
  number,
  number,
  number,
];
const [certFile, keyFile] = process.argv.slice(6) as [string, string];
const timeout = seconds * 1_000;
const proxy = createProxyServer({ agent: new Agent({ keepAlive: true }), xfwd: true, proxyTimeout: timeout, timeout });
proxy.on('error', (_error, _request, to) => {
  if ('writeHead' in to && !to.headersSent) to.writeHead(502).end();
  else to.destroy();
});
const to = ({ url = '/' }: IncomingMessage): object => ({
  target: `http://127.0.0.1:${url.startsWith('/admin/') ? guardedPort : publicPort}`,
});
const server = createServer(
  {
    cert: readFileSync(certFile),
    key: readFileSync(keyFile),
    handshakeTimeout: timeout,
    headersTimeout: timeout,
    requestTimeout: timeout,
    keepAliveTimeout: timeout,
    connectionsCheckingInterval: 500,
  },
  (request, response) => proxy.web(request, response, to(request)),
);
server.on('upgrade', (request, socket, head) => proxy.ws(request, socket, head, to(request)));
server.listen({ port, host: '127.0.0.1' });
