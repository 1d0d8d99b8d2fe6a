// Ten thousand sites as an operator would have them: every second with a certificate of its own in files, the others with
// one obtained earlier and lying in storage. All have the same upstream.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { acmeIssuerId } from '../../../src/certs/acme/issuer.ts';
import { formatBundle } from '../../../src/certs/certificate.ts';
import { certificateFolder } from '../../../src/certs/storage/certificate-store.ts';
import { makeAuthority, mint } from '../../support/minted.ts';

/** Nobody is asked: every certificate is good for 90 days. */
const DIRECTORY = 'https://127.0.0.1:1/dir';
const SUPPLIED_FOLDER = 'supplied';

/** `localhost` first, since some loads know no other name. */
export function fleetName(index: number): string {
  return index === 0 ? 'localhost' : `site-${index}.scale.example`;
}

/** Certificates with an intermediate, for the names from 0 to `count` - 1. */
export function mintFleet(folder: string, count: number): void {
  const intermediate = makeAuthority('Scale Intermediate', makeAuthority('Scale Root'));
  mkdirSync(join(folder, SUPPLIED_FOLDER), { recursive: true });
  for (let index = 0; index < count; index++) {
    const name = fleetName(index);
    const certificate = mint([name], intermediate, { chain: intermediate.certPem });
    const place = isSupplied(index) ? join(SUPPLIED_FOLDER, name) : storedFolder(name);
    mkdirSync(join(folder, place), { recursive: true });
    const write = (file: string, text: string): void => writeFileSync(join(folder, place, file), text, { mode: 0o600 });
    write('cert.pem', certificate.certPem);
    write('key.pem', certificate.keyPem);
    if (isSupplied(index)) continue;
    write('bundle.pem', formatBundle(certificate));
    write('state.json', '{ "obtainedAt": 0, "failures": 0, "lastError": null, "nextAttemptAt": null }');
  }
}

export interface FleetOptions {
  readonly count: number;
  readonly httpsPort: number;
  readonly upstreamPort: number;
}

/** The config file for the first `count` sites of a minted fleet, with a line for each setting as people write it. */
export function writeFleetConfig(folder: string, { count, httpsPort, upstreamPort }: FleetOptions): string {
  const lines = [
    `acme: { directory: "${DIRECTORY}" }`,
    'storage: ./storage',
    'workers: 1',
    `listen: { http: "127.0.0.1:0", https: "127.0.0.1:${httpsPort}" }`,
    'timeouts: { keepAlive: 10m }',
    'sites:',
  ];
  for (let index = 0; index < count; index++) {
    const name = fleetName(index);
    const place = `${SUPPLIED_FOLDER}/${name}`;
    lines.push(`  ${name}:`);
    if (isSupplied(index)) lines.push(`    tls: { cert: ${place}/cert.pem, key: ${place}/key.pem }`);
    lines.push(`    proxy: http://127.0.0.1:${upstreamPort}`);
  }
  const file = join(folder, `perantara-${count}.yaml`);
  writeFileSync(file, `${lines.join('\n')}\n`);
  return file;
}

function isSupplied(index: number): boolean {
  return index % 2 === 0;
}

function storedFolder(name: string): string {
  return join('storage', certificateFolder(acmeIssuerId(DIRECTORY), name));
}
