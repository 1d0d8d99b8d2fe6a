// What `npm run demo -- --check` asks of a running demo, as a stranger on the network would. Shares no code with Perantara.
import { ok, rejects, strictEqual } from 'node:assert/strict';
import { once } from 'node:events';
import { get as getPlain, type IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { text } from 'node:stream/consumers';
import { WebSocket } from 'ws';
import type { Demo } from './demo-rig.ts';

const ANSWER_MS = 10_000;
/** The clock's first event is sent at once, the next a second later. */
const PROMPT_MS = 900;

export interface Check {
  readonly name: string;
  /** Rejects with what was seen instead. */
  run(demo: Demo): Promise<void>;
}

export const CHECKS: readonly Check[] = [
  {
    name: 'both names show their page over HTTPS, with a chain that leads to the CA',
    run: checkPages,
  },
  {
    name: "each name has a certificate of its own from Pebble's intermediate",
    run: checkCertificates,
  },
  { name: 'the upstream is told who asked and how', run: checkForwarded },
  {
    name: 'plain HTTP is redirected with 308, path and port kept',
    run: checkRedirect,
  },
  {
    name: 'a host that is not configured gets no redirect',
    run: checkUnknownHost,
  },
  { name: 'a WebSocket message comes back', run: checkWebSocket },
  { name: 'the first server-sent event arrives at once', run: checkEvents },
  {
    name: 'a name that is not configured is refused by a TLS alert',
    run: checkWrongName,
  },
];

async function checkPages(demo: Demo): Promise<void> {
  for (const name of demo.names) {
    const response = await fetchOver(demo, name, '/');
    strictEqual(response.statusCode, 200, `${name} answered ${response.statusCode}`);
    ok((await text(response)).includes('<h1>It works</h1>'), `${name} sent another page`);
  }
}

async function checkCertificates(demo: Demo): Promise<void> {
  for (const name of demo.names) {
    const socket = await demo.handshake(name);
    const { issuer, subjectaltname } = socket.getPeerCertificate();
    socket.destroy();
    ok(/^Pebble Intermediate CA /.test(String(issuer.CN)), `${name} is certified by ${issuer.CN}`);
    strictEqual(subjectaltname, `DNS:${name}`);
  }
}

async function checkForwarded(demo: Demo): Promise<void> {
  const [name] = demo.names;
  const response = await fetchOver(demo, name, '/headers');
  const { rawHeaders } = JSON.parse(await text(response)) as {
    rawHeaders: string[];
  };
  const seen = (field: string): string | undefined =>
    rawHeaders.find((_, i) => i % 2 === 1 && rawHeaders[i - 1]!.toLowerCase() === field);
  strictEqual(seen('x-forwarded-proto'), 'https');
  strictEqual(seen('x-forwarded-for'), '127.0.0.1');
  strictEqual(seen('host'), `${name}:${demo.httpsPort}`);
}

async function checkRedirect(demo: Demo): Promise<void> {
  const [name] = demo.names;
  const response = await fetchPlain(demo, `${name}:${demo.httpPort}`, '/some/page?x=1');
  response.resume();
  strictEqual(response.statusCode, 308);
  strictEqual(response.headers.location, `https://${name}:${demo.httpsPort}/some/page?x=1`);
}

async function checkUnknownHost(demo: Demo): Promise<void> {
  const response = await fetchPlain(demo, 'stranger.example', '/');
  response.resume();
  strictEqual(response.statusCode, 404);
  strictEqual(response.headers.location, undefined);
}

async function checkWebSocket(demo: Demo): Promise<void> {
  const [name] = demo.names;
  const headers = { host: `${name}:${demo.httpsPort}` };
  const options = {
    ca: demo.rootPem,
    servername: name,
    headers,
    handshakeTimeout: ANSWER_MS,
  };
  const socket = new WebSocket(`wss://127.0.0.1:${demo.httpsPort}/echo`, options);
  try {
    await once(socket, 'open');
    const answer = once(socket, 'message', {
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    socket.send('hello through the proxy');
    strictEqual(String((await answer)[0]), 'hello through the proxy');
  } finally {
    socket.terminate();
  }
}

async function checkEvents(demo: Demo): Promise<void> {
  const response = await fetchOver(demo, demo.names[0], '/events');
  try {
    strictEqual(response.headers['content-type'], 'text/event-stream');
    const [chunk] = await once(response, 'data', {
      signal: AbortSignal.timeout(PROMPT_MS),
    });
    ok(/^data: \d{4}-/.test(String(chunk)), `the first event is ${JSON.stringify(String(chunk))}`);
  } finally {
    response.destroy();
  }
}

async function checkWrongName(demo: Demo): Promise<void> {
  await rejects(
    demo.handshake('stranger.perantara.example').then((socket) => socket.destroy()),
    /SSL alert number \d+/,
  );
}

function fetchOver(demo: Demo, servername: string, path: string): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const headers = { host: `${servername}:${demo.httpsPort}` };
  const { httpsPort: port, rootPem: ca } = demo;
  get(
    {
      host: '127.0.0.1',
      port,
      path,
      headers,
      servername,
      ca,
      agent: false,
      timeout: ANSWER_MS,
    },
    resolve,
  )
    .on('timeout', () => reject(new Error('no answer')))
    .on('error', reject);
  return promise;
}

function fetchPlain(demo: Demo, host: string, path: string): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const target = {
    host: '127.0.0.1',
    port: demo.httpPort,
    path,
    headers: { host },
    agent: false,
    timeout: ANSWER_MS,
  };
  getPlain(target, resolve)
    .on('timeout', () => reject(new Error('no answer')))
    .on('error', reject);
  return promise;
}
