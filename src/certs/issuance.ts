// One order at one issuer, from the budget to a certificate that may be stored: booked first, rehearsed after a refusal,
// checked afterwards, and the books closed whatever becomes of it.

import type { ChallengeType } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';
import { PerantaraError } from '../core/errors.ts';
import { type Certificate, keyTypeOf, sameNames, verifyIssued } from './certificate.ts';
import type { Holding } from './holding.ts';
import type { CertificateRequest, IssuedCertificate } from './issuer.ts';
import { describeFailure, failedNames } from './renewal/attempt-failure.ts';
import type { OrderCost } from './renewal/budget.ts';
import type { BudgetWait } from './renewal/budget-ledger.ts';
import { rehearsalDue, rehearse } from './renewal/rehearsal.ts';
import { isOpen } from './renewal/renewal-window.ts';
import type { CertificateState } from './storage/certificate-state.ts';
import type { CompromisedKeys } from './storage/compromised-keys.ts';
import type { ManagedWish } from './wanted-certificate.ts';

export interface IssuanceOptions {
  readonly wish: ManagedWish;
  readonly holding: Holding;
  readonly compromised: CompromisedKeys;
  readonly clock: Clock;
  /** Stores what must survive a crash of the next step; never rejects. */
  readonly remember: (change: Partial<CertificateState>) => Promise<void>;
}

/** A booking that is older belongs to an order that no CA keeps. */
const BOOKING_MS = 7 * 86_400_000;

/** What was issued, or what must be waited for. Rejects as `Issuer.issue` does, or with `certificate_unfit`. */
export async function issueOnce(
  options: IssuanceOptions,
  signal: AbortSignal,
): Promise<IssuedCertificate | BudgetWait> {
  const { wish, holding, clock, remember } = options;
  const authority = holding.authority!;
  const request: CertificateRequest = {
    names: wish.names,
    keyType: wish.keyType,
    profile: holding.profile,
    challenges: lastFirst(wish.challenges, holding.state.issued?.challenge ?? null),
    replaces: holding.certificate,
  };
  if (rehearsalDue(authority, holding.state, clock.now())) {
    await rehearse(authority, request, signal);
    await remember({ refusedAt: null });
  }
  const cost = costOf(wish.names, holding, clock.now());
  if (!isBooked(holding.state, wish.names, clock.now())) {
    const wait = (await authority.ledger?.reserve(cost, signal)) ?? null;
    if (wait !== null) return wait;
    await remember({ waiting: null, booked: { at: clock.now(), names: wish.names } });
  }
  let issued: IssuedCertificate;
  try {
    issued = await authority.issuer.issue(request, signal);
  } catch (error) {
    if (!signal.aborted) await closeBooks(options, cost, error, signal);
    throw error;
  }
  authority.reached();
  await authority.ledger?.certified(cost, signal);
  try {
    assertFit(options, issued.certificate);
  } catch (error) {
    // The order would lead to the same one again. One that has yet to begin is wanted once the clocks agree.
    if (issued.certificate.notBefore <= clock.now()) {
      await issued.settle?.();
      await remember({ booked: null });
    }
    throw error;
  }
  return issued;
}

async function closeBooks(
  { holding, clock, remember }: IssuanceOptions,
  cost: OrderCost,
  error: unknown,
  signal: AbortSignal,
): Promise<void> {
  const authority = holding.authority!;
  const kind = describeFailure(error).class;
  if (kind === 'refused' || kind === 'limited') authority.reached();
  else if (kind === 'unreachable') authority.unreached();
  const refused = kind === 'refused';
  await authority.ledger?.failed(cost, refused ? failedNames(error, cost.names) : [], signal);
  await remember({ booked: null, ...(refused ? { refusedAt: clock.now() } : {}) });
}

function costOf(names: readonly string[], { certificate, state }: Holding, now: number): OrderCost {
  const ari = certificate !== null && isOpen(state.window, now);
  return { names, ari, renewal: certificate !== null && sameNames(certificate.names, names) };
}

/** What proved the names last comes first: where port 80 is closed, no renewal need find that out anew. */
function lastFirst(allowed: readonly ChallengeType[], last: string | null): readonly ChallengeType[] {
  return allowed.toSorted((a, b) => Number(b === last) - Number(a === last));
}

function isBooked({ booked }: CertificateState, names: readonly string[], now: number): boolean {
  return booked !== null && booked.at <= now && now - booked.at < BOOKING_MS && sameNames(booked.names, names);
}

function assertFit({ wish, compromised, clock }: IssuanceOptions, certificate: Certificate): void {
  verifyIssued(certificate, wish.names, clock.now());
  compromised.refuse(certificate, `certificate issued for "${wish.name}"`);
  const keyType = keyTypeOf(certificate);
  if (keyType === wish.keyType) return;
  throw new PerantaraError(
    `cannot use the certificate issued for "${wish.name}": its key is of type ${keyType ?? 'unknown'}, not ${wish.keyType}`,
    { code: 'certificate_unfit', source: 'issuer' },
  );
}
