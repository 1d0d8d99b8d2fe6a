// What is remembered about a name at one issuer besides its certificate: `state.json` in their folder. Fields that a file
// of an older version lacks get the value that says nothing; one that cannot be read at all counts as fresh.
import { z } from 'zod';
import type { FailureClass } from '../renewal/attempt-failure.ts';
import type { FailedCheck, RenewalWindow } from '../renewal/renewal-window.ts';

/** Plain JSON; times in milliseconds since the epoch. */
export interface CertificateState {
  /** Of the certificate that `issued` and `window` are about; null when unknown. */
  readonly fingerprint: string | null;
  /** When the stored certificate was obtained: the last success. Null before the first. */
  readonly obtainedAt: number | null;
  /** How the stored certificate was ordered; null when unknown. */
  readonly issued: IssuedFacts | null;
  /** Failed attempts since then, in a row. */
  readonly failures: number;
  /** When the first of them failed, or null. */
  readonly failingSince: number | null;
  /** The last of them; `message` holds the CA's own words. */
  readonly lastError: LastError | null;
  /** Not before this moment is the issuer asked again; null when nothing failed. */
  readonly nextAttemptAt: number | null;
  /** Set while an order waits for a limit of the issuer: until when, and which. */
  readonly waiting: { readonly at: number; readonly limit: string } | null;
  /** An order that was taken from the budget and has not ended: a process that died goes on with it, at no further cost. */
  readonly booked: { readonly at: number; readonly names: readonly string[] } | null;
  /** When the issuer would like the stored certificate to be renewed (ARI), or null. */
  readonly window: RenewalWindow | null;
  /** Set while asking for that window fails. */
  readonly failedCheck: FailedCheck | null;
  /** When an operator asked for a new certificate, or null. */
  readonly requestedAt: number | null;
  /** When the issuer last judged the name and refused it, until a rehearsal succeeds: see rehearsal.ts. */
  readonly refusedAt: number | null;
  /** When somebody was last told that the certificate is about to expire, or null. */
  readonly warnedAt: number | null;
  /** Whether it was obtained on demand: its name is not in the file. */
  readonly onDemand: boolean;
}

export interface LastError {
  readonly at: number;
  readonly message: string;
  readonly class: FailureClass;
  /** Whether the issuer itself said when to come back. */
  readonly patience: boolean;
}

export interface IssuedFacts {
  /** As ordered; null when the issuer chose. */
  readonly profile: string | null;
  /** As wished for: the same, unless the issuer does not offer it. */
  readonly wishedProfile: string | null;
  /** What proved the names; null when nothing had to be. */
  readonly challenge: string | null;
}

export const FRESH_STATE: CertificateState = {
  fingerprint: null,
  obtainedAt: null,
  issued: null,
  failures: 0,
  failingSince: null,
  lastError: null,
  nextAttemptAt: null,
  waiting: null,
  booked: null,
  window: null,
  failedCheck: null,
  requestedAt: null,
  refusedAt: null,
  warnedAt: null,
  onDemand: false,
};

/**
 * What changes when nothing is due at the issuer in charge: another process, or a crash between storing and remembering,
 * overtook what is remembered. null: nothing.
 */
export function settled({ failures, waiting, booked }: CertificateState): Partial<CertificateState> | null {
  if (failures === 0 && waiting === null && booked === null) return null;
  const { failingSince, lastError, nextAttemptAt, refusedAt } = FRESH_STATE;
  return { failures: 0, waiting: null, booked: null, failingSince, lastError, nextAttemptAt, refusedAt };
}

/** What changes when another issuer helped out: the count starts anew, what was said and asked for is remembered. */
export function forgiven(state: CertificateState): Partial<CertificateState> | null {
  const { failures, requestedAt, waiting, warnedAt } = state;
  if (failures === 0 && requestedAt === null && waiting === null && warnedAt === null) return null;
  return { failures: 0, failingSince: null, requestedAt: null, waiting: null, warnedAt: null };
}

/** What is beyond a Date was written by nobody of ours. */
const time = z.number().min(-8.64e15).max(8.64e15);
const moment = time.nullable().default(null).catch(null);
const text = z.string().nullable().default(null);

const schema = z.object({
  fingerprint: text,
  obtainedAt: time.nullable(),
  issued: z.object({ profile: text, wishedProfile: text, challenge: text }).nullable().default(null).catch(null),
  failures: z.int().nonnegative(),
  failingSince: moment,
  lastError: z
    .object({
      at: time,
      message: z.string(),
      class: z.enum(['refused', 'limited', 'unreachable', 'unfit', 'storage', 'other']).catch('other'),
      patience: z.boolean().catch(false),
    })
    .nullable(),
  nextAttemptAt: time.nullable(),
  waiting: z.object({ at: time, limit: z.string() }).nullable().default(null).catch(null),
  booked: z
    .object({ at: time, names: z.array(z.string()) })
    .nullable()
    .default(null)
    .catch(null),
  window: z
    .object({
      start: time,
      end: time,
      at: time,
      checkedAt: time,
      nextCheckAt: time,
      explanationUrl: z.string().nullable(),
      certificateId: z.string(),
    })
    .nullable()
    .default(null)
    .catch(null),
  failedCheck: z
    .object({ checkedAt: time, nextCheckAt: time, failures: z.int().nonnegative() })
    .nullable()
    .default(null)
    .catch(null),
  requestedAt: moment,
  refusedAt: moment,
  warnedAt: moment,
  onDemand: z.boolean().default(false).catch(false),
});

/** Throws when it is not JSON, or not a state at all. */
export function parseState(json: string): CertificateState {
  return schema.parse(JSON.parse(json));
}

export function formatState(state: CertificateState): string {
  return `${JSON.stringify(state, null, 2)}\n`;
}
