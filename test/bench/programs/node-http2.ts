// Answers every request over HTTP/2 with the same text, by the core API of node:http2.
// usage: node node-http2.ts PORT CERT-FILE KEY-FILE TEXT
import { readFileSync } from 'node:fs';
import { createSecureServer, type ServerHttp2Stream } from 'node:http2';

const [port, certFile, keyFile, text] = process.argv.slice(2) as [string, string, string, string];
const body = Buffer.from(text);
const server = createSecureServer({
  cert: readFileSync(certFile),
  key: readFileSync(keyFile),
  minVersion: 'TLSv1.3',
});
server.on('stream', (stream: ServerHttp2Stream) => {
  stream.on('error', () => {});
  stream.respond({ ':status': 200, 'content-type': 'text/plain', 'content-length': body.length });
  stream.end(body);
});
server.on('sessionError', () => {});
server.listen({ port: Number(port), host: '127.0.0.1', backlog: 4096 });
