// What a gRPC call gets in place of an error page: its status in the head of a response without content ("Trailers-Only",
// gRPC's PROTOCOL-HTTP2.md), so that the client names what failed. Never looks into calls: messages pass as any content.
import type { HeaderList } from './header-list.ts';

/** gRPC's statuses that a go-between has reason to give (gRPC's statuscodes.md). */
export const GRPC_STATUSES = {
  UNKNOWN: 2,
  DEADLINE_EXCEEDED: 4,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
} as const;

/**
 * gRPC's http-grpc-status-mapping.md is for clients that meet an HTTP error, and knows 400, 401, 403, 404, 429, 502, 503 and
 * 504; what it would leave UNKNOWN is told as nginx's gRPC guide does (408, 413, 414, 500).
 */
const BY_HTTP_STATUS: Readonly<Record<number, number>> = {
  400: GRPC_STATUSES.INTERNAL,
  401: GRPC_STATUSES.UNAUTHENTICATED,
  403: GRPC_STATUSES.PERMISSION_DENIED,
  404: GRPC_STATUSES.UNIMPLEMENTED,
  408: GRPC_STATUSES.DEADLINE_EXCEEDED,
  413: GRPC_STATUSES.RESOURCE_EXHAUSTED,
  414: GRPC_STATUSES.RESOURCE_EXHAUSTED,
  417: GRPC_STATUSES.INTERNAL,
  421: GRPC_STATUSES.UNIMPLEMENTED,
  429: GRPC_STATUSES.UNAVAILABLE,
  431: GRPC_STATUSES.RESOURCE_EXHAUSTED,
  500: GRPC_STATUSES.INTERNAL,
  501: GRPC_STATUSES.UNIMPLEMENTED,
  502: GRPC_STATUSES.UNAVAILABLE,
  503: GRPC_STATUSES.UNAVAILABLE,
  504: GRPC_STATUSES.UNAVAILABLE,
  505: GRPC_STATUSES.INTERNAL,
};

/** `application/grpc`, `application/grpc-web` or `application/grpc-web-text`, with or without `+FORMAT`. */
const CALL = /^(application\/grpc(-web(?:-text)?)?(?:\+[\w.-]+)?)[ \t]*(?:;|$)/i;

/** A head without content: to be sent with status 200. */
export interface GrpcRefusal {
  readonly contentType: string;
  /** Name, value, … */
  readonly fields: readonly string[];
}

/**
 * The answer to a call that HTTP would answer with `status`, or null: the request is no gRPC call, or its client has to see
 * the status itself. `text` is for people.
 */
export function grpcRefusal(request: HeaderList, status: number, text: string): GrpcRefusal | null {
  const call = CALL.exec(request.get('content-type') ?? '');
  if (call === null) return null;
  // A browser asks again on a connection of its own (RFC 9110 section 15.5.20), but only when it sees a 421.
  if (status === 421 && call[2] !== undefined) return null;
  const fields = ['grpc-status', String(grpcStatus(status)), 'grpc-message', encodeGrpcMessage(text)];
  return { contentType: call[1]!, fields };
}

export function grpcStatus(httpStatus: number): number {
  return BY_HTTP_STATUS[httpStatus] ?? GRPC_STATUSES.UNKNOWN;
}

/** Percent-encodes what is not printable ASCII, and `%` (PROTOCOL-HTTP2.md, "Percent-Encoded"). */
export function encodeGrpcMessage(text: string): string {
  return text.toWellFormed().replace(/[^\x20-\x24\x26-\x7e]+/g, (run) => {
    let encoded = '';
    for (const byte of Buffer.from(run)) encoded += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    return encoded;
  });
}
