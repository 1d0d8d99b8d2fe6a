// Item 23: frames that cost whoever answers them more than whoever sends them, in numbers. One connection each; what happens
// to others meanwhile: h2/siege.test.ts.
import {
  ACK,
  continuation,
  data,
  END_HEADERS,
  END_STREAM,
  frame,
  goAway,
  HEADERS,
  INITIAL_WINDOW_SIZE,
  PADDED,
  PRIORITY,
  padded,
  ping,
  priority,
  priorityFields,
  rstStream,
  settings,
  settingsAck,
  uint32,
  WITH_PRIORITY,
  windowUpdate,
} from '../../../support/h2-frames.ts';
import { block, headers, requestFields } from '../../../support/h2-headers.ts';
import { ok } from '../../../support/origin.ts';
import type { OriginScript } from '../../hostile-case.ts';
import type { H2Case, H2Stage } from '../h2-case.ts';
import { pour } from '../pour.ts';

const RESET = 'CVE-2023-44487';
const MADE = 'CVE-2025-8671';
const FLOOD = 'CVE-2019-9512, CVE-2019-9515';
const EMPTY = 'CVE-2019-9518';
const CONTINUED = 'CVE-2024-27983, CVE-2023-45288, CVE-2024-24549';
const DRIBBLE = 'CVE-2019-9511, CVE-2019-9517';
const STREAMS = 'RFC 9113 sections 5.1.2 and 10.5';

const MANY = 20_000;
const PRIORITY_UPDATE = 0x10;
const UNKNOWN = 0xbe;
const MOST = 2 ** 31 - 1;

const GET = requestFields();
const POST = requestFields('/', 'POST');
const get = (id: number): Buffer => headers(id, GET, END_STREAM);
const post = (id: number): Buffer => headers(id, POST);
const idOf = (number: number): number => 2 * number + 1;

/** Never answers. */
const silent: OriginScript = () => {};

const long = (kib: number): OriginScript => {
  const answer = ok('x'.repeat(kib * 1024));
  return (_asked, peer) => peer.send(answer);
};

interface Flood {
  readonly source?: string;
  readonly script?: OriginScript;
  readonly options?: H2Case['options'];
  /** What comes before. */
  readonly before?: (stage: H2Stage) => unknown;
  readonly count?: number;
}

function flood(name: string, unit: (number: number) => Buffer, more: Flood = {}): H2Case {
  const { source = FLOOD, script = silent, options, before, count = MANY } = more;
  return {
    item: 23,
    name,
    source,
    script,
    ...(options === undefined ? {} : { options }),
    send: async (stage) => {
      await before?.(stage);
      await pour(stage.client, unit, count);
    },
    expect: { streams: {}, ends: 'ENHANCE_YOUR_CALM', origin: 'any' },
  };
}

/** On a stream of its own each, whose request is forwarded and then made to be reset. */
const forced = (name: string, wrong: (id: number) => Buffer): H2Case =>
  flood(`streams reset by ${name}`, (i) => wrong(idOf(i)), { source: MADE });

const both = (...pieces: readonly Buffer[]): Buffer => Buffer.concat(pieces);

const resets: readonly H2Case[] = [
  flood('requests, each cancelled at once', (i) => both(get(idOf(i)), rstStream(idOf(i))), { source: RESET }),
  flood(
    'requests with content, each cancelled at once',
    (i) => both(post(idOf(i)), data(idOf(i), 'x'), rstStream(idOf(i))),
    {
      source: RESET,
    },
  ),
  forced('an increment of 0', (id) => both(get(id), windowUpdate(id, 0))),
  forced('a window that overflows', (id) => both(get(id), windowUpdate(id, MOST))),
  forced('DATA behind the end', (id) => both(get(id), data(id, 'x'))),
  forced('HEADERS behind the end', (id) => both(get(id), get(id))),
  forced('PRIORITY of four bytes', (id) => both(get(id), frame(PRIORITY, 0, id, 'wxyz'))),
  forced('PRIORITY that depends on itself', (id) => both(get(id), priority(id, id))),
  forced('HEADERS that depend on themselves', (id) =>
    frame(HEADERS, END_STREAM | END_HEADERS | WITH_PRIORITY, id, both(priorityFields(id), block(GET))),
  ),
  forced('more content than content-length', (id) =>
    both(headers(id, requestFields('/', 'POST', [['content-length', '1']])), data(id, 'xy')),
  ),
  forced('trailers with a pseudo-field', (id) => both(post(id), headers(id, [[':path', '/']], END_STREAM))),
  forced('trailers that do not end', (id) => both(post(id), headers(id, [['a', 'b']]))),
  forced('upper case', (id) => headers(id, [...GET, ['A', 'b']], END_STREAM)),
  forced('an empty header block', (id) => headers(id, [], END_STREAM)),
  flood('streams that are opened and never ended', (i) => post(idOf(i)), { source: STREAMS }),
];

