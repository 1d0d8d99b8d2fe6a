// What nobody caught.
import type { TestContext } from 'node:test';

/** What went uncaught while the test ran. */
export function countUncaught(t: TestContext): readonly unknown[] {
  const uncaught: unknown[] = [];
  const count = (error: unknown): void => void uncaught.push(error);
  process.on('uncaughtException', count).on('unhandledRejection', count);
  t.after(() => process.off('uncaughtException', count).off('unhandledRejection', count));
  return uncaught;
}
