// What an HTTP/2 peer may cost before it is refused. Counted before memory is used; docs/http2.md lists
// them, and a test compares the two.

/** Streams that a client may have open at once (SETTINGS_MAX_CONCURRENT_STREAMS). */
export const CONCURRENT_STREAMS = 128;

/** Requests that are given at once to a server which has not said yet how many it takes (RFC 9113 section 6.5.2 advises 100). */
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

/** Method and path of a request together, as the start line of HTTP/1.1: 414 above. */
export const START_LINE_BYTES = 8 * 1024;

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
/**
 * The same to upstreams: never the one that is used up, since the streams' windows bound what we hold. Node's servers lose
 * the end of a response that has to wait for it: they reset the stream, with NO_ERROR.
 */
export const UPSTREAM_CONNECTION_WINDOW_BYTES = 1024 * 1024 * 1024;

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

/**
 * RST_STREAM from the peer before its stream was answered (CVE-2023-44487): each may have cost an upstream a request. nghttp2
 * allows 33 in a second; a gRPC client whose deadlines pass, or a gateway with many users, needs more. And streams above the
 * limit, which a client may not know yet, or that come after GOAWAY.
 */
export const RESETS: Allowance = { burst: 500, perSecond: 100 };
/** RST_STREAM that the peer made us send (CVE-2025-8671): only what is broken does. */
export const FORCED_RESETS: Allowance = { burst: 100, perSecond: 10 };
/**
 * SETTINGS, PING, PRIORITY, PRIORITY_UPDATE, GOAWAY, frames of unknown types, and RST_STREAM that comes too late: each is
 * answered or looked at for nothing. For each DATA frame that we send one more may come: gRPC clients send a PING in every
 * round trip of a download, to measure it. For each request four more: Chromium sends PRIORITY_UPDATE for every image that
 * scrolls into view, Firefox PRIORITY for every stream of a tab that comes to the front.
 */
export const CONTROL_FRAMES: Allowance = { burst: 1_000, perSecond: 100 };
export const CONTROL_FRAMES_PER_REQUEST = 4;
/** DATA without a byte of content that does not end its stream; padding is not content. */
export const EMPTY_FRAMES: Allowance = { burst: 500, perSecond: 50 };
/**
 * WINDOW_UPDATE, over one for the stream and one for the connection for so many bytes of DATA that we send: Go's client gives
 * back every 4 KiB that are read. Not for DATA that the peer's own window cut short (CVE-2019-9511).
 */
export const WINDOW_UPDATES: Allowance = { burst: 1_000, perSecond: 100 };
export const WINDOW_UPDATE_BYTES = 2 * 1024;
/** DATA as short as this is cut short when there is more to send. */
export const SHORT_DATA_BYTES = 1024;
/** HEADERS for streams that we have reset: interim responses, a head and trailers may have been on their way. */
export const LATE_HEADERS: Allowance = { burst: 100, perSecond: 10 };
export const LATE_HEADERS_PER_RESET = 20;
