// Reason phrases (RFC 9110 section 15), and the one place where an error becomes a status.
import { STATUS_CODES } from 'node:http';
import type { PerantaraError } from '../core/errors.ts';

/** '' for an unknown status. */
export function reasonPhrase(status: number): string {
  return STATUS_CODES[status] ?? '';
}

const STATUS_BY_CODE: Readonly<Record<string, number>> = {
  bad_request: 400,
  request_timeout: 408,
  body_too_large: 413,
  target_too_long: 414,
  expectation_failed: 417,
  misdirected: 421,
  head_too_large: 431,
  not_found: 404,
  not_implemented: 501,
  unsupported_version: 505,
  no_target: 503,
  targets_drained: 503,
  connect_failed: 502,
  connect_timeout: 504,
  upstream_closed: 502,
  upstream_malformed: 502,
  response_timeout: 504,
};

/** The status a client sees for `error`; by blame where the code has none of its own. */
export function statusOf(error: PerantaraError): number {
  return STATUS_BY_CODE[error.code] ?? (error.source === 'downstream' ? 400 : error.source === 'upstream' ? 502 : 500);
}
