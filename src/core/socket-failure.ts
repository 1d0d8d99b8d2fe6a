// Why a connection to somebody's server failed, in words that say what to do. Completes "cannot connect: …".
import { codeOf } from './errors.ts';
import { printable } from './printable.ts';

const TRUST = 'trust it with trust: FILE';
const UNKNOWN_AUTHORITY = `the authority of its certificate is not known here, or its chain has a gap; ${TRUST}`;
/** A certificate may be for thousands of names. */
const MAX_NAMES = 200;

const CERTIFICATE_STATES: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'its certificate has expired, or that of its authority',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  CERT_REVOKED: 'its certificate has been revoked',
  DEPTH_ZERO_SELF_SIGNED_CERT: `its certificate is self-signed; ${TRUST}`,
  SELF_SIGNED_CERT_IN_CHAIN: `its certificate leads to an authority that is not trusted; ${TRUST}`,
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_AUTHORITY,
  INVALID_PURPOSE: 'its certificate is not one for servers',
  CERT_UNTRUSTED: `its certificate is not trusted; ${TRUST}`,
};

/** Node's and OpenSSL's codes. */
const HANDSHAKE_STATES: Readonly<Record<string, string>> = {
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS; is it an http:// target?',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'it does not speak TLS; is it an http:// target?',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'it speaks no TLS 1.2 or newer',
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: 'it speaks no TLS 1.2 or newer',
  ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL: 'it speaks none of the protocols offered (ALPN)',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED:
    'it wants a certificate from us; give it one with cert: FILE and key: FILE',
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: 'it does not trust the authority of our certificate',
  ERR_SSL_TLSV1_UNRECOGNIZED_NAME: 'it has no certificate for that name; name another with servername',
};

/** The last words of Node's when a handshake is broken off. */
const BROKEN_OFF = /before secure TLS connection was established/;

/** Of the error that a socket has emitted. */
export function socketFailure(error: Error): string {
  const code = codeOf(error);
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return wrongName(error);
  const known = CERTIFICATE_STATES[code] ?? HANDSHAKE_STATES[code];
  if (known !== undefined) return known;
  const alert = / alert ([a-z ]+)$/.exec(reasonOf(error))?.[1];
  if (alert !== undefined) return `it broke TLS off with the alert "${alert}"`;
  if (BROKEN_OFF.test(error.message)) return 'it closed the connection during the TLS handshake';
  // What OpenSSL has against a certificate has a name like PATH_LENGTH_EXCEEDED; a system error has one like ECONNREFUSED.
  if (/^(?!ERR_)\w+_/.test(code)) return `its certificate is not accepted: ${error.message}`;
  if (code.startsWith('ERR_SSL_')) return `TLS failed: ${reasonOf(error) || code}`;
  return code || error.message;
}

/** `error` is from checkServerIdentity. */
function wrongName(error: Error): string {
  const { host, cert } = error as { host?: string; cert?: { subjectaltname?: string; subject?: { CN?: string } } };
  const names = (cert?.subjectaltname ?? '').replaceAll(/\b(DNS|IP Address):/g, '') || 'no name';
  const shown = names.length > MAX_NAMES ? `${names.slice(0, MAX_NAMES)}…` : names;
  return `its certificate is for ${printable(shown)}, not for ${host}; name the right one with servername`;
}

/** OpenSSL's own words: `ssl/tls alert handshake failure`. */
function reasonOf(error: Error): string {
  const { reason } = error as { reason?: unknown };
  return typeof reason === 'string' ? reason : '';
}
