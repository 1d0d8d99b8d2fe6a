// What one message may cost before it is refused. Counted before memory is used.

export interface HeadLimits {
  /** Start line in bytes: 414 above. */
  readonly startLineBytes: number;
  /** Whole head in bytes: 431 above. */
  readonly headBytes: number;
  /** Number of fields: 431 above. */
  readonly fields: number;
}

export const REQUEST_LIMITS: HeadLimits = { startLineBytes: 8 * 1024, headBytes: 32 * 1024, fields: 100 };

/** Upstreams are trusted a little more: long Set-Cookie and policy fields are common. */
export const RESPONSE_LIMITS: HeadLimits = { startLineBytes: 8 * 1024, headBytes: 64 * 1024, fields: 200 };

export const TRAILER_LIMITS: HeadLimits = { startLineBytes: 0, headBytes: 8 * 1024, fields: 50 };

/** A chunk-size line with its extensions, which are dropped. */
export const CHUNK_LINE_BYTES = 256;

/** Chunk extensions of one message in all: a few are streaming, many are an attack. */
export const CHUNK_EXTENSION_TOTAL_BYTES = 16 * 1024;

/** Interim responses in a row before an upstream is considered broken. */
export const INTERIM_RESPONSES = 16;

/** Unread request content that is read and dropped to keep a connection; more closes it. */
export const DISCARD_BYTES = 256 * 1024;

/** Pipelined bytes held while an exchange is under way. */
export const PIPELINE_BYTES = 64 * 1024;
