// Keeps a verb that runs as root from leaving files in a storage folder that its server could then not read.
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** null when files that this process makes there can be read by whoever owns the folder; else what to do. */
export async function storageOwnerProblem(folder: string): Promise<string | null> {
  if (process.getuid?.() !== 0) return null;
  for (let place = folder; ; place = dirname(place)) {
    const found = await stat(place).catch(() => null);
    if (found === null && place !== dirname(place)) continue;
    const owner = found?.uid ?? 0;
    if (owner === 0) return null;
    return `cannot write to "${folder}" as root: it belongs to user ${owner}, who could not read the files; run it as that user: sudo -u '#${owner}' perantara …`;
  }
}
