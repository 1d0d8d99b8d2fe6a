// A reverse proxy as a Node user would write it around the http-proxy package.
// usage: node http-proxy.ts PORT UPSTREAM-PORT CERT-FILE KEY-FILE
import { readFileSync } from 'node:fs';
import { Agent, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { createRequire } from 'node:module';
import type { Duplex } from 'node:stream';

/** The package has no types of its own. */
interface ProxyServer {
  web(request: IncomingMessage, response: ServerResponse): void;
  ws(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  on(event: 'error', listener: (error: Error, request: IncomingMessage, to: ServerResponse | Duplex) => void): void;
}
const { createProxyServer } = createRequire(import.meta.url)('http-proxy') as {
  createProxyServer(options: object): ProxyServer;
};

const [port, upstreamPort, certFile, keyFile] = process.argv.slice(2) as [string, string, string, string];
const proxy = createProxyServer({
  target: `http://127.0.0.1:${upstreamPort}`,
  agent: new Agent({ keepAlive: true }),
  xfwd: true,
});
proxy.on('error', (_error, _request, to) => {
  if ('writeHead' in to && !to.headersSent) to.writeHead(502).end();
  else to.destroy();
});
const server = createServer(
  { cert: readFileSync(certFile), key: readFileSync(keyFile), minVersion: 'TLSv1.3', keepAliveTimeout: 300_000 },
  (request, response) => proxy.web(request, response),
);
server.on('upgrade', (request, socket, head) => proxy.ws(request, socket, head));
server.listen({ port: Number(port), host: '127.0.0.1', backlog: 4096 });
