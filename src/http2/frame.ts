// The numbers of RFC 9113: frame types (section 6), their flags, and what settings are called (section 6.5.2).

/** Bytes before every frame's payload. */
export const FRAME_HEAD_BYTES = 9;

export const DATA = 0x0;
export const HEADERS = 0x1;
export const PRIORITY = 0x2;
export const RST_STREAM = 0x3;
export const SETTINGS = 0x4;
export const PUSH_PROMISE = 0x5;
export const PING = 0x6;
export const GOAWAY = 0x7;
export const WINDOW_UPDATE = 0x8;
export const CONTINUATION = 0x9;
/** RFC 9218 section 7.1. */
export const PRIORITY_UPDATE = 0x10;

export const END_STREAM = 0x1;
export const ACK = 0x1;
export const END_HEADERS = 0x4;
export const PADDED = 0x8;
/** The flag of HEADERS that says that five bytes of priority come first (RFC 9113 section 6.2). */
export const WITH_PRIORITY = 0x20;

export const SETTINGS_HEADER_TABLE_SIZE = 0x1;
export const SETTINGS_ENABLE_PUSH = 0x2;
export const SETTINGS_MAX_CONCURRENT_STREAMS = 0x3;
export const SETTINGS_INITIAL_WINDOW_SIZE = 0x4;
export const SETTINGS_MAX_FRAME_SIZE = 0x5;
export const SETTINGS_MAX_HEADER_LIST_SIZE = 0x6;
/** RFC 8441 section 3. */
export const SETTINGS_ENABLE_CONNECT_PROTOCOL = 0x8;
/** RFC 9218 section 2.1. */
export const SETTINGS_NO_RFC7540_PRIORITIES = 0x9;

/** What a client begins with (RFC 9113 section 3.4). */
export const PREFACE: Buffer = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/** Windows of both sides until something else is said (RFC 9113 section 6.9.2). */
export const DEFAULT_WINDOW_BYTES = 65_535;
export const MAX_WINDOW_BYTES = 2 ** 31 - 1;
export const MAX_STREAM_ID = 2 ** 31 - 1;
/** Largest payload that may be sent to a peer that has said nothing else (RFC 9113 section 6.5.2). */
export const DEFAULT_FRAME_BYTES = 16_384;
export const MAX_FRAME_BYTES = 2 ** 24 - 1;
/** Size of both dynamic tables until something else is said (RFC 7541 section 4.2, RFC 9113 section 6.5.2). */
export const DEFAULT_TABLE_BYTES = 4_096;
