// All places of this machine that keep trust: the system's first, then the browsers' own.
import { AnchorFolder } from './anchor-folder.ts';
import { NssDatabase } from './nss-database.ts';
import { SystemProgram } from './system-program.ts';
import type { Machine, TrustStore } from './trust-store.ts';

export async function findTrustStores(machine: Machine): Promise<readonly TrustStore[]> {
  const system = SystemProgram.find(machine) ?? (await AnchorFolder.find(machine));
  return [...(system === null ? [] : [system]), ...(await NssDatabase.find(machine))];
}
