// What an HTTP/2 peer may cost before it is refused. Counted before memory is used; docs/hostile-inputs.md lists them.

/** Streams that a client may have open at once (SETTINGS_MAX_CONCURRENT_STREAMS). */
export const CONCURRENT_STREAMS = 128;

/** Requests that are sent at once to a server which has not said yet how many it takes (RFC 9113 section 6.5.2 advises 100). */
export const UNTOLD_STREAMS = 100;

/** Interim responses in a row before an upstream is considered broken. */
export const INTERIM_RESPONSES = 16;

/** A list of fields, as RFC 9113 section 6.5.2 counts it: 431 above in a request. Cookie crumbs count as one field. */
export interface ListLimits {
  readonly listBytes: number;
  readonly fields: number;
}
export const REQUEST_LIMITS: ListLimits = { listBytes: 32 * 1024, fields: 100 };
/** Upstreams are trusted a little more: long Set-Cookie and policy fields are common. */
export const RESPONSE_LIMITS: ListLimits = { listBytes: 64 * 1024, fields: 200 };
export const TRAILER_LIMITS: ListLimits = { listBytes: 8 * 1024, fields: 50 };

/** A header block as it comes, compressed, and the CONTINUATION frames of one: ENHANCE_YOUR_CALM above. */
export const BLOCK_BYTES = 64 * 1024;
export const BLOCK_CONTINUATIONS = 32;

/** What our decoder's table may hold, and the most that our encoder uses of what a peer offers. */
export const TABLE_BYTES = 4 * 1024;

/** Window of each stream for what the peer sends, at first and at most; a stream that takes its content fast is given more. */
export const STREAM_WINDOW_BYTES = 64 * 1024;
export const MAX_STREAM_WINDOW_BYTES = 1024 * 1024;
/** By how much the windows of all streams of a connection may have grown together: the bound on what a peer makes us hold. */
export const WINDOW_GROWTH_BYTES = 4 * 1024 * 1024;
/** Window of the whole connection; returned when bytes come, so that a stream which stands still does not hold the others. */
export const CONNECTION_WINDOW_BYTES = 1024 * 1024;

/** Queued output of one stream, and of all streams of a connection, from which on their sources are paused. */
export const STREAM_QUEUE_BYTES = 128 * 1024;
export const CONNECTION_QUEUE_BYTES = 1024 * 1024;
/** Output of any kind that the socket could not take yet, from which on no more is read of the client that leaves it. */
export const UNTAKEN_BYTES = 512 * 1024;

/** Content of a request that may still come when the response is complete; then its client is stopped. */
export const LATE_CONTENT_BYTES = 16 * 1024;

/** How long the peer may take to acknowledge our SETTINGS (RFC 9113 section 6.5.3). */
export const SETTINGS_ACK_MS = 10_000;
/** Between the two steps of a graceful end (RFC 9113 section 6.8) when the peer does not answer the PING in between. */
export const GRACE_MS = 1_000;

/** What may come at once, and then in a second, for free; ENHANCE_YOUR_CALM beyond. */
export interface Allowance {
  readonly burst: number;
  readonly perSecond: number;
}

/** RST_STREAM from the peer before its stream was answered (CVE-2023-44487), or that the peer made us send (CVE-2025-8671). */
export const RESETS: Allowance = { burst: 500, perSecond: 50 };
export const FORCED_RESETS: Allowance = { burst: 100, perSecond: 10 };
/** SETTINGS, PING, PRIORITY, PRIORITY_UPDATE and unknown frames, over one for each DATA frame of ours: looked at for nothing. */
export const CONTROL_FRAMES: Allowance = { burst: 200, perSecond: 20 };
/** DATA without a byte of content that does not end its stream; padding is not content. */
export const EMPTY_FRAMES: Allowance = { burst: 50, perSecond: 5 };
/** WINDOW_UPDATE, over one for the stream and one for the connection for so many bytes of DATA (Go's library sends them so). */
export const WINDOW_UPDATE_BYTES = 4 * 1024;
export const WINDOW_UPDATES: Allowance = { burst: 500, perSecond: 50 };
