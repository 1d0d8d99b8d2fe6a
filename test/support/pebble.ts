// Pebble, Let's Encrypt's test CA, with its DNS (pebble-challtestsrv), on loopback: every name leads to 127.0.0.1 until told
// otherwise, and challenges are looked for on `httpPort`. Behaves as released, with 5 % of nonces refused and authorizations reused at random, but does not wait before it validates.
import { mkdtemp, writeFile } from 'node:fs/promises';
import { Agent, request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { startChild } from './child.ts';
import { freePorts } from './free-port.ts';
import { retry } from './retry.ts';
import { makeServerCertificate } from './server-certificate.ts';
import { findTool } from './tools.ts';

const START_MS = 15_000;

export interface PebbleOptions {
  /** Where HTTP-01 challenges are answered: the proxy's plain port. */
  readonly httpPort: number;
  /** Where TLS-ALPN-01 challenges are answered. Default: a port where nobody listens. */
  readonly tlsPort?: number;
  /** The name server that Pebble asks, over TCP. Default challtestsrv, to which `setAddress` and `dns` speak in any case. */
  readonly dnsServer?: string;
  /** Pebble's knobs, such as `PEBBLE_WFE_NONCEREJECT=50`. Added to `PEBBLE_VA_NOSLEEP=1`. */
  readonly env?: Readonly<Record<string, string>>;
  /** Fields of Pebble's config file (`profiles`, `externalAccountBindingRequired`, …), laid over ours. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Called with each line that Pebble prints. Default none. */
  readonly onLine?: (line: string) => void;
}

export interface Pebble {
  /** `https://localhost:PORT/dir`. */
  readonly directoryUrl: string;
  /** PEM file that authenticates Pebble's own TLS; gone after stop(). */
  readonly trustFile: string;
  readonly trustPem: string;
  /** `https://localhost:PORT`, authenticated by the same file. */
  readonly managementUrl: string;
  /** The root of the certificates that Pebble issues, new at each start; `index` above 0 for alternate roots. */
  rootPem(index?: number): Promise<string>;
  /** Calls Pebble's management interface (`/roots/0`, `/set-renewal-info/`, …); POST when there is a body. */
  manage(path: string, body?: string): Promise<string>;
  /** Makes Pebble look for `host` at this IPv4 address only. */
  setAddress(host: string, address: string): Promise<void>;
  /** `127.0.0.1:PORT`: where challtestsrv answers questions. */
  readonly dnsAddress: string;
  /** Calls challtestsrv's management interface: `dns('set-servfail', { host: 'a.example.' })`. Names end in a dot. */
  dns(verb: string, body: Readonly<Record<string, unknown>>): Promise<void>;
  /** What Pebble printed lately. */
  output(): string;
  /** Ends both programs and removes their files. Idempotent. */
  stop(): Promise<void>;
}

/** Resolves when the directory answers. Throws with what the programs printed when they do not start. */
export async function startPebble(options: PebbleOptions): Promise<Pebble> {
  const programs: Programs = { pebble: await findTool('pebble'), dns: await findTool('pebble-challtestsrv') };
  for (let attempt = 1; ; attempt++) {
    try {
      return await launch(programs, options);
    } catch (error) {
      // Another process took one of the ports between our look and Pebble's.
      if (attempt === 3 || !/address already in use/.test((error as Error).message)) throw error;
    }
  }
}

interface Programs {
  readonly pebble: string;
  readonly dns: string;
}

type FivePorts = [number, number, number, number, number];

async function launch(programs: Programs, options: PebbleOptions): Promise<Pebble> {
  const [acmePort, managementPort, dnsPort, dnsManagementPort, unusedPort] = (await freePorts(5)) as FivePorts;
  const { certPem, keyPem } = await makeServerCertificate(['localhost']);
  const folder = await mkdtemp(join(tmpdir(), 'perantara-pebble-'));
  const trustFile = join(folder, 'cert.pem');
  const keyFile = join(folder, 'key.pem');
  const configFile = join(folder, 'pebble.json');
  const config = {
    listenAddress: `127.0.0.1:${acmePort}`,
    managementListenAddress: `127.0.0.1:${managementPort}`,
    certificate: trustFile,
    privateKey: keyFile,
    httpPort: options.httpPort,
    tlsPort: options.tlsPort ?? unusedPort,
    keyAlgorithm: 'ecdsa',
    // Seconds. Its sample file says 3 and 5, which only makes tests slower.
    retryAfter: { authz: 1, order: 1 },
    ...options.config,
  };
  await writeFile(trustFile, certPem);
  await writeFile(keyFile, keyPem, { mode: 0o600 });
  await writeFile(configFile, JSON.stringify({ pebble: config }));

  const dnsServer = startChild({ command: programs.dns, args: dnsArguments(dnsPort, dnsManagementPort) });
  const server = startChild({
    command: programs.pebble,
    args: ['-config', configFile, '-dnsserver', options.dnsServer ?? `127.0.0.1:${dnsPort}`],
    env: { PEBBLE_VA_NOSLEEP: '1', ...options.env },
    folder,
    ...(options.onLine === undefined ? {} : { onLine: options.onLine }),
  });
  const agent = new Agent({ ca: certPem });
  const directoryUrl = `https://localhost:${acmePort}/dir`;
  const managementUrl = `https://localhost:${managementPort}`;
  const manage = (path: string, body?: string): Promise<string> => request(agent, `${managementUrl}${path}`, body);
  const dns = (verb: string, body: Readonly<Record<string, unknown>>): Promise<void> =>
    postJson(`http://127.0.0.1:${dnsManagementPort}/${verb}`, body);
  const stop = async (): Promise<void> => {
    agent.destroy();
    await Promise.all([server.stop(), dnsServer.stop()]);
  };

  const patience = { deadlineMs: START_MS, hopeless: () => server.ended() || dnsServer.ended() };
  try {
    await retry(() => request(agent, directoryUrl), patience);
    await retry(() => manage('/roots/0'), patience);
    await retry(() => dns('set-default-ipv4', { ip: '127.0.0.1' }), patience);
  } catch (error) {
    await stop();
    const said = `${server.output()}\n${dnsServer.output()}`;
    throw new Error(`cannot start Pebble: ${(error as Error).message}\n${said}`, { cause: error });
  }
  return {
    directoryUrl,
    trustFile,
    trustPem: certPem,
    managementUrl,
    rootPem: (index = 0) => manage(`/roots/${index}`),
    manage,
    dnsAddress: `127.0.0.1:${dnsPort}`,
    setAddress: (host, address) => dns('add-a', { host: `${host}.`, addresses: [address] }),
    dns,
    output: () => server.output(),
    stop,
  };
}

/** DNS and its management only; no AAAA records, so that nothing depends on IPv6. */
function dnsArguments(dnsPort: number, managementPort: number): string[] {
  const off = ['-http01', '', '-https01', '', '-tlsalpn01', '', '-doh', ''];
  const listen = ['-dnsserver', `127.0.0.1:${dnsPort}`, '-management', `127.0.0.1:${managementPort}`];
  return [...off, ...listen, '-defaultIPv4', '127.0.0.1', '-defaultIPv6', ''];
}

async function request(agent: Agent, url: string, body?: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  // Pebble listens on IPv4 only, whatever `localhost` resolves to first.
  const method = body === undefined ? 'GET' : 'POST';
  const headers = { 'user-agent': 'perantara-tests' };
  const outgoing = httpsRequest(url, { agent, family: 4, method, headers }, (response) => {
    text(response).then((answer) => {
      const { statusCode = 0 } = response;
      if (statusCode >= 200 && statusCode < 300) resolve(answer);
      else reject(new Error(`${url} answered ${statusCode}: ${answer}`));
    }, reject);
  });
  outgoing.on('error', reject);
  outgoing.end(body);
  return promise;
}

async function postJson(url: string, body: Readonly<Record<string, unknown>>): Promise<void> {
  const response = await fetch(url, {
    method: 'POST',
    body: JSON.stringify(body),
  });
  const answer = await response.text();
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${answer}`);
}
