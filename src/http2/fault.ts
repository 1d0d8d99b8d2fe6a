// What a peer did wrong, and on which level it is answered: GOAWAY and the end of the connection, or RST_STREAM and the end
// of one stream (RFC 9113 section 5.4).
import { PerantaraError } from '../core/errors.ts';

/** RFC 9113 section 7. */
export const ERROR_CODES = {
  NO_ERROR: 0x0,
  PROTOCOL_ERROR: 0x1,
  INTERNAL_ERROR: 0x2,
  FLOW_CONTROL_ERROR: 0x3,
  SETTINGS_TIMEOUT: 0x4,
  STREAM_CLOSED: 0x5,
  FRAME_SIZE_ERROR: 0x6,
  REFUSED_STREAM: 0x7,
  CANCEL: 0x8,
  COMPRESSION_ERROR: 0x9,
  CONNECT_ERROR: 0xa,
  ENHANCE_YOUR_CALM: 0xb,
  INADEQUATE_SECURITY: 0xc,
  HTTP_1_1_REQUIRED: 0xd,
} as const;

export type ErrorName = keyof typeof ERROR_CODES;

/** For logs; an unknown code is written as a number. */
export function errorName(code: number): string {
  return Object.entries(ERROR_CODES).find(([, known]) => known === code)?.[0] ?? `0x${code.toString(16)}`;
}

/** Why an upstream has reset a stream, and what to do about it where that is known. */
export function resetReason(code: number): string {
  const advice = code === ERROR_CODES.HTTP_1_1_REQUIRED ? '; name it as https:// with http: 1.1, or as http://' : '';
  return `the upstream reset the stream: ${errorName(code)}${advice}`;
}

/** Ends the connection. */
export class ConnectionFault extends PerantaraError {
  readonly errorCode: number;

  constructor(name: ErrorName, what: string) {
    super(`cannot go on with HTTP/2 connection: ${what}`, { code: 'bad_request', source: 'downstream' });
    this.errorCode = ERROR_CODES[name];
  }
}

/** RFC 9113 section 6.5.3. */
export function unacknowledged(): ConnectionFault {
  return new ConnectionFault('SETTINGS_TIMEOUT', 'SETTINGS are not acknowledged');
}

/** Ends the stream that is being read. */
export class StreamFault extends PerantaraError {
  readonly errorCode: number;

  constructor(name: ErrorName, what: string) {
    super(`cannot go on with HTTP/2 stream: ${what}`, { code: 'bad_request', source: 'downstream' });
    this.errorCode = ERROR_CODES[name];
  }
}
