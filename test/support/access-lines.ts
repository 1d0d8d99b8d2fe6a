// The lines of an access log's file, as a test waits for them: they are written within a second or so.
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** No wait of a test is longer; a wait that long is a failure. */
const PATIENCE_MS = 10_000;

export type AccessLine = Readonly<Record<string, unknown>>;

export const textLines = (file: string): string[] =>
  existsSync(file) ? readFileSync(file, 'latin1').split('\n').slice(0, -1) : [];

/** Lines of JSON; throws when one is none. */
export const accessLines = (file: string): AccessLine[] =>
  textLines(file).map((line) => JSON.parse(line) as AccessLine);

/** Waits until there are so many. */
export async function awaitedLines(file: string, count: number): Promise<string[]> {
  for (let waitedMs = 0; waitedMs < PATIENCE_MS; waitedMs += 20) {
    const lines = textLines(file);
    if (lines.length >= count) return lines;
    await delay(20);
  }
  throw new Error(`${textLines(file).length} lines in ${PATIENCE_MS} ms, not ${count}`);
}
