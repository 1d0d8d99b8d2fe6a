// When the CA would like a certificate to be renewed (RFC 9773 section 4): one unsigned question.
import { ariCertId, type Certificate } from '../certificate.ts';
import type { RenewalInfo } from '../issuer.ts';
import { readRenewalInfo } from './messages.ts';
import type { AcmeTransport } from './transport.ts';

/** null when the certificate has no authority key identifier, and so no name that the CA could be asked by. */
export async function askRenewalInfo(
  base: string,
  certificate: Certificate,
  transport: AcmeTransport,
  signal: AbortSignal,
): Promise<RenewalInfo | null> {
  const id = ariCertId(certificate);
  if (id === null) return null;
  const request = { method: 'GET', body: null, idempotent: true, signal } as const;
  const { data, headers } = await transport.request(`${base.replace(/\/$/, '')}/${id}`, request);
  const { suggestedWindow, explanationURL = null } = readRenewalInfo(data);
  return { ...suggestedWindow, explanationUrl: explanationURL, retryAfterMs: transport.retryAfterMs(headers) };
}
