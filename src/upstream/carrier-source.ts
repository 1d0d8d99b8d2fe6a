// Where the carriers of requests to one target come from.
import type { RequestCarrier } from '../http/request-carrier.ts';

export interface CarrierSource {
  /** Connections, busy and idle, and those that are being made. */
  readonly size: number;
  /** One on what is open already, or on something new that is still connecting. `upgradeTo`: of its request. */
  claim(upgradeTo: string | null): RequestCarrier;
  /** One that does not rest on anything on which a request can have failed before. */
  claimFresh(upgradeTo: string | null): RequestCarrier;
  /** Closes what is idle now, and what is busy when it becomes idle. */
  closeIdle(): void;
  destroy(): void;
}
