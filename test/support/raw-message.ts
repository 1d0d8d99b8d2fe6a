// Reads HTTP/1.1 messages out of recorded text the plain way, independent of the code under test.

export interface ReceivedMessage {
  /** Start line and fields, with the empty line. */
  readonly head: string;
  readonly startLine: string;
  /** 0 for a request. */
  readonly status: number;
  /** As it was on the wire. */
  readonly rawBody: string;
  /** Without chunk framing and trailers. */
  readonly body: string;
  /** Lines of the trailer section. */
  readonly trailers: readonly string[];
  /** All values of a field, in order. */
  fields(name: string): string[];
}

/** Where the message that starts at `from` ends; -1 when it is not whole. `ended`: nothing more will come. */
export function messageEnd(text: string, from: number, bodyless: boolean, ended: boolean): number {
  const empty = text.indexOf('\r\n\r\n', from);
  if (empty === -1) return -1;
  const head = text.slice(from, empty + 4);
  const start = empty + 4;
  const isResponse = head.startsWith('HTTP/');
  if (bodyless || (isResponse && /^HTTP\/1\.[01] (1\d\d|204|304)\b/.test(head))) return start;
  if (/^transfer-encoding: *chunked\r$/im.test(head)) return chunkedEnd(text, start);
  const length = /^content-length: *(\d+)\r$/im.exec(head)?.[1];
  if (length !== undefined) return text.length >= start + Number(length) ? start + Number(length) : -1;
  if (!isResponse) return start;
  return ended ? text.length : -1;
}

export function splitMessage(text: string): ReceivedMessage {
  const bodyAt = text.indexOf('\r\n\r\n') + 4;
  const head = text.slice(0, bodyAt);
  const rawBody = text.slice(bodyAt);
  const isChunked = rawBody !== '' && /^transfer-encoding: *chunked\r$/im.test(head);
  const { body, trailers } = isChunked ? dechunk(rawBody) : { body: rawBody, trailers: [] };
  return {
    head,
    startLine: head.slice(0, head.indexOf('\r\n')),
    status: Number(/^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1] ?? 0),
    rawBody,
    body,
    trailers,
    fields: (name) => {
      const values: string[] = [];
      for (const line of head.split('\r\n').slice(1)) {
        const colon = line.indexOf(':');
        if (line.slice(0, colon).toLowerCase() === name.toLowerCase()) values.push(line.slice(colon + 1).trim());
      }
      return values;
    },
  };
}

function chunkedEnd(text: string, from: number): number {
  let at = from;
  for (;;) {
    const line = text.indexOf('\r\n', at);
    if (line === -1) return -1;
    const size = Number.parseInt(text.slice(at, line), 16);
    if (size === 0) break;
    at = line + 2 + size + 2;
  }
  if (text.startsWith('0\r\n\r\n', at)) return at + 5;
  const empty = text.indexOf('\r\n\r\n', at);
  return empty === -1 ? -1 : empty + 4;
}

function dechunk(raw: string): { body: string; trailers: string[] } {
  let body = '';
  let at = 0;
  for (;;) {
    const line = raw.indexOf('\r\n', at);
    const size = Number.parseInt(raw.slice(at, line), 16);
    if (size === 0)
      return {
        body,
        trailers: raw
          .slice(line + 2)
          .split('\r\n')
          .filter(Boolean),
      };
    body += raw.slice(line + 2, line + 2 + size);
    at = line + 2 + size + 2;
  }
}
