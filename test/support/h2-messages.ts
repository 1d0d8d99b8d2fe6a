// Arbitrary valid bytes of HTTP/2 connections, both directions, for the property tests: requests or responses whose frames
// come in any order that the RFC allows, in any of the forms it allows.
import fc from 'fast-check';
import {
  continuation,
  DATA,
  END_HEADERS,
  END_STREAM,
  frame,
  HEADERS,
  INITIAL_WINDOW_SIZE,
  MAX_FRAME_SIZE,
  PADDED,
  PREFACE,
  padded,
  ping,
  priority,
  priorityFields,
  settings,
  settingsAck,
  WITH_PRIORITY,
  windowUpdate,
} from './h2-frames.ts';
import { type FieldPair, literal } from './h2-headers.ts';

/** What a sender means by one message. */
export interface Meant {
  readonly head: readonly FieldPair[];
  readonly content: string;
  /** null: none were sent. */
  readonly trailers: readonly FieldPair[] | null;
}

export interface WrittenConnection {
  /** Whole frames; a client's preface is the first. */
  readonly frames: readonly Buffer[];
  /** By stream. */
  readonly messages: ReadonlyMap<number, Meant>;
}

const value = fc.oneof(
  fc.stringMatching(/^([!-~\x80-\xff]([\t !-~\x80-\xff]{0,15}[!-~\x80-\xff])?)?$/),
  fc.constantFrom('', 'a, b', 'chunked', 'x\ty', '\xe9', 'a'.repeat(300)),
);
const field = fc.tuple(fc.stringMatching(/^x-[!#$%&'*+.^`|~0-9a-z-]{1,8}$/), value) satisfies fc.Arbitrary<FieldPair>;
const cookies: fc.Arbitrary<FieldPair[]> = fc
  .array(fc.stringMatching(/^[a-c]=[a-z]{0,5}$/), { maxLength: 3 })
  .map((list) => list.map((crumb) => ['cookie', crumb]));
/** Padding included, none is more than a frame may be. */
const shortPiece = fc.string({ unit: 'binary-ascii', maxLength: 20 });
const piece = fc.oneof(
  { weight: 6, arbitrary: shortPiece },
  fc.constantFrom('', 'y'.repeat(300), 'z'.repeat(5_000), 'w'.repeat(16_000)),
);

/** How a list of fields is written. */
interface BlockForm {
  readonly indexing: readonly ('without' | 'incremental' | 'never')[];
  readonly huffman: boolean;
  /** Sizes of the fragments before the last. */
  readonly cuts: readonly number[];
  readonly padBytes: number | null;
  readonly withPriority: boolean;
}

const blockForm: fc.Arbitrary<BlockForm> = fc.record({
  indexing: fc.array(fc.constantFrom('without', 'incremental', 'never'), { minLength: 1, maxLength: 5 }),
  huffman: fc.boolean(),
  cuts: fc.oneof(fc.constant([]), fc.array(fc.nat(60), { maxLength: 4 })),
  padBytes: fc.option(fc.nat(20)),
  withPriority: fc.boolean(),
});

function blockFrames(stream: number, fields: readonly FieldPair[], form: BlockForm, flags: number): Buffer[] {
  const coding = form.huffman ? 'huffman' : 'plain';
  const written = fields.map(([name, text], i) => literal(name, text, form.indexing[i % form.indexing.length], coding));
  const whole = Buffer.concat(written);
  const pieces: Buffer[] = [];
  let at = 0;
  for (const cut of form.cuts) {
    pieces.push(whole.subarray(at, at + cut));
    at = Math.min(at + cut, whole.length);
  }
  pieces.push(whole.subarray(at));
  const prefix = form.withPriority ? priorityFields(stream === 3 ? 1 : 0) : Buffer.alloc(0);
  const first = Buffer.concat([prefix, pieces[0]!]);
  const own =
    flags |
    (form.withPriority ? WITH_PRIORITY : 0) |
    (form.padBytes === null ? 0 : PADDED) |
    (pieces.length === 1 ? END_HEADERS : 0);
  const head = frame(HEADERS, own, stream, form.padBytes === null ? first : padded(first, form.padBytes));
  const rest = pieces.slice(1).map((fragment, i) => {
    return continuation(stream, fragment, i === pieces.length - 2 ? END_HEADERS : 0);
  });
  return [Buffer.concat([head, ...rest])]; // nothing may come in between
}

interface MessageForm {
  readonly head: readonly FieldPair[];
  readonly pieces: readonly { readonly content: string; readonly padBytes: number | null }[];
  readonly trailers: readonly FieldPair[] | null;
  readonly headForm: BlockForm;
  readonly trailerForm: BlockForm;
  /** Whether the end is a frame of its own. */
  readonly endsApart: boolean;
}

const contentOf = (one: fc.Arbitrary<string>) =>
  fc.array(fc.record({ content: one, padBytes: fc.option(fc.nat(200), { freq: 6 }) }), { maxLength: 4 });
const content = contentOf(piece);
const shortContent = contentOf(shortPiece);
const trailers = fc.option(fc.array(field, { minLength: 1, maxLength: 3 }), { freq: 3 });

function textOf({ pieces }: Pick<MessageForm, 'pieces'>): string {
  return pieces.map((one) => one.content).join('');
}

function messageFrames(stream: number, message: MessageForm): Buffer[] {
  const { pieces, endsApart, headForm, trailerForm } = message;
  const trailing = message.trailers;
  const endsWithHead = pieces.length === 0 && trailing === null && !endsApart;
  const frames = blockFrames(stream, message.head, headForm, endsWithHead ? END_STREAM : 0);
  for (const [i, { content: text, padBytes }] of pieces.entries()) {
    const isLast = i === pieces.length - 1 && trailing === null && !endsApart;
    const flags = (isLast ? END_STREAM : 0) | (padBytes === null ? 0 : PADDED);
    const payload = Buffer.from(text, 'latin1');
    frames.push(frame(DATA, flags, stream, padBytes === null ? payload : padded(payload, padBytes)));
  }
  if (trailing !== null) frames.push(...blockFrames(stream, trailing, trailerForm, END_STREAM));
  else if (endsApart) frames.push(frame(DATA, END_STREAM, stream));
  return frames;
}

/** Frames that change nothing of any message. */
const aside = fc.oneof(
  fc.constantFrom(
    ping('abcdefgh'),
    windowUpdate(0, 1_000),
    settings([MAX_FRAME_SIZE, 20_000]),
    settings(),
    priority(1),
    priority(7),
    frame(0x77, 0xff, 5, 'unknown'),
    frame(0x10, 0, 0, '\0\0\0\x01u=1'),
  ),
  fc.nat(100_000).map((size) => settings([INITIAL_WINDOW_SIZE, size])),
);

/** Puts queues into one, each in its own order, none begun before those ahead of it; `order` says whose turn it is. */
function interleave(queues: readonly (readonly Buffer[])[], order: readonly number[]): Buffer[] {
  const all: Buffer[] = [];
  const at = queues.map(() => 0);
  let begun = 0;
  for (let turn = 0; ; turn++) {
    const waiting = queues.map((_, i) => i).filter((i) => i <= begun && at[i]! < queues[i]!.length);
    if (waiting.length === 0) return all;
    const next = waiting[order[turn % order.length]! % waiting.length]!;
    all.push(queues[next]![at[next]!++]!);
    if (next === begun) begun++;
  }
}

const turns = fc.array(fc.nat(7), { minLength: 1, maxLength: 20 });
const endsApart = fc.boolean();

/** Of which an answer leaves as soon as its request is there, however the connection is cut. */
const PROMPT_PATHS = ['/echo', '/echo?q', '/now', '/hints', '/abort'];
const PATHS = [...PROMPT_PATHS, '/both', '/slow', '/large'];

const request = (isPrompt: boolean): fc.Arbitrary<MessageForm> =>
  fc
    .record({
      method: fc.constantFrom('POST', 'GET', 'PUT', 'HEAD', 'DELETE'),
      path: fc.constantFrom(...(isPrompt ? PROMPT_PATHS : PATHS)),
      fields: fc.array(field, { maxLength: 3 }),
      cookies,
      more: fc.subarray<FieldPair>([
        ['te', 'trailers'],
        ['priority', 'u=1, i'],
        ['user-agent', 'x'],
      ]),
      pieces: isPrompt ? shortContent : content,
      declares: fc.boolean(),
      ...{ trailers, headForm: blockForm, trailerForm: blockForm, endsApart },
    })
    .map(({ method, path, fields, declares, more, ...rest }) => {
      const length: FieldPair[] = declares ? [['content-length', String(textOf(rest).length)]] : [];
      const pseudo: FieldPair[] = [
        [':method', method],
        [':scheme', 'https'],
        [':path', path],
        [':authority', 'app.localhost'],
      ];
      return { ...rest, head: [...pseudo, ...fields, ...rest.cookies, ...more, ...length] };
    });

const connectionOf = (isPrompt: boolean): fc.Arbitrary<WrittenConnection> =>
  fc
    .record({
      requests: fc.array(request(isPrompt), { minLength: 1, maxLength: 4 }),
      window: fc.constantFrom(0, 1, 100, 65_535, 200_000),
      asides: fc.array(aside, { maxLength: 4 }),
      turns,
    })
    .map(({ requests, window, asides, turns: order }) => {
      const first = [PREFACE, settings([INITIAL_WINDOW_SIZE, window])];
      const messages = new Map<number, Meant>();
      const streams: Buffer[][] = [];
      for (const [i, message] of requests.entries()) {
        const id = 2 * i + 1;
        messages.set(id, { head: message.head, content: textOf(message), trailers: message.trailers });
        streams.push(messageFrames(id, message));
      }
      return { frames: [...first, ...interleave([[settingsAck(), ...asides], ...streams], order)], messages };
    });

/** Connections of clients. */
export const clientConnection = connectionOf(false);
/** Those whose answers leave at once. */
export const promptConnection = connectionOf(true);

const response: fc.Arbitrary<MessageForm> = fc
  .record({
    status: fc.constantFrom('200', '404', '500', '299'),
    fields: fc.array(field, { maxLength: 3 }),
    pieces: content,
    declares: fc.boolean(),
    ...{ trailers, headForm: blockForm, trailerForm: blockForm, endsApart },
  })
  .map(({ status, fields, declares, ...rest }) => {
    const length: FieldPair[] = declares ? [['content-length', String(textOf(rest).length)]] : [];
    return {
      ...rest,
      headForm: { ...rest.headForm, withPriority: false },
      head: [[':status', status], ...fields, ...length],
    };
  });

const interim = fc.tuple(fc.constantFrom('100', '103', '102'), fc.array(field, { maxLength: 2 }), blockForm);

/** Connections of servers that answer requests on streams 1, 3 …; `requests`: how many. */
export function serverConnection(requests: number): fc.Arbitrary<WrittenConnection> {
  const answer = fc.record({ interims: fc.array(interim, { maxLength: 2 }), message: response });
  return fc
    .record({
      answers: fc.array(answer, { minLength: requests, maxLength: requests }),
      asides: fc.array(
        aside.filter((one) => one[3] !== 0x10),
        { maxLength: 4 },
      ),
      turns,
    })
    .map(({ answers, asides, turns: order }) => {
      const messages = new Map<number, Meant>();
      const streams = answers.map(({ interims, message }, i) => {
        const id = 2 * i + 1;
        messages.set(id, { head: message.head, content: textOf(message), trailers: message.trailers });
        const heads = interims.map(([status, fields, form]) =>
          blockFrames(id, [[':status', status], ...fields], form, 0),
        );
        return [...heads.flat(), ...messageFrames(id, message)];
      });
      return { frames: [settings(), ...interleave([...streams, [settingsAck(), ...asides]], order)], messages };
    });
}
