// Where and with which programs the loads run: on the origin's core, never on the proxy's.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findTool } from '../../support/tools.ts';
import { describeProgram, findPeerProgram, type PeerProgram } from '../peer-program.ts';
import { GROUP, SUITE } from './secure-client.ts';

export interface LoadRig {
  readonly core: number;
  /** How many of them, from that one on. Default 1. */
  readonly cores?: number;
  /** For scripts and logs of the loads. */
  readonly folder: string;
  readonly wrk: PeerProgram;
  readonly curl: PeerProgram;
  readonly h2load: PeerProgram | null;
  /** For $OPENSSL_CONF: what wrk and curl offer. */
  readonly opensslConf: string;
}

/** Throws when wrk or curl can neither be found nor fetched. */
export async function makeLoadRig(core: number, folder: string): Promise<LoadRig> {
  const opensslConf = join(folder, 'openssl.cnf');
  await writeFile(
    opensslConf,
    `openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\nCiphersuites = ${SUITE}\nGroups = ${GROUP}\n`,
  );
  return {
    core,
    folder,
    opensslConf,
    wrk: (await findPeerProgram('wrk')) ?? (await describeProgram('wrk', await findTool('wrk'))),
    curl: (await findPeerProgram('curl')) ?? (await describeProgram('curl', await findTool('curl'))),
    h2load: (await findPeerProgram('h2load')) ?? (await fetched('h2load')),
  };
}

/** Where its programs run, for startPinned. */
export function coresOf({ core, cores = 1 }: LoadRig): { readonly core: number; readonly cores: number } {
  return { core, cores };
}

/** null when it cannot be had. */
async function fetched(name: 'h2load'): Promise<PeerProgram | null> {
  return findTool(name).then(
    (path) => describeProgram(name, path),
    () => null,
  );
}
