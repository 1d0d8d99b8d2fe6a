// The `onDemand` section: certificates for names that are not in the file.
import type { OnDemandConfig } from './config.ts';
import { DEFAULT_ON_DEMAND } from './defaults.ts';
import type { Draft } from './draft.ts';
import { readRoutes } from './routes.ts';
import type { RawConfig } from './schema.ts';

/** null without the section: then handshakes for unknown names are refused. */
export function readOnDemand(raw: RawConfig['onDemand'], draft: Draft): OnDemandConfig | null {
  if (raw === undefined) return null;
  return {
    ask: raw.ask,
    allowMs: raw.allow ?? DEFAULT_ON_DEMAND.allowMs,
    refuseMs: raw.refuse ?? DEFAULT_ON_DEMAND.refuseMs,
    perAddressPerHour: raw.perAddress ?? DEFAULT_ON_DEMAND.perAddressPerHour,
    perHour: raw.perHour ?? DEFAULT_ON_DEMAND.perHour,
    maxPending: raw.pending ?? DEFAULT_ON_DEMAND.maxPending,
    waitMs: raw.wait ?? DEFAULT_ON_DEMAND.waitMs,
    routes: readRoutes(raw, ['onDemand'], draft),
  };
}
