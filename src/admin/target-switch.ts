// Draining and enabling targets by name.
import { parseTarget, showTarget } from '../config/target.ts';
import { printable } from '../core/printable.ts';
import { suggest } from '../core/suggest.ts';
import { targetNames } from '../server/target-registry.ts';
import { AdminError } from './admin-error.ts';
import type { AdminServices } from './admin-services.ts';
import type { Answer } from './json-answer.ts';

const MAX_NAMES = 10;

/** `body`: `{"target":"http://10.0.0.5:8080"}`, or the bare name in any form that the file takes. Idempotent. */
export async function switchTarget(
  { config, drainTarget, log }: AdminServices,
  body: string,
  isDrained: boolean,
): Promise<Answer> {
  const written = nameIn(body);
  const name = knownName(written, targetNames(config()));
  const changed = await drainTarget(name, isDrained);
  if (changed) log.info({ target: name }, isDrained ? 'target drained' : 'target enabled');
  return { status: 200, body: { target: name, drained: isDrained, changed } };
}

function nameIn(body: string): string {
  let value: unknown = body.trim();
  try {
    const parsed = JSON.parse(body) as unknown;
    value = typeof parsed === 'object' && parsed !== null ? (parsed as { target?: unknown }).target : String(parsed);
  } catch {
    // The bare name.
  }
  if (typeof value === 'string' && value !== '') return value;
  const message = 'cannot tell which target is meant: send {"target":"http://10.0.0.5:8080"}; GET /targets lists them';
  throw new AdminError(400, 'target_missing', message);
}

function knownName(written: string, names: ReadonlySet<string>): string {
  if (names.has(written)) return written;
  const parsed = parseTarget(written);
  if (parsed.ok && names.has(showTarget(parsed.value))) return showTarget(parsed.value);
  const near = suggest(written, names);
  const others = [...names].slice(0, MAX_NAMES).join(', ') + (names.size > MAX_NAMES ? ', …' : '');
  const hint = near !== null ? `did you mean ${near}?` : names.size === 0 ? 'there is none' : `there are ${others}`;
  const message = `cannot find the target ${JSON.stringify(printable(written).slice(0, 200))}: ${hint}`;
  throw new AdminError(404, 'target_unknown', message);
}
