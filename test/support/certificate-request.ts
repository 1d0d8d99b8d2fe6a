// What a test wants of an issuer: names, and otherwise the plainest certificate.
import type { Certificate } from '../../src/certs/certificate.ts';
import type { CertificateRequest, Issuer } from '../../src/certs/issuer.ts';

export function requestFor(
  names: readonly string[],
  details: Partial<Omit<CertificateRequest, 'names'>> = {},
): CertificateRequest {
  return { names, keyType: 'p256', profile: null, challenges: ['http-01'], replaces: null, ...details };
}

/** The plainest certificate of an issuer, alone; kept, as far as the issuer knows. */
export async function obtain(issuer: Issuer, names: readonly string[], signal: AbortSignal): Promise<Certificate> {
  const { certificate, settle } = await issuer.issue(requestFor(names), signal);
  await settle?.();
  return certificate;
}
