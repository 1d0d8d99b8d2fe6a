// The `onEvent` section: who is told of what happens to certificates.
import { readCommand } from './command.ts';
import type { EventHookConfig } from './config.ts';
import type { Draft } from './draft.ts';
import type { RawConfig } from './schema.ts';

const ALLOWED = 'exactly one of exec, webhook';

export function readEventHook(raw: RawConfig['onEvent'], draft: Draft): EventHookConfig | null {
  if (raw === undefined) return null;
  const { exec, webhook } = raw;
  if (exec !== undefined && webhook !== undefined)
    draft.errorAtKey(['onEvent', 'webhook'], 'there is already exec', { allowed: ALLOWED });
  if (exec !== undefined) return { kind: 'exec', ...readCommand(exec, ['onEvent', 'exec'], draft) };
  if (webhook !== undefined) return { kind: 'webhook', url: webhook };
  if (!draft.isTainted(['onEvent'])) draft.errorAt(['onEvent'], 'it tells nobody', { allowed: ALLOWED });
  return null;
}
