// After an issuer refused a name, its staging twin is asked first, and the issuer only when that succeeds: what is wrong
// with the name is found out without spending the issuer's budget of failures. Nothing of it is stored or served.

import type { Authority } from '../authority.ts';
import type { CertificateRequest } from '../issuer.ts';
import type { CertificateState } from '../storage/certificate-state.ts';
import { describeFailure } from './attempt-failure.ts';

/** The twin may refuse what the issuer would take (a CAA record that names one account), so it is obeyed no longer than this. */
const OBEYED_MS = 24 * 3_600_000;

export function rehearsalDue(authority: Authority, { refusedAt }: CertificateState, now: number): boolean {
  if (authority.rehearsal === null || refusedAt === null) return false;
  return refusedAt <= now && now - refusedAt < OBEYED_MS;
}

/** Rejects as `Issuer.issue` does when the twin refuses the names; that it cannot be reached proves nothing. */
export async function rehearse(authority: Authority, request: CertificateRequest, signal: AbortSignal): Promise<void> {
  try {
    const issued = await authority.rehearsal!.issue({ ...request, replaces: null }, signal);
    await issued.settle?.();
  } catch (error) {
    signal.throwIfAborted();
    if (describeFailure(error).class === 'refused') throw error;
  }
}
