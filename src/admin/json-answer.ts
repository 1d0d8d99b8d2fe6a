// Answers as JSON, or as text in another form. Long lists are written piece by piece with other work between: ten thousand certificates hold up no request.
import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setImmediate } from 'node:timers/promises';

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Members that can be iterated over are written as lists, a line for each element, and read as they are written. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** `headers` name its type. */
export interface TextAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly pieces: AsyncIterable<string>;
}

/** Elements written before others may work; about a millisecond. */
const BATCH = 32;

const HEADERS = {
  'content-type': 'application/json',
  'cache-control': 'no-store',
  'cross-origin-resource-policy': 'same-origin', // a page of somebody else may reach this address
  'x-content-type-options': 'nosniff',
};

/** Resolves when all is handed over; rejects when the client has gone, or an element could not be read. */
export async function answer(response: ServerResponse, given: Answer | TextAnswer, isHead = false): Promise<void> {
  response.writeHead(given.status, { ...HEADERS, ...given.headers });
  if (isHead) response.end();
  else
    await pipeline(
      Readable.from('pieces' in given ? given.pieces : jsonPieces(given.body), { objectMode: true, highWaterMark: 1 }),
      response,
    );
}

async function* jsonPieces(body: Answer['body']): AsyncGenerator<string> {
  let separator = '{';
  for (const [name, value] of Object.entries(body)) {
    if (value === undefined) continue;
    yield `${separator}${JSON.stringify(name)}:`;
    separator = ',\n';
    if (isIterable(value)) yield* listPieces(value);
    else yield JSON.stringify(value);
  }
  yield separator === '{' ? '{}\n' : '}\n';
}

async function* listPieces(list: Iterable<unknown>): AsyncGenerator<string> {
  let text = '[';
  let count = 0;
  for (const element of list) {
    text += `${count === 0 ? '\n' : ',\n'}${JSON.stringify(element)}`;
    if (++count % BATCH !== 0) continue;
    yield text;
    text = '';
    await setImmediate();
  }
  yield `${text}${count === 0 ? '' : '\n'}]`;
}

function isIterable(value: unknown): value is Iterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value;
}
