// What the requests of the corpus are made of: mostly one doubtful thing, and a request behind it that must not be misread.

export const HOST = 'Host: a\r\n';
export const NEXT = `GET /next HTTP/1.1\r\n${HOST}\r\n`;

export const startLine = (line: string): string => `${line}\r\n${HOST}\r\n${NEXT}`;

/** `lines`: without their last CRLF. */
export const withFields = (lines: string): string => `GET / HTTP/1.1\r\n${HOST}${lines}\r\n\r\n${NEXT}`;

export const length = (lines: string, content = 'hello'): string =>
  `POST / HTTP/1.1\r\n${HOST}${lines}\r\n\r\n${content}${NEXT}`;

export const chunked = (content: string): string => length('Transfer-Encoding: chunked', content);
