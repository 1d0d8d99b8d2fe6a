// Marks tests that need foreign programs: without one of them the test is skipped and says why. In CI nothing is skipped.
import { findTool, type ToolName } from './tools.ts';

/** Options for `test(name, await needsTools('pebble', 'curl'), …)`. Fetches what is missing; in CI throws when it cannot. */
export async function needsTools(...names: readonly ToolName[]): Promise<{ skip?: string }> {
  try {
    for (const name of names) await findTool(name);
    return {};
  } catch (error) {
    if (process.env.CI === 'true') throw error;
    return { skip: (error as Error).message };
  }
}
