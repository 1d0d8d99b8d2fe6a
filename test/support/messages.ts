// Arbitrary valid HTTP/1.1 messages of every kind for the property tests. Texts are latin1, one character a byte.
import fc from 'fast-check';

/** A valid message and what a reader must make of it. */
export interface Written {
  readonly text: string;
  readonly content: string;
  /** name, value … */
  readonly trailers: readonly string[];
}

const token = fc.stringMatching(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,10}$/);
const value = fc.oneof(
  fc.stringMatching(/^([!-~\x80-\xff]([\t !-~\x80-\xff]{0,15}[!-~\x80-\xff])?)?$/),
  fc.constantFrom('', 'a, b', '"q, \\" r"', 'chunked', '5', 'close', 'HTTP/1.1 200 OK', 'x\ty', '\xe9'),
);
/** Names that no codec takes for its own. */
const otherName = token.map((name) => `X-${name}`);
const ows = fc.constantFrom(' ', '', '  ', '\t', ' \t ');
const field = fc.tuple(otherName, ows, value, fc.constantFrom('', ' ', '\t'));
const fields = fc
  .array(field, { maxLength: 4 })
  .map((list) => list.map(([name, a, text, b]) => `${name}:${a}${text}${b}\r\n`));

const extension = fc.oneof(
  { weight: 6, arbitrary: fc.constant('') },
  token.map((name) => `;${name}`),
  fc.tuple(token, token).map(([name, text]) => `;${name}=${text}`),
  fc.tuple(token, fc.stringMatching(/^([ !#-[\]-~]|\\[!-~]){0,6}$/)).map(([name, text]) => `;${name}="${text}"`),
);
const piece = fc.oneof(
  fc.stringMatching(/^[\x00-\xff]{1,20}$/),
  fc.constantFrom(
    'hello',
    '0\r\n\r\n',
    '\r\n',
    'GET /evil HTTP/1.1\r\nHost: a\r\n\r\n',
    'HTTP/1.1 200 OK\r\n\r\n',
    '5\r\n',
  ),
);
const size = (length: number, style: string): string => {
  const hex = length.toString(16);
  return style === 'upper' ? hex.toUpperCase() : style === 'padded' ? `00${hex}` : hex;
};
const chunk = fc.tuple(piece, fc.constantFrom('lower', 'upper', 'padded'), extension);
const trailer = fc.tuple(otherName, value);

interface Content {
  readonly field: string;
  readonly wire: string;
  readonly content: string;
  readonly trailers: readonly string[];
}

const lengthContent: fc.Arbitrary<Content> = fc
  .tuple(piece, fc.constantFrom('Content-Length', 'content-length'))
  .map(([content, name]) => ({
    field: `${name}: ${content.length}\r\n`,
    wire: content,
    content,
    trailers: [],
  }));

const chunkedContent: fc.Arbitrary<Content> = fc
  .tuple(
    fc.array(chunk, { maxLength: 4 }),
    extension,
    fc.array(trailer, { maxLength: 2 }),
    fc.constantFrom('Transfer-Encoding: chunked', 'transfer-encoding:Chunked'),
  )
  .map(([chunks, lastExtension, trailers, line]) => ({
    field: `${line}\r\n`,
    wire:
      chunks.map(([content, style, ext]) => `${size(content.length, style)}${ext}\r\n${content}\r\n`).join('') +
      `0${lastExtension}\r\n${trailers.map(([name, text]) => `${name}: ${text}\r\n`).join('')}\r\n`,
    content: chunks.map(([content]) => content).join(''),
    trailers: trailers.flat(),
  }));

const noContent: fc.Arbitrary<Content> = fc
  .constantFrom('', 'Content-Length: 0\r\n')
  .map((line) => ({ field: line, wire: '', content: '', trailers: [] }));

const content = fc.oneof(noContent, lengthContent, chunkedContent);

const method = fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS', 'PROPFIND', 'QUERY');
const target = fc.oneof(
  fc.stringMatching(/^(\/[!$&'()*+,;=:@\w.~-]{0,6}){1,3}(\?[!$-;=?-Z_a-z~]{0,8})?$/),
  fc.constantFrom(
    '/',
    '/a/../b',
    '/%41%2f',
    '//x',
    '/?',
    '/a?b=c&d',
    'http://a/abs',
    'HTTP://A',
    '/;x=1',
    '/%e2%82%ac',
  ),
);
const hostLine = fc.constantFrom('Host: a\r\n', 'host:a\r\n', 'HOST: a \r\n');
const option = fc.constantFrom(
  '',
  '',
  '',
  'Connection: keep-alive\r\n',
  'TE: trailers\r\nConnection: TE\r\n',
  'Expect: 100-continue\r\n',
);

/** One valid request that leaves the connection open. */
export const request: fc.Arbitrary<Written> = fc
  .tuple(method, target, hostLine, fields, content, option, fc.nat(9))
  .map(([verb, where, host, others, body, opt, place]) => {
    const lines = [...others];
    lines.splice(place % (lines.length + 1), 0, host, body.field, opt);
    const isEmptyExpect = opt.startsWith('Expect') && body.wire === '';
    const text = `${verb} ${where} HTTP/1.1\r\n${lines.join('')}\r\n${body.wire}`;
    return { text: isEmptyExpect ? text.replace(opt, '') : text, content: body.content, trailers: body.trailers };
  });

export const requests: fc.Arbitrary<readonly Written[]> = fc.array(request, { minLength: 1, maxLength: 3 });

const status = fc.constantFrom(
  '200 OK',
  '404 Not Found',
  '200 ',
  '299 A \xe9 b',
  '500 x',
  '302 Found',
  '206 Partial Content',
);
const interim = fc.array(
  fc.constantFrom(
    'HTTP/1.1 100 Continue\r\n\r\n',
    'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n',
    'HTTP/1.1 102 Processing\r\n\r\n',
  ),
  { maxLength: 2 },
);

/** One valid response to a GET, with the interim ones before it, which ends by itself. */
export const response: fc.Arbitrary<Written> = fc
  .tuple(interim, status, fields, fc.oneof(lengthContent, chunkedContent), fc.nat(9))
  .map(([before, line, others, body, place]) => {
    const lines = [...others];
    lines.splice(place % (lines.length + 1), 0, body.field);
    return { ...body, text: `${before.join('')}HTTP/1.1 ${line}\r\n${lines.join('')}\r\n${body.wire}` };
  });
