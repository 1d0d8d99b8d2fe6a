// Which versions of Node can run Perantara. Imports nothing and uses only syntax that Node 12 understands.

/** Earlier releases carry CVE-2026-58044 and others. */
const MINIMUM = '24.18.1';

/** One sentence when `version` (as in `process.version`) is too old, else null. */
export function nodeVersionProblem(version: string): string | null {
  const found = numbersOf(version);
  const wanted = numbersOf(MINIMUM);
  for (let i = 0; i < 3; i++) {
    if (found[i]! > wanted[i]!) return null;
    if (found[i]! < wanted[i]!)
      return `perantara: cannot run on Node ${version}: version ${MINIMUM} or newer is needed (https://nodejs.org).`;
  }
  return null;
}

function numbersOf(version: string): number[] {
  const match = /^v?(\d+)\.(\d+)\.(\d+)/.exec(version);
  return match === null ? [0, 0, 0] : match.slice(1).map(Number);
}