/** A stream that has been reset for what was wrong with it. */
const over = async ({ client }: H2Stage): Promise<void> => {
  client.headers(1, [...POST, ['A', 'b']]);
  await client.when(() => client.rst(1) !== null || client.goaway !== null || client.stream(1).ended);
};

const late: readonly H2Case[] = [
  flood('HEADERS on a stream that has been reset', () => post(1), { before: over }),
  flood('DATA on a stream that has been reset', () => data(1, 'x'), { before: over, count: 5 * MANY }),
  flood('RST_STREAM on a stream that has been reset', () => rstStream(1), { before: over }),
  flood('WINDOW_UPDATE on a stream that has been reset', () => windowUpdate(1, 1), { before: over }),
];

const opened = ({ client }: H2Stage): Promise<void> => client.send(post(1));

const control: readonly H2Case[] = [
  flood('SETTINGS', () => settings()),
  flood('SETTINGS of 60 values', () => settings(...Array(60).fill([INITIAL_WINDOW_SIZE, 65_535]))),
  flood('SETTINGS that are an acknowledgement', () => settingsAck()),
  flood(
    'SETTINGS that change the window of 100 open streams',
    (i) => settings([INITIAL_WINDOW_SIZE, i % 2 === 0 ? 1 : 65_535]),
    {
      before: async ({ client }) => {
        for (let i = 0; i < 100; i++) client.send(get(idOf(i)));
      },
    },
  ),
  flood('PING', () => ping()),
  flood('PING that is an answer', () => ping('perantar', ACK)),
  flood('PRIORITY', (i) => priority(idOf(i % 1_000))),
  flood('PRIORITY in a chain', (i) => priority(idOf(i + 1), idOf(i), 255, true), { source: 'CVE-2019-9513' }),
  flood('PRIORITY_UPDATE', () => frame(PRIORITY_UPDATE, 0, 0, both(uint32(1), Buffer.from('u=1'))), {
    source: 'RFC 9218 section 7.1',
  }),
  flood('frames of an unknown type', () => frame(UNKNOWN, 0, 0, 'x'), { source: 'RFC 9113 section 5.5' }),
  flood('GOAWAY', () => goAway(), { before: opened }),
  flood('WINDOW_UPDATE for the connection', () => windowUpdate(0, 1), { source: DRIBBLE }),
  flood('WINDOW_UPDATE for a stream', () => windowUpdate(1, 1), { source: DRIBBLE, before: opened }),
];

const empty: readonly H2Case[] = [
  flood('DATA without content', () => data(1), { source: EMPTY, before: opened }),
  flood('DATA that is padding', () => frame(0, PADDED, 1, padded('', 255)), { source: EMPTY, before: opened }),
  flood('DATA without content on a stream that is over', () => data(1), { source: EMPTY, before: over }),
  flood('CONTINUATION without end', () => continuation(1, 'x', 0), {
    source: CONTINUED,
    before: ({ client }) => client.frame(HEADERS, END_STREAM, 1, block(GET)),
  }),
  flood('CONTINUATION without content', () => continuation(1, '', 0), {
    source: `${CONTINUED}; ${EMPTY}`,
    before: ({ client }) => client.frame(HEADERS, END_STREAM, 1, block(GET)),
  }),
  flood('CONTINUATION of 16 KiB', () => continuation(1, block([['a', 'x'.repeat(16_000)]]), 0), {
    source: CONTINUED,
    before: ({ client }) => client.frame(HEADERS, END_STREAM, 1, block(GET)),
    count: 1_000,
  }),
];

const dribbles: readonly H2Case[] = [
  flood('a long answer asked for by single bytes', () => windowUpdate(1, 1), {
    source: DRIBBLE,
    script: long(256),
    options: { settings: [[INITIAL_WINDOW_SIZE, 1]], habits: { returnWindow: false } },
    before: async ({ client }) => {
      client.send(get(1));
      await client.when(() => client.stream(1).received === 1);
    },
  }),
  flood('100 answers asked for by single bytes', (i) => windowUpdate(idOf(i % 100), 1), {
    source: DRIBBLE,
    script: long(16),
    options: { settings: [[INITIAL_WINDOW_SIZE, 0]], habits: { returnWindow: false } },
    before: async ({ client }) => {
      for (let i = 0; i < 100; i++) client.send(get(idOf(i)));
      await client.head(199);
    },
  }),
];

export const floodCases: readonly H2Case[] = [...resets, ...late, ...control, ...empty, ...dribbles];
