// What a refusal is about, as far as it decides what is done next. Pure.
import { PerantaraError } from '../../core/errors.ts';
import { AcmeProblem } from './problem.ts';

/** RFC 8555 section 6.7 and others: of these types, none has to do with the certificate that an order replaces. */
const ABOUT_SOMETHING_ELSE: ReadonlySet<string> = new Set([
  'accountDoesNotExist',
  'badNonce',
  'badPublicKey',
  'badSignatureAlgorithm',
  'caa',
  'connection',
  'dns',
  'externalAccountRequired',
  'incorrectResponse',
  'invalidContact',
  'invalidProfile',
  'rateLimited',
  'rejectedIdentifier',
  'serverInternal',
  'tls',
  'unsupportedContact',
  'unsupportedIdentifier',
  'userActionRequired',
]);

/** Whether an order may have been refused for its `replaces` (RFC 9773 section 5): then it is repeated without. */
export function mayObjectToReplacing(error: unknown): boolean {
  return (
    error instanceof AcmeProblem &&
    error.status < 500 &&
    error.status !== 429 &&
    !ABOUT_SOMETHING_ELSE.has(error.type) &&
    !saysAccountClosed(error)
  );
}

/** RFC 8555 section 7.1.2: deactivated by us or revoked by the CA; its key is refused from then on. */
export function saysAccountClosed(error: unknown): boolean {
  return (
    error instanceof AcmeProblem &&
    error.type === 'unauthorized' &&
    /\baccount\b.*\b(deactivated|revoked|closed|not valid|invalid)\b|\b(deactivated|revoked|invalid) account\b/i.test(
      error.detail,
    )
  );
}

/** Whether an address that the directory named has gone, or its server: the directory may name others by now. */
export function saysMoved(error: unknown): boolean {
  if (error instanceof AcmeProblem)
    return [404, 405, 410].includes(error.status) && error.type !== 'accountDoesNotExist';
  return error instanceof PerantaraError && error.code === 'issuer_unreachable';
}
