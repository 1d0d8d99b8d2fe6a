// A request on its way to an upstream, whatever protocol carries it.
import type { HeaderList } from './header-list.ts';

export interface OutgoingRequest {
  readonly method: string;
  readonly target: string;
  /** Without hop-by-hop and framing fields. */
  readonly headers: HeaderList;
  /** Content bytes to follow, null when unknown. */
  readonly length: number | null;
  readonly upgradeTo: string | null;
  readonly acceptsTrailers: boolean;
}
