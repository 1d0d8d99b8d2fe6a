// A machine of paper: its folders lie in a temporary one, its programs are functions. Nothing of this machine is touched.
import { createHash, X509Certificate } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Machine, ProgramResult, TrustedRoot } from '../../../src/certs/trust/trust-store.ts';
import { makeAuthority } from '../../support/minted.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

export type Program = (args: readonly string[]) => ProgramResult | Promise<ProgramResult>;

export interface PaperMachine extends Machine {
  readonly home: string;
  /** Every command that was run. */
  readonly commands: string[];
  /** Programs that are installed. */
  readonly programs: Record<string, Program>;
  makeFolder(path: string): string;
}

export async function paperMachine(t: TestContext, platform: NodeJS.Platform = 'linux'): Promise<PaperMachine> {
  const root = await temporaryFolder(t);
  const commands: string[] = [];
  const programs: Record<string, Program> = {};
  const makeFolder = (path: string): string => {
    const folder = join(root, path);
    mkdirSync(folder, { recursive: true });
    return folder;
  };
  const run = async (program: string, args: readonly string[]): Promise<ProgramResult> => {
    commands.push([program, ...args].join(' '));
    return (await programs[program]?.(args)) ?? { code: null, output: '' };
  };
  return { platform, root, home: makeFolder('home/ann'), run, commands, programs, makeFolder };
}

export const fine: Program = () => ({ code: 0, output: '' });

/** A root as the local CA makes them, lying on the paper machine. */
export function sampleRoot(machine: PaperMachine): TrustedRoot {
  const { certPem, subject } = makeAuthority('Perantara Local Root 0a1b2c');
  const pem = new X509Certificate(certPem).toString();
  const file = join(machine.makeFolder('storage'), 'root.pem');
  writeFileSync(file, pem);
  const digest = (algorithm: string): string =>
    createHash(algorithm).update(new X509Certificate(pem).raw).digest('hex').toUpperCase();
  return { pem, file, name: subject, sha256: digest('sha256'), sha1: digest('sha1') };
}
