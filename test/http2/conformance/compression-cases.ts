// Header blocks that can't be decoded end the connection (RFC 7541, RFC 9113 section 4.3), whoever's request they carry.
import { END_HEADERS, END_STREAM, frame, HEADERS } from '../../support/h2-frames.ts';
import { block, headers, indexed, integer, literal, stringLiteral, tableSize } from '../../support/h2-headers.ts';
import { eosCode } from '../../support/h2-huffman.ts';
import { answered, connectionError } from './outcomes.ts';
import type { Case, Sections } from './section.ts';

const broken = connectionError('COMPRESSION_ERROR');

/** A request whose block ends with these bytes. */
const ending =
  (...parts: readonly (Buffer | readonly number[])[]): Case[1] =>
  (peer, fields) =>
    peer.headers(1, Buffer.concat([block(fields()), ...parts.map((part) => Buffer.from(part as Buffer))]), END_STREAM);

/** A literal with a new name, x-test, and this as its value: the bytes of a Huffman code. */
const coded = (value: readonly number[] | Buffer): Buffer =>
  Buffer.concat([
    Buffer.from([0]),
    stringLiteral('x-test', 'huffman'),
    integer(value.length, 7, 0x80),
    Buffer.from(value as Buffer),
  ]);

export const COMPRESSION: Sections = {
  'RFC 9113 section 4.3': [
    [
      'a block of one byte that begins a field',
      (peer) => peer.frame(HEADERS, END_HEADERS | END_STREAM, 1, [0x40]),
      broken,
    ],
    [
      'on a stream that is over',
      async (peer, fields) => {
        peer.headers(1, [...fields('POST'), ['Upper', 'case']]);
        await peer.resetOf(1);
        peer.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, [0x40]));
      },
      broken,
    ],
    [
      'in trailers',
      (peer, fields) =>
        peer.send(headers(1, fields('POST')), frame(HEADERS, END_HEADERS | END_STREAM, 1, [0xff, 0x7f])),
      broken,
    ],
  ],

  'RFC 7541 sections 2.3.3 and 6.1, indices': [
    ['beyond both tables', ending([0xc6]), broken],
    ['beyond both tables, of the name of a literal', ending([0x7f, 0x07, 0x00]), broken],
    ['of a name of a literal without indexing', ending([0x0f, 0x40, 0x01, 0x61]), broken],
    ['0', ending([0x80]), broken],
    ['one behind the newest of the table', ending(literal('x-test', 'ok', 'incremental'), indexed(63)), broken],
    [
      'of what was evicted',
      ending(literal('x-test', 'ok', 'incremental'), literal('x-large', 'a'.repeat(4_096), 'incremental'), indexed(62)),
      broken,
    ],
    [
      'of what a smaller table has lost',
      (peer, fields) =>
        peer.send(
          headers(1, [...fields(), literal('x-test', 'ok', 'incremental')], END_STREAM),
          headers(3, [tableSize(0), tableSize(4_096), ...fields(), indexed(62)], END_STREAM),
        ),
      broken,
    ],
  ],

  'RFC 7541 sections 4.2 and 6.3, table size updates': [
    ['behind the fields', ending([0x21]), broken],
    [
      'between two fields',
      (peer, fields) => peer.headers(1, [fields()[0]!, tableSize(0), ...fields().slice(1)], END_STREAM),
      broken,
    ],
    [
      'above SETTINGS_HEADER_TABLE_SIZE',
      (peer, fields) => peer.headers(1, [tableSize(4_097), ...fields()], END_STREAM),
      broken,
    ],
    ['far above it', (peer, fields) => peer.headers(1, [tableSize(2 ** 31), ...fields()], END_STREAM), broken],
    ['exactly as large', (peer, fields) => peer.headers(1, [tableSize(4_096), ...fields()], END_STREAM), answered()],
    [
      'to a table that holds one field',
      (peer, fields) => {
        const size = 'x-test'.length + 'ok'.length + 32;
        peer.headers(
          1,
          [tableSize(size), ...fields(), literal('x-test', 'ok', 'incremental'), indexed(62)],
          END_STREAM,
        );
      },
      answered(),
    ],
    [
      'to a table that is one byte too small for a field',
      (peer, fields) => {
        const size = 'x-test'.length + 'ok'.length + 31;
        peer.headers(
          1,
          [tableSize(size), ...fields(), literal('x-test', 'ok', 'incremental'), indexed(62)],
          END_STREAM,
        );
      },
      broken,
    ],
  ],

  'RFC 7541 section 5.1, integers': [
    ['without an end', ending([0xff, 0x80, 0x80, 0x80]), broken],
    ['of 2^35', ending([0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]), broken],
    ['of far too many bytes', ending([0x00, 0x7f, ...Array<number>(40).fill(0x80), 0x01]), broken],
    ['that would wrap around to a valid index', ending([0xff, 0x83, 0xff, 0xff, 0xff, 0x0f]), broken],
    ['that would be a valid index after 2^64', ending([0xff, ...Array<number>(9).fill(0x80), 0x02]), broken],
  ],

  'RFC 7541 section 5.2, strings': [
    ['padded with more than seven bits', ending(coded([0x49, 0x50, 0x9f, 0xff])), broken],
    ['padded with zeros', ending(coded([0x49, 0x50, 0x90])), broken],
    ['with EOS inside', ending(coded([0x49, 0x51, 0xff, 0xff, 0xff, 0xfa, 0x7f])), broken],
    ['that are EOS', ending(coded(eosCode())), broken],
    ['with padding alone', ending(coded([0xff])), broken],
    ['longer than the block', ending([0x00, 0x05, 0x61]), broken],
    ['of a name alone', ending([0x00, 0x01, 0x61]), broken],
    ['far longer than the block', ending([0x00, 0x7f, 0x80, 0x80, 0x80, 0x80, 0x07]), broken],
    [
      'padded with seven bits',
      ending(coded([0x18, 0xc6, 0x31, 0xff])), // five times 'a', 00011
      answered(),
    ],
  ],
};
