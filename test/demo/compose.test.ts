// No container engine is needed: Compose itself checks the file, and the parts are held against each other.
import { deepStrictEqual, ok, strictEqual } from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { needsTools } from '../support/needs-tools.ts';
import { makeServerCertificate } from '../support/server-certificate.ts';
import { findTool } from '../support/tools.ts';

const run = promisify(execFile);
const REPOSITORY = resolve(import.meta.dirname, '../..');
const DEMO_PORT = 3_000;

interface Service {
  readonly build?: { readonly target?: string };
  readonly command?: readonly string[];
  readonly volumes?: readonly { type: 'bind' | 'volume'; source: string; target: string }[];
  readonly ports?: readonly { target: number; published: string }[];
  readonly networks?: Readonly<Record<string, { ipv4_address?: string } | null>>;
}

interface PerantaraFile {
  readonly acme: { readonly directory: string; readonly trust: string };
  readonly storage: string;
  readonly listen: { readonly http: string; readonly https: string };
  readonly sites: Readonly<Record<string, string>>;
}

const needs = await needsTools('docker-compose');

test('docker-compose.yml is what Docker Compose accepts', needs, async () => {
  const services = await composeServices();
  deepStrictEqual(Object.keys(services).sort(), ['challtestsrv', 'pebble', 'pebble-tls', 'perantara', 'upstream']);
});

test('everything that docker-compose.yml takes from the repository is there', needs, async () => {
  const dockerfile = await readText('Dockerfile');
  for (const [name, service] of Object.entries(await composeServices())) {
    for (const { type, source } of service.volumes ?? [])
      ok(type === 'volume' || existsSync(source), `${name}: ${source}`);
    const script = service.command?.find((word) => word.endsWith('.ts'));
    ok(script === undefined || existsSync(join(REPOSITORY, script)), `${name}: ${script}`);
    const stage = service.build?.target;
    ok(stage === undefined || dockerfile.includes(` AS ${stage}\n`), `${name}: no stage ${stage} in the Dockerfile`);
  }
});

test('Pebble looks for challenges where Perantara answers them', needs, async () => {
  const { perantara, challtestsrv } = await composeServices();
  const pebble = await pebbleConfig();
  const { listen } = await perantaraConfig();
  strictEqual(listen.http, `:${pebble.httpPort}`);
  strictEqual(listen.https, `:${pebble.tlsPort}`);
  const address = challtestsrv!.command![challtestsrv!.command!.indexOf('-defaultIPv4') + 1];
  strictEqual(perantara!.networks!.demo!.ipv4_address, address);
});

test('redirects lead to a port that is published under the same number', needs, async () => {
  const { perantara } = await composeServices();
  const { listen } = await perantaraConfig();
  for (const { target, published } of perantara!.ports!) strictEqual(published, String(target));
  deepStrictEqual(
    perantara!.ports!.map(({ target }) => `:${target}`),
    [listen.http, listen.https],
  );
});

test('Perantara finds Pebble, trusts its certificate and finds the upstream', needs, async () => {
  const services = await composeServices();
  const { acme, sites } = await perantaraConfig();
  const pebble = await pebbleConfig();
  const directory = new URL(acme.directory);
  ok(directory.hostname in services && services['pebble-tls']!.command!.includes(directory.hostname));
  strictEqual(`0.0.0.0:${directory.port}`, pebble.listenAddress);
  strictEqual(acme.trust, pebble.certificate);
  for (const name of ['perantara', 'pebble', 'pebble-tls']) {
    ok(
      services[name]!.volumes!.some((volume) => acme.trust.startsWith(`${volume.target}/`)),
      name,
    );
  }
  for (const target of Object.values(sites)) {
    ok(new URL(target).hostname in services);
    strictEqual(new URL(target).port, String(DEMO_PORT));
  }
});

test("the containers' config file is valid", async () => {
  const folder = await mkdtemp(join(tmpdir(), 'perantara-compose-'));
  try {
    const { acme, storage } = await perantaraConfig();
    const trust = join(folder, 'cert.pem');
    const copy = join(folder, 'perantara.yaml');
    const text = await readText('config/docker/perantara.yaml');
    await writeFile(trust, (await makeServerCertificate(['pebble'])).certPem);
    await writeFile(copy, text.replace(acme.trust, trust).replace(storage, join(folder, 'certs')));
    await run(process.execPath, [join(REPOSITORY, 'src/main.ts'), 'validate', '--config', copy]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

/** The services as Compose understands them, short forms spelled out. */
async function composeServices(): Promise<Readonly<Record<string, Service>>> {
  const compose = await findTool('docker-compose');
  const file = join(REPOSITORY, 'docker-compose.yml');
  const { stdout } = await run(compose, ['--file', file, 'config', '--format', 'json']);
  return (JSON.parse(stdout) as { services: Readonly<Record<string, Service>> }).services;
}

async function perantaraConfig(): Promise<PerantaraFile> {
  return parse(await readText('config/docker/perantara.yaml')) as PerantaraFile;
}

async function pebbleConfig(): Promise<Readonly<Record<string, unknown>>> {
  return JSON.parse(await readText('config/docker/pebble.json')).pebble;
}

function readText(path: string): Promise<string> {
  return readFile(join(REPOSITORY, path), 'utf8');
}
