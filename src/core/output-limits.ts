// How much output is gathered, and how much a socket is given beforehand, whatever protocol it carries.

/** Queued bytes that leave without waiting for the end of the turn. */
export const FLUSH_BYTES = 64 * 1024;

/**
 * Bytes handed to the socket and not taken by the system beyond which it wants no more; at least its high-water mark. Under
 * TLS Node takes none before the turn ends: with less, reading stops and starts for each chunk (8 % of a 1 MiB response).
 */
export const BLOCKED_BYTES = 256 * 1024;
