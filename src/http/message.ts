// The heads of requests and responses, whatever protocol carried them (RFC 9110 sections 3.9, 7.1, 15).
import type { HeaderList } from './header-list.ts';

export interface RequestHead {
  readonly method: string;
  readonly scheme: 'http' | 'https';
  /** As sent: host, or host:port. */
  readonly authority: string;
  /** The authority's host in normal form (core/hostname), without a port. */
  readonly host: string;
  /** Normalised absolute path, or `*` (OPTIONS only). The router and the upstream see this one. */
  readonly path: string;
  /** `?…` as sent, or ''. */
  readonly query: string;
  readonly headers: HeaderList;
  readonly version: '1.0' | '1.1' | '2.0';
}

export interface ResponseHead {
  /** 100–599; 101 only through `upgrade`. */
  readonly status: number;
  /** May be empty. */
  readonly reason: string;
  readonly headers: HeaderList;
}

/** Whether a response to `method` with `status` never has content (RFC 9110 section 6.4.1). */
export function isBodyless(method: string, status: number): boolean {
  return method === 'HEAD' || status === 204 || status === 304 || status < 200;
}

/** Methods that may be repeated without harm (RFC 9110 section 9.2.2). */
export function isIdempotent(method: string): boolean {
  switch (method) {
    case 'GET':
    case 'HEAD':
    case 'OPTIONS':
    case 'TRACE':
    case 'PUT':
    case 'DELETE':
      return true;
    default:
      return false;
  }
}

/** Methods for which the absence of content is worth saying (RFC 9110 section 8.6). */
export function declaresEmptyContent(method: string): boolean {
  return method === 'POST' || method === 'PUT' || method === 'PATCH';
}
