// Mutations of HTTP/1.1 messages, of the kinds that have fooled parsers. Texts are latin1, one character a byte.
import fc from 'fast-check';

const HOSTILE = [
  ...[
    '\r',
    '\n',
    '\r\n',
    '\n\r',
    '\r\r\n',
    '\n\n',
    '\r\n\r\n',
    '\r\n ',
    '\r\n\t',
    ' ',
    '\t',
    '\0',
    '\x0b',
    '\x7f',
    '\x80',
    '\xff',
  ],
  ...[
    ':',
    ' :',
    ',',
    ';',
    '"',
    '\\',
    '=',
    '/',
    '#',
    '%',
    '%2e',
    '..',
    '0',
    '-',
    '+',
    '0x',
    'f',
    'ffffffffffffffff',
    '_',
  ],
  ...[
    'Content-Length: 3\r\n',
    'Content-Length: 0\r\n',
    'Content-Length : 1\r\n',
    'Content-Length: 1, 1\r\n',
    'content-length:\r\n',
  ],
  ...[
    'Transfer-Encoding: chunked\r\n',
    'Transfer-Encoding: identity\r\n',
    'Transfer-Encoding: gzip, chunked\r\n',
    'Transfer-Encoding:\x0bchunked\r\n',
  ],
  ...[
    'Host: b\r\n',
    'Host: a\r\n',
    'Connection: close\r\n',
    'Connection: upgrade\r\nUpgrade: x\r\n',
    'Expect: x\r\n',
    ': x\r\n',
    'X\r\n',
  ],
  ...[
    'HTTP/1.0',
    'HTTP/1.1',
    'HTTP/2.0',
    'HTTP/0.9',
    'GET ',
    'http://b/',
    '0\r\n\r\n',
    '1\r\nx\r\n',
    ';a=b',
    ';a="',
    '\r\n0\r\n\r\n',
  ],
];

type Mutation = (text: string) => string;

/** A place in a text, as a part of its length. */
const at = fc.nat(0xffff).map((part) => part / 0x10000);
const byte = fc.nat(255).map((code) => String.fromCharCode(code));
const place = (text: string, where: number): number => Math.floor(where * (text.length + 1));
const lineEnds = (text: string): number[] => [...text.matchAll(/\r\n/g)].map((match) => match.index);

const mutation = fc.oneof<fc.Arbitrary<Mutation>[]>(
  fc.tuple(at, byte).map(
    ([where, char]) =>
      (text) =>
        splice(text, place(text, where), 1, char),
  ),
  fc.tuple(at, fc.nat(7)).map(([where, bit]) => (text) => {
    const from = Math.min(place(text, where), text.length - 1);
    return splice(text, from, 1, String.fromCharCode(text.charCodeAt(from) ^ (1 << bit)));
  }),
  fc.tuple(at, fc.constantFrom(...HOSTILE)).map(
    ([where, inserted]) =>
      (text) =>
        splice(text, place(text, where), 0, inserted),
  ),
  fc.tuple(at, fc.integer({ min: 1, max: 6 })).map(
    ([where, length]) =>
      (text) =>
        splice(text, place(text, where), length, ''),
  ),
  fc.tuple(at, fc.integer({ min: 1, max: 40 })).map(([where, length]) => (text) => {
    const from = place(text, where);
    return splice(text, from, 0, text.slice(from, from + length));
  }),
  // Line ends, and what comes at the start of a line.
  fc
    .tuple(
      at,
      fc.constantFrom('\n', '\r', '\n\r', '\r\r\n', '\r\n ', '\r\n\t', '', ' \r\n', '\t\r\n', '\0\r\n', '\r\n\r\n'),
    )
    .map(([where, end]) => (text) => {
      const ends = lineEnds(text);
      const from = ends[Math.floor(where * ends.length)];
      return from === undefined ? text : splice(text, from, 2, end);
    }),
  fc.tuple(at, fc.constantFrom(...HOSTILE)).map(([where, inserted]) => (text) => {
    const ends = lineEnds(text);
    const from = ends[Math.floor(where * ends.length)];
    return from === undefined ? text : splice(text, from + 2, 0, inserted);
  }),
  // A line twice, a line gone.
  fc.tuple(at, fc.boolean()).map(([where, twice]) => (text) => {
    const lines = text.split(/(?<=\r\n)/);
    const index = Math.floor(where * lines.length);
    lines.splice(index, twice ? 0 : 1, ...(twice ? [lines[index]!] : []));
    return lines.join('');
  }),
  fc.tuple(at, fc.integer({ min: 1, max: 12 })).map(([where, length]) => (text) => {
    const from = place(text, where);
    const part = text.slice(from, from + length);
    return splice(
      text,
      from,
      length,
      part.replace(/[A-Za-z]/g, (char) => String.fromCharCode(char.charCodeAt(0) ^ 0x20)),
    );
  }),
);

function splice(text: string, from: number, length: number, inserted: string): string {
  return text.slice(0, from) + inserted + text.slice(from + length);
}

/** The text after one to three mutations; something is always left of it. */
export function mutated(source: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc
    .tuple(source, fc.array(mutation, { minLength: 1, maxLength: 3 }))
    .map(([text, mutations]) => mutations.reduce((before, mutate) => mutate(before) || '\r', text));
}
