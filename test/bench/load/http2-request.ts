// What a load over HTTP/2 asks for, and which answer is right.

export interface Http2Request {
  readonly path: string;
  /** One of the origins' files, to POST. null: GET. */
  readonly upload: string | null;
  /** Besides pseudo-header fields, Content-Length and what the client says of itself; names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Of the answer. */
  readonly bytes: number;
  /** Of the answer; empty for none. */
  readonly trailers: Readonly<Record<string, string>>;
}
